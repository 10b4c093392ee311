"""Reading a plan, or where its file was broken since, the text of it that a run goes by."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from switchover.agent.process.lifecycle import changed_since_trusted
from switchover.clock import SystemClock
from switchover.errors import PlanError
from switchover.locations import Workspace
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState
from switchover.migration.journal.journal_store import open_journal
from switchover.migration.rules.possible import why_impossible
from switchover.plan.loader.load import LoadedPlan, load_plan, load_plan_text
from switchover.plan.loader.plan_content import PlanContent

__all__ = ["id_in_file", "load"]


def load(path: Path, workspace: Workspace | None = None, *, finished: bool = False, digest: str = "") -> LoadedPlan:
    """Read and check a plan. Raise `PlanError`.

    With a workspace whose run is open, a file broken since then gives way to the plan of that run. A slip in an editor
    must not keep anybody from a rollback. With `finished` likewise for a run that is over.

    With `digest`, raise `NotTrustedError` for a file of another content. It, or a Python file that it loads, was
    changed after it had been trusted. An open run goes by its own plan, and executes none of the others.
    """
    try:
        loaded = load_plan(path)
    except PlanError:
        frozen = _text_of_run(workspace, finished=finished) if workspace is not None else None
        if frozen is None:
            raise
        return _with_trusted_code(load_plan_text(frozen, path, frozen=True), path, digest)
    if not digest:
        return loaded
    if loaded.content.digest == digest:
        return replace(loaded, code=loaded.code.only(loaded.code.files))
    if workspace is None or _text_of_run(workspace, finished=False) is None:
        raise changed_since_trusted(path.name)
    return _with_trusted_code(loaded, path, digest)


def _with_trusted_code(loaded: LoadedPlan, path: Path, digest: str) -> LoadedPlan:
    """Return the plan with only those Python files that were trusted, if it had to be trusted at all."""
    if not digest:
        return loaded
    seen = PlanContent.of(path)
    return replace(loaded, code=loaded.code.only(seen.files if seen.digest == digest else {}))


def _text_of_run(workspace: Workspace, *, finished: bool) -> str | None:
    journal = open_journal(workspace, id_in_file(workspace.plan), SystemClock(), create=False)
    if journal is None:
        return None
    with journal:
        runs = journal.runs()
        state = fold(journal.records(runs[-1]), None, why_impossible) if runs else RunState()
    return state.plan_text if state.exists and (finished or not state.finished) else None


def id_in_file(path: Path | None) -> str:
    """Return the id that a plan file gives itself, whatever else is wrong with it; it names a shared journal."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    except OSError:
        text = ""
    found = re.search(r"^id:[ \t]*[\"']?([A-Za-z0-9._-]+)", text, re.MULTILINE)
    return found[1] if found else ""
