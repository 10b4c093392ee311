"""`switchover notify test PLAN [NAME …]`: send a test notice by each notifier, and say what came of it."""

from __future__ import annotations

import asyncio
import socket
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from switchover.cli import diagnostics, output
from switchover.cli.plan_argument import add_plan
from switchover.errors import UsageError

__all__ = ["add_arguments", "run"]

VERB = "notify"
RANK = 155
SUMMARY = "send a test notice by a plan's notifiers"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `notify`."""
    parser.description = "Send a test notice by each of a plan's notifiers, or by those named, and say what came of it."
    parser.add_argument("action", choices=("test",), help="what to do")
    add_plan(parser, "the plan whose notifiers are tried", executes=True, then="names")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a notifier of the plan; all where none is named")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to answer (default: text)")


def run(args: Namespace) -> int:
    """Try them; 0 when all took it."""
    found = asyncio.run(_try_all(args))
    if args.format == "json":
        output.emit_json([{"notifier": name, "ok": not why, "reason": why or None} for name, why in found])
    else:
        for name, why in found:
            output.emit_text(f"{name}: {why or 'took the test notice'}")
    return 1 if any(why for _, why in found) else 0


async def _try_all(args: Namespace) -> list[tuple[str, str]]:
    from switchover.alerts.alert_state import AlertEvent
    from switchover.alerts.notifier_api import Notification
    from switchover.alerts.sending_once import send_once
    from switchover.app import KnownSecrets, build_evaluator
    from switchover.cli.plan_file import load_for_run
    from switchover.plan.kind_calls import KindCalls

    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    loaded, workspace = load_for_run(args, finished=True, quiet=True)
    specs = loaded.plan.notifiers
    if unknown := [name for name in args.names if name not in specs]:
        raise UsageError(f"the plan has no notifier {unknown[0]!r}", f"it has: {', '.join(specs) or 'none'}")
    if not specs:
        raise UsageError("the plan has no notifiers", "add one: `notifiers: {team: {kind: slack, url: …}}`")
    current = build_evaluator(loaded, workspace, secret_words=words)
    calls = KindCalls(current.scope, current.secrets, loaded.directory)
    host, now = socket.gethostname(), time.time()
    text = f"test from switchover on {host}: {loaded.plan.title}"
    notice = Notification(f"test {now:.3f}", AlertEvent.NOTED, text, "test", now, "test", "info", id=f"test-{now:.3f}")

    async def one(name: str) -> tuple[str, str]:
        spec: Any = specs[name]
        return name, words.redact(await send_once(spec, calls, notice))

    try:
        return list(await asyncio.gather(*(one(name) for name in args.names or specs)))
    finally:
        await calls.aclose()
        await current.aclose()
