"""The examples of `docs/extending.md` are built into a copy of the program, and work there without another change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.blocks import DOCS, ROOT, blocks_of

EXAMPLES = {block.mark: block.text for block in blocks_of(DOCS / "extending.md") if block.mark}
Run = Callable[..., str]
HEAD = """
import asyncio, json
from pathlib import Path
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import load_plan
loaded = load_plan(Path("plan.yaml"))
calls = KindCalls(base_dir=loaded.directory)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with every example in its place, and a folder with the plan that uses them."""
    folder = tmp_path_factory.mktemp("extended")
    for name in ("tui", "checks", "themes"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in EXAMPLES.items():
        assert not (folder / path).exists(), f"{path} is there already"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "queue.txt").write_text("one\ntwo\n")
    (folder / "users.txt").write_text("42\n")
    (folder / "worker.marker").touch()
    return folder


@pytest.fixture
def run(copy: Path, tmp_path: Path) -> Run:
    """Run the copy: words of the command line, or code."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SWITCHOVER_STATE": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join(str(copy / name) for name in ("tui", "checks")) + os.pathsep + str(ROOT),
    }

    def run(*words: str, code: str = "") -> str:
        command = ["-c", HEAD + code] if code else ["-m", "switchover", *words]
        done = subprocess.run(
            [sys.executable, "-P", *command], cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_every_thing_that_can_be_added_has_an_example() -> None:
    text = (DOCS / "extending.md").read_text("utf-8")
    places = (
        "kinds/",
        "metrics/sources/",
        "alerts/notifiers/",
        "costs/sources/",
        "services/",
        "ui/",
        "cli/",
        "themes/",
    )
    for place in places:
        assert any(place in path for path in EXAMPLES), place
        assert place in text.partition("## ")[0]


def test_the_plan_that_names_them_all_is_valid_and_its_check_works(run: Run) -> None:
    run("validate", "plan.yaml")
    (check,) = json.loads(run("check", "plan.yaml", "--format", "json"))["checks"]
    assert (check["name"], check["status"]) == ("backlog", "ok")


def test_the_schema_tells_their_keys(run: Run) -> None:
    schema = json.loads(run("schema"))["$defs"]
    assert schema["check_queue"]["properties"]["most"]["description"] == "How many may wait."
    assert "marker" in schema["Service"]["properties"]
    for part, kind in (("MetricSpec", "file_number"), ("NotifierSpec", "file"), ("CostSourceSpec", "flat")):
        assert kind in schema[part]["properties"]["kind"]["enum"]


def test_the_source_of_metrics_reads_its_number(run: Run) -> None:
    code = """
from switchover.clock import SystemClock
from switchover.metrics.sampler import Sampler
sampler = Sampler(loaded.plan.metrics, calls, SystemClock())
asyncio.run(sampler.sample(["users"]))
print(sampler.tracks["users"].series.latest, sampler.tracks["users"].note)
"""
    assert run(code=code).split() == ["42.0"]


def test_the_notifier_tells_of_an_alert(run: Run, copy: Path) -> None:
    code = """
from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import Notification
async def tell():
    deliveries = Deliveries(loaded.plan.notifiers, calls)
    deliveries.send(["book"], Notification("k", AlertEvent.FIRED, "too many wait", "backlog == CRIT", 1.0))
    await deliveries.settled()
    assert not deliveries.failures, deliveries.failures
asyncio.run(tell())
"""
    run(code=code)
    assert (copy / "alerts.txt").read_text() == "fired too many wait\n"


def test_the_source_of_costs_adds_its_lines(run: Run) -> None:
    code = """
from switchover.costs.cost_book import CostBook
book = CostBook(loaded, calls)
asyncio.run(book.refresh())
print(book.view.after_total)
"""
    assert run(code=code) == "8.40\n"


def test_the_provider_sees_its_service(run: Run) -> None:
    code = """
from switchover.plan.variables import Scope
from switchover.services.provider_registry import make_providers
from switchover.services.service_kind import service_kind
from switchover.services.provider_api import ServiceTarget
from dataclasses import replace
target = ServiceTarget("worker", "marker", options={"marker": "worker.marker"})
target = replace(target, ref=service_kind("marker").ref_of(target))
(provider,) = make_providers(Path(), float, only={"marker"})
seen = asyncio.run(provider.inspect([target]))
print(seen["worker"].state, service_kind("marker").usual_command("inspect", target, None))
"""
    assert run(code=code) == "running ('stat', 'worker.marker')\n"


def test_the_verb_is_listed_and_runs(run: Run) -> None:
    assert re.search(r"^ +steps +list the steps of a plan$", run("--help"), re.MULTILINE)
    assert run("steps", "plan.yaml") == "one.look\n"


def test_the_tab_is_shown_and_the_theme_can_be_chosen(run: Run, copy: Path) -> None:
    code = """
from tests.support.ui_screen import make_app, screen_text, settle
from switchover.snapshot import Snapshot, SourceNote
from switchover.ui.kit.theme import load_themes, theme_folders
themes, errors = load_themes(theme_folders())
assert "paper" in themes and not errors, errors
async def look():
    app, _, _ = make_app(Snapshot(sources=(SourceNote("docker", "off", "no daemon"),)))
    async with app.run_test(size=(100, 20)) as pilot:
        await settle(pilot)
        await pilot.press("7")
        await settle(pilot)
        print(screen_text(app))
asyncio.run(look())
"""
    shown = run(code=code)
    assert "7 Sources" in shown
    assert "docker: no daemon" in shown
