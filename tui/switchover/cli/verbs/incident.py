"""`switchover incident open|note|close|list`: the incident of a plan or of this host, from scripts and by hand."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.errors import UsageError

if TYPE_CHECKING:
    from switchover.commands.incidents import ClosedIncident, IncidentRecord, OpenedIncident

__all__ = ["add_arguments", "run"]

VERB = "incident"
RANK = 150
SUMMARY = "open an incident, add to it, close it into a report, list all"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `incident`."""
    parser.description = (
        "Open an incident, add a note to it, close it into a report of its timeline, or list all. One is open at a "
        "time; it survives restarts."
    )
    parser.add_argument("action", choices=("open", "note", "close", "list"), help="what to do")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the title, the note, or what it was")
    parser.add_argument("--plan", metavar="PLAN", help="the plan that it is about (default: this host)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to answer (default: table)")


def run(args: Namespace) -> int:
    """Do it; 0 when it is on record."""
    import msgspec

    from switchover.cli.run_access import carry_out
    from switchover.commands.incidents import CloseIncident, ListIncidents, NoteIncident, OpenIncident

    text = " ".join(args.text).strip().encode("utf-8", "replace").decode()  # a terminal may give bytes that are no text
    if args.action != "list" and len(args.text) > 1 and _is_plan(args.text[-1]):
        raise UsageError(f"{args.text[-1]} would become a part of the text", f"name a plan with --plan {args.text[-1]}")
    if args.action in {"open", "note"} and not text:
        raise UsageError(f"`incident {args.action}` needs a text", f'`switchover incident {args.action} "api down"`')

    answer: OpenedIncident | ClosedIncident | tuple[IncidentRecord, ...] | None
    match args.action:
        case "open":
            answer = carry_out(args, OpenIncident(text))
            said = [f"incident #{answer.id} is open"]
        case "note":
            answer = carry_out(args, NoteIncident(text))
            said = ["written down"]
        case "close":
            answer = carry_out(args, CloseIncident(text))
            said = [answer.path]
        case _:
            answer = carry_out(args, ListIncidents())
            said = [_line(one) for one in answer] or ["there was no incident here"]
    if args.format == "json":
        output.emit_json(msgspec.to_builtins(answer))
        return 0
    for line in said:
        output.emit_text(line)
    return 0


def _is_plan(word: str) -> bool:
    return word.endswith((".yaml", ".yml")) and Path(word).is_file()


def _line(one: IncidentRecord) -> str:
    opened = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.opened_at))
    state = "open" if one.closed_at is None else f"closed {time.strftime('%H:%M', time.localtime(one.closed_at))}"
    return f"#{one.id:4} {opened}  {state:13} {one.opened_by:10} {one.title}  {one.path}".rstrip()
