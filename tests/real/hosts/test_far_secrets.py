"""Secrets of a step on another machine: in its environment alone, on no disk there, in no output here."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.support.far_host import FarHost
from tests.unit.migration.harness import ANA, Secrets, open_bench

VALUE = "kX7-qwertz-9871-secret"
PLAN = """
hosts: {{db: {{ssh: far}}}}
secrets: {{pw: {{ref: "env:PW"}}}}
phases:
  - id: a
    steps:
      - id: there
        run: |
          echo "password is $PW"; echo $PW | base64
          echo "made=second-$PW"; echo made again second-$PW; echo second-$PW >&2
          cat /proc/*/cmdline > {folder}/cmdlines 2>/dev/null || true
          cp -r ~/.switchover-far {folder}/copy
        env: {{PW: "{{{{ secret.pw }}}}"}}
        run_on: db
        effect: changes
        rollback: not_needed
        outputs: {{made: {{from: 'stdout:/^made=(.*)$/', secret: true}}, token: 'stdout:/^password is (.*)$/'}}
      - id: later
        run: 'test "$MADE" = "second-$PW"'
        env: {{MADE: "{{{{ step.there.made }}}}", PW: "{{{{ secret.pw }}}}"}}
        effect: read
"""


async def test_a_secret_is_in_no_argument_and_on_no_disk_there_and_in_no_output_here(
    tmp_path: Path, far: FarHost
) -> None:
    text = PLAN.format(folder=tmp_path)
    bench = open_bench(tmp_path, text, hosts=far.lines(), secrets=Secrets({"pw": VALUE}))
    bench.secrets.get("pw")
    await bench.engine.drive(ANA)
    assert (bench.stage("there"), bench.stage("later")) == ("done", "done"), bench.engine.state.reason
    assert VALUE.encode() not in (tmp_path / "cmdlines").read_bytes()
    there = b"".join(path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert b"out" in b" ".join(str(path).encode() for path in (tmp_path / "copy").rglob("out-*"))
    output = bench.engine.read_output("there", 1, 0, 1 << 20)[0]
    assert "password is" in output
    for shown in (VALUE, base64.b64encode(f"{VALUE}\n".encode()).decode()):
        assert shown.encode() not in there
        assert shown not in output
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert VALUE.encode() not in kept
