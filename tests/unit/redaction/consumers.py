"""Ways on which a text reaches a person or a disk: each takes a text and returns what is shown or written of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.support.quiet_hub import QuietHub
from tests.unit.health.health_fakes import StillClock

from switchover.agent.process.agent_log import open_log
from switchover.agent.wire.protocol import error_to_wire
from switchover.app import KnownSecrets
from switchover.cli import diagnostics, output
from switchover.cli.report.report import clean_report
from switchover.cli.report.report_blocks import Code
from switchover.cli.report.report_html import to_html
from switchover.cli.report.report_markdown import to_markdown
from switchover.errors import SwitchoverError
from switchover.health.probing import redact_result
from switchover.hub.history.operations import Operations
from switchover.hub.problems.incidents import Incidents
from switchover.logs.intake import clean
from switchover.logs.line_ring import LineRing
from switchover.logs.log_queries import LogQueries
from switchover.logs.long_line import LongLine
from switchover.logs.saving import save_lines
from switchover.migration.facts.display import display
from switchover.migration.facts.operator import Operator
from switchover.migration.steps.step_output import read_output, read_tail
from switchover.plan.people_model import Contact
from switchover.snapshot import Header, Snapshot, TimelineRow
from switchover.triage.bundle_file import bundle_name, write_bundle
from switchover.ui.app.application import SwitchoverApp
from switchover_checks.api import Finding, Result, Status

__all__ = ["CONSUMERS", "LINE_BY_LINE", "step_output"]

ANA = Operator("ana", "bastion", "pts/1")


def _each(show: Callable[[str], str]) -> Callable[[Sequence[str], Path], str]:
    """Take each text for itself."""
    return lambda texts, _: "".join(f"== {n} ==\n{show(text)}\n" for n, text in enumerate(texts))


def _all(show: Callable[[str, Path], str]) -> Callable[[Sequence[str], Path], str]:
    """Take all texts as one."""
    return lambda texts, folder: show("".join(f"== {n} ==\n{text}\n" for n, text in enumerate(texts)), folder)


def _check(text: str) -> str:
    finding = Finding(text, text, text, Status.CRIT, text)
    said = redact_result(Result(Status.CRIT, text, (finding,), evidence={"out": text}), KnownSecrets().display)
    (found,) = said.findings
    return "\n".join((said.summary, found.what, found.expected, found.observed, found.hint, said.evidence["out"]))


def _log_shown(text: str, _: Path) -> str:
    ring, queries = _ring_of(text)
    return "\n".join(line["text"] for line in queries.shown.lines(range(ring.end), None))


def _log_saved(text: str, folder: Path) -> str:
    ring, queries = _ring_of(text)
    return Path(asyncio.run(save_lines(queries, ring, ["a"], {}, str(folder / "saved")))["path"]).read_text()


def _ring_of(text: str) -> tuple[LineRing, LogQueries]:
    ring = LineRing(1 << 30, 100_000)
    for line in text.split("\n"):
        ring.add(0, [0.0], [0], [clean(line)])
    return ring, LogQueries(ring, ["a"], {}, list)


def _long_line(text: str) -> str:
    line = LongLine({}, (), clean(text), ())
    while line.make(1 << 30):
        pass
    return line.text(0, line.total)


def step_output(folder: Path, text: str) -> Path:
    """Write what a step says, as its watcher does."""
    folder.mkdir(exist_ok=True)
    (folder / "out-0").write_text(text)
    return folder


def _step_output(text: str, folder: Path) -> str:
    directory = step_output(folder / "attempt", text)
    chunk = read_output(directory, 0, 1, ended=True)
    said = chunk.text
    while not chunk.complete:
        chunk = read_output(directory, chunk.next_offset, 1, ended=True)
        said += chunk.text
    return said


def _step_tail(text: str, folder: Path) -> str:
    return "\n".join(read_tail(step_output(folder / "attempt", text), 100_000, 1 << 24)[0])


def _report(text: str) -> str:
    report = clean_report({"text": text}, KnownSecrets().display)
    block = Code("output", (report["text"],))
    return f"{to_markdown([block])}\n{to_html('x', [block])}\n{report}"


def _bundle(text: str, folder: Path) -> str:
    path, _ = write_bundle(folder, bundle_name("h", 0.0), {"log": text}, lambda said: said, 0.0)
    with tarfile.open(path) as archive:
        return cast("io.BytesIO", archive.extractfile(archive.getmembers()[0])).read().decode()


def _incident(texts: Sequence[str], folder: Path) -> str:
    operations = Operations(folder / "operations.sqlite", StillClock(), lambda said: said)
    incidents = Incidents(folder / "incidents", operations, StillClock(), QuietHub())
    rows = [f"== {n} == {text}" for n, text in enumerate(texts)]

    async def note() -> Path:
        await incidents.open("x", ANA, Snapshot(header=Header()))
        timeline = tuple(TimelineRow(1_800_000_000.0, "action", text) for text in rows)
        return await incidents.close("", ANA, Snapshot(header=Header(), timeline=timeline))

    return asyncio.run(note()).read_text() + next((folder / "incidents").glob("*.jsonl")).read_text()


def _agent_log(text: str, folder: Path) -> str:
    handler = open_log(folder / "agent.log", KnownSecrets().redact)
    try:
        handler.handle(logging.LogRecord("x", logging.WARNING, "x", 1, text, (), None))
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    return (folder / "agent.log").read_text()


def _error_of_the_agent(text: str) -> str:
    error = error_to_wire(SwitchoverError(text, text))
    return f"{error.title}\n{error.hint}"


def _crash_of_the_screen(text: str, folder: Path) -> str:
    app = SimpleNamespace(log_path=folder / "ui.log", crash="")
    SwitchoverApp.note_crash(cast("SwitchoverApp", app), ValueError(text))
    return f"{app.crash}\n{(folder / 'ui.log').read_text()}"


def _crash_of_a_verb(text: str, folder: Path) -> str:
    with contextlib.redirect_stderr(io.StringIO()):
        diagnostics.report_unexpected(ValueError(text), folder)
    return next((folder / "crashes").glob("*.txt")).read_text()


def _error_of_a_verb(text: str) -> str:
    with contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO(), "utf-8")) as said:
        diagnostics.report_error(SwitchoverError(text, text))
        said.seek(0)
        return said.read()


def _output_of_a_verb(text: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        output.emit_text(text)
    return said.getvalue()


def _json_of_a_verb(texts: Sequence[str], _: Path) -> str:
    rows = [{"row": f"== {n} ==", "text": text} for n, text in enumerate(texts)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        output.emit_json({"rows": rows})
    assert len(json.loads(said.getvalue())["rows"]) == len(rows)
    return said.getvalue()


CONSUMERS: dict[str, Callable[[Sequence[str], Path], str]] = {
    "result and evidence of a check": _each(_check),
    "log shown": _all(_log_shown),
    "log saved": _all(_log_saved),
    "long line of a log": _each(_long_line),
    "output of a step": _all(_step_output),
    "last lines of a step": _all(_step_tail),
    "report": _each(_report),
    "bundle": _all(_bundle),
    "incident": _incident,
    "log of the agent": _all(_agent_log),
    "error of the agent": _each(_error_of_the_agent),
    "crash of the screen": _all(_crash_of_the_screen),
    "crash of a verb": _all(_crash_of_a_verb),
    "error of a verb": _each(_error_of_a_verb),
    "output of a verb": _each(_output_of_a_verb),
    "JSON of a verb": _json_of_a_verb,
    "timeline, status and audit": _each(display),
    "diagnosis, service and notification": _each(KnownSecrets().display),
    "text of a plan": _each(lambda text: Contact(name="x", note=text).note or ""),
}
LINE_BY_LINE = {"log shown", "log saved", "long line of a log"}
"""Those that see each line for itself."""
