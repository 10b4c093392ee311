"""`switchover init`: a plan of what runs here that is valid, is fine now, and holds no password."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchover.cli import parser as cli
from switchover.cli.init.first_plan import plan_text, without_secrets
from switchover.cli.init.host_survey import Item
from switchover.plan.loader.load import load_plan, load_plan_text
from switchover.trust import TrustStore

SERVER = """\
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
"""
CANARY = "Xk29canary77"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Start a program that listens, and has a password among its arguments."""
    script = tmp_path / "shop_api.py"
    script.write_text(SERVER)
    argv = [sys.executable, str(script), f"--password={CANARY}", f"postgresql://shop:{CANARY}@db/shop"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    return folder


def test_what_runs_is_in_a_plan_that_is_valid_and_fine_and_holds_no_argument(
    here: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init"]) == 0
    said = capsys.readouterr()
    text = (here / "switchover.yaml").read_text("utf-8")
    plan = load_plan(here / "switchover.yaml").plan
    (name,) = [name for name, service in plan.services.items() if service.listen == port]
    assert re.fullmatch(r"python\w*_shop_api_py(_\d)?", name)
    (check,) = [name for name, check in plan.checks.items() if check.config.get("port") == port]
    assert check in (plan.phases[0].gate.require if plan.phases[0].gate else ())
    assert CANARY not in text + said.out + said.err
    assert "all of them are fine now" in said.out
    assert cli.main(["check", check, "disk"]) == 0, "it was written here, so it is trusted"
    assert TrustStore(here.parent / "state").trusts(here / "switchover.yaml")


def test_a_plan_that_is_there_is_never_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.plan.yaml").write_text("mine")
    assert cli.main(["init"]) == 2
    assert "a plan is here already: mine.plan.yaml" in capsys.readouterr().err
    (here / "mine.plan.yaml").rename(here / "switchover.yaml")
    assert cli.main(["init"]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    (here / "switchover.yaml").unlink()
    (here / "switchover.yaml").symlink_to("nowhere")
    assert cli.main(["init", "."]) == 2
    assert cli.main(["init", str(here / "switchover.yaml" / "x")]) != 0
    assert [path.name for path in here.iterdir()] == ["switchover.yaml"]


def test_whatever_a_thing_is_called_the_text_is_a_plan(tmp_path: Path) -> None:
    odd = ("a b", "9", 'x"y', "tab\tname", "{{ vars }}", "#", "é", "yes", "a" * 50)
    items = [
        Item(section, f"{section}_{number}", {key: "process", "pattern": re.escape(word)})
        for section, key in (("services", "kind"), ("checks", "kind"))
        for number, word in enumerate(odd)
    ]
    for left_out in ((), [item.name for item in items]):
        for host in ("vm", "db-1.example.org", "9", "é: [x"):
            plan = load_plan_text(plan_text(items, host, left_out), tmp_path / "switchover.yaml").plan
            assert len(plan.checks) == (0 if left_out else len(odd))


def test_what_looks_like_a_secret_is_left_out() -> None:
    kept = Item("checks", "a", {"kind": "process", "pattern": "api.py"})
    secret = Item("checks", "b", {"kind": "process", "pattern": f"mysql --password={CANARY}"})
    assert without_secrets([kept, secret]) == (kept,)
