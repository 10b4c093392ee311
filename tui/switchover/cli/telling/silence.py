"""`switchover silence PLAN [MATCHER …]`: tell nobody of some alerts for a while; `--ack` takes one on; list; end."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.errors import UsageError

if TYPE_CHECKING:
    from switchover.snapshot import SilenceRecord

__all__ = ["add_arguments", "run"]

VERB = "silence"
RANK = 153
SUMMARY = "silence or acknowledge alerts for a while, list silences, end one"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `silence`."""
    parser.description = (
        "Tell nobody of the alerts that match, for a while. A matcher is an alert's name or LABEL=VALUE; * stands for "
        "anything, LABEL!=VALUE for another value. Without one, the silences are listed."
    )
    add_plan(parser, "the plan whose alerts are meant", executes=True, then="matchers")
    parser.add_argument("matchers", metavar="MATCHER", nargs="*", help="which alerts: api_down, severity=warning")
    parser.add_argument("--for", dest="span", metavar="TIME", help="for how long (default: 1h; with --ack: 1d)")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it stands beside the alert")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--ack", metavar="ALERT", help="acknowledge this alert, until it ends or the time is over")
    one.add_argument("--end", metavar="ID", help="end this silence now")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to answer (default: text)")


def run(args: Namespace) -> int:
    """Do it; 0 when it is on record."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.alert_commands import AcknowledgeAlert, EndSilence, ListSilences, SilenceAlerts

    found: tuple[SilenceRecord, ...]
    if args.ack:
        seconds = _seconds(args.span, 86400.0)
        found = (carry_out(args, AcknowledgeAlert(args.ack, seconds, args.reason), looks_first=True),)
    elif args.end:
        found = (carry_out(args, EndSilence(args.end)),)
    elif args.matchers:
        made = SilenceAlerts(tuple(args.matchers), _seconds(args.span, 3600.0), args.reason)
        found = (carry_out(args, made),)
    else:
        found = carry_out(args, ListSilences())
    if args.format == "json":
        output.emit_json([_document(one) for one in found])
    else:
        for line in [_line(one) for one in found] or ["nothing is silenced"]:
            output.emit_text(line)
    return 0


def _seconds(text: str | None, usual: float) -> float:
    from switchover_checks.language.units import parse_duration

    if text is None:
        return usual
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None


def _line(one: SilenceRecord) -> str:
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.until))
    word = "acknowledged" if one.ack else "silenced"
    what = " ".join(one.matchers).removeprefix("rule:").partition(":")[0] if one.ack else " ".join(one.matchers)
    return f"{one.id}  {what} {word} by {one.who} until {until}" + (f": {one.why}" if one.why else "")


def _document(one: SilenceRecord) -> dict[str, object]:
    from switchover.clock import iso_utc

    return {
        "id": one.id,
        "matchers": list(one.matchers),
        "acknowledges": one.ack,
        "start": iso_utc(one.start),
        "until": iso_utc(one.until),
        "who": one.who,
        "why": one.why or None,
    }
