"""Secrets that programs print in disguise are found nowhere: evidence, outputs, records, reports, bundle and screen."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.functional.secrets.canary import CORES, VALUES, assert_clean, assert_nothing_below, readings
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.app import build, load
from switchover.cli import run_access
from switchover.cli.parser import main
from switchover.locations import workspace_for
from switchover.snapshot import Snapshot

HERE = Path(__file__).parent
SHOW = "bash disguise.sh"
PLAN = f"""\
schema: 1
id: canary
title: Canary
secrets:
  from_env: {{ref: "env:CANARY"}}
  from_file: {{ref: "file:canary-file"}}
  from_cmd: {{ref: "cmd:cat canary-cmd"}}
vars:
  taken: {{default: "{{{{ step.prints.whole }}}}"}}
checks:
  shows:
    kind: command
    command: export B="$(sed -n 2p canary-file)" C="$(cat canary-cmd)"; {SHOW} A B C; exit 3
    env: {{A: "{{{{ secret.from_env }}}}"}}
    expect: ["exit == 0", "stdout == 'x'"]
    effect: read
    every: 1s
    since: run
  not_asked_for: {{kind: command, command: cat canary-file canary-cmd; false, effect: read, every: 1s}}
phases:
  - id: one
    steps:
      - id: prints
        run: |
          export B="$(sed -n 2p canary-file)" C="$(cat canary-cmd)"
          {SHOW} A B C
          printf 'OUT=%s\\n' "$A"
          printf 'WRAPPED=%s\\n' "$(printf %s "$A" | base64 -w 0)"
        env: {{A: "{{{{ secret.from_env }}}}"}}
        effect: read
        outputs: {{whole: "stdout:/^OUT=(.*)$/", wrapped: "stdout:/^WRAPPED=(.*)$/"}}
      - id: takes
        run: printf %s "$T" | cmp - canary-env; {SHOW} T
        env: {{T: "{{{{ taken }}}}"}}
        effect: read
    gate: {{require: [shows]}}
"""

Say = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "plan"
    folder.mkdir()
    shutil.copy(HERE / "disguise.sh", folder)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "canary-file").write_text(VALUES["from_file"])
    (folder / "canary-cmd").write_text(VALUES["from_cmd"])
    (folder / "canary-env").write_text(VALUES["from_env"])
    monkeypatch.setenv("CANARY", VALUES["from_env"])
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(folder)
    before = os.umask(0)
    yield folder
    os.umask(before)


@pytest.fixture
def say(capfdbinary: pytest.CaptureFixture[bytes]) -> Say:
    """Run the program and return all that it wrote, in which no canary is."""

    def say(*words: str) -> bytes:
        main([*words])
        written = capfdbinary.readouterr()
        assert_clean(written.out, f"stdout of {words}")
        assert_clean(written.err, f"stderr of {words}")
        return written.out + written.err

    return say


def test_the_disguises_are_seen_through_by_the_search(folder: Path) -> None:
    """Else nothing that it does not find would mean anything."""
    shown = subprocess.run([*SHOW.split(), "CANARY"], capture_output=True, check=True).stdout
    assert sum(CORES["from_env"].encode() in text for text in readings(shown)) >= 3
    assert sum(CORES["from_env"].encode().hex().encode() in text for text in readings(shown)) >= 1


def test_a_run_a_check_and_all_that_is_told_of_them_hold_no_canary(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b"(secret from_cmd)" in say("check", "plan.yaml", "--format", "json")
    say("check", "plan.yaml")
    assert b"takes done" in say("run", "plan.yaml").replace(b"\x1b[0m", b"")
    for form in ("md", "json", "html"):
        say("report", "plan.yaml", "--format", form, "--output", str(folder.parent / f"report.{form}"))
    say("status", "plan.yaml", "--format", "json")
    say("audit", "show", "plan.yaml", "--format", "json")
    say("incident", "open", f"login {VALUES['from_env']}", "--plan", "plan.yaml")
    say("incident", "close", f"it was {VALUES['from_cmd']}", "--plan", "plan.yaml")
    names = assert_nothing_below([folder.parent], but=folder)
    assert {"journal.sqlite", "exit.json", "seal.key", "report.html"} <= set(names)
    _assert_private(folder.parent, but=folder)


def test_a_bundle_holds_no_canary(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_access, "_FIRST_LOOK_S", 2.0)
    path = Path(say("bundle", "plan.yaml").split()[0].decode())
    with tarfile.open(path) as bundle:
        for member in bundle.getmembers():
            file = bundle.extractfile(member)
            assert_clean(file.read() if file is not None else b"", member.name)
    _assert_private(folder.parent, but=folder)


async def test_the_screen_shows_no_canary(folder: Path, tmp_path: Path) -> None:
    snapshot = await _snapshot(folder, tmp_path)
    assert {check.status for check in snapshot.checks} == {"crit"}
    app, _, _ = make_app(snapshot)
    async with app.run_test(size=(200, 50)) as pilot:
        for tab in "123456":
            await pilot.press(tab)
            await settle(pilot)
            assert_clean(screen_text(app).encode(), f"tab {tab}")
        await pilot.press("3", "enter")
        await settle(pilot)
        shown = screen_text(app)
        assert_clean(shown.encode(), "the details of a check")


async def _snapshot(folder: Path, tmp_path: Path) -> Snapshot:
    plan = folder / "plan.yaml"
    parts = build(load(plan), workspace_for(tmp_path / "state", plan))
    watching = asyncio.create_task(parts.hub.run())
    try:
        parts.hub.note_viewer(parts, found=True)
        async with asyncio.timeout(60):
            while not all(check.status == "crit" for check in parts.hub.snapshot.checks):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return parts.hub.snapshot
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await parts.aclose()


def _assert_private(folder: Path, but: Path) -> None:
    """Fail where the program left something that others may use, though the umask took nothing away."""
    found = [path for path in folder.rglob("*") if path != but and but not in path.parents]
    assert not [path for path in found if path.is_symlink()]
    assert {oct(path.lstat().st_mode & 0o077) for path in found if path.name != "run"} <= {"0o0"}, [
        path for path in found if path.lstat().st_mode & 0o077
    ]
