"""The details of a defect are written to a file; a secret that stands in its traceback is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CANARY = "hunter2/canary'é"
CODE = """
import os, sys
from pathlib import Path
from switchover.cli import diagnostics
from switchover.redaction import Redactor
secret = os.environ["CANARY"]
diagnostics.redact_with(Redactor({"pw": secret}).redact)
try:
    try:
        raise ValueError(secret)
    except ValueError as error:
        raise RuntimeError(f"cannot log in as shop:{secret}", {"password": secret}) from error
except RuntimeError as error:
    sys.exit(diagnostics.report_unexpected(error, Path(sys.argv[1])))
"""


def test_the_details_of_a_defect_hold_no_secret(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CANARY": CANARY},
    )
    (report,) = (tmp_path / "crashes").iterdir()
    text = report.read_text()
    assert (done.returncode, report.stat().st_mode & 0o777) == (1, 0o600)
    assert "RuntimeError" in text
    assert text.count("(secret pw)") + text.count("(secret)") == 3
    assert "canary" not in f"{text}{done.stdout}{done.stderr}"
