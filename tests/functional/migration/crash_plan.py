"""The plans that the crash matrix kills over."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator

__all__ = ["COMBINATIONS", "plan_text"]

EFFECTS = ("read", "creates", "changes", "destroys")
ON_UNKNOWN = ("ask", "verify", "rerun")
COMBINATIONS = tuple(itertools.product(EFFECTS, ON_UNKNOWN))
_WRITE = 'echo "begin $SWITCHOVER_STEP $SWITCHOVER_ATTEMPT" >> log; %secho "end $SWITCHOVER_STEP $SWITCHOVER_ATTEMPT" '
_WRITE += ">> log"
_UNDO = _WRITE.replace("begin ", "begin undo-").replace("end ", "end undo-") % ""


def plan_text(seed: int) -> str:
    """Return a plan of six steps; over a few seeds, every effect comes with every `on_unknown`."""
    dice = random.Random(seed)
    combinations = [COMBINATIONS[(seed * 5 + n) % len(COMBINATIONS)] for n in range(5)]
    lines = [
        "schema: 1",
        f"id: matrix-{seed % 12}",
        "title: A plan to be killed over",
        "checks:",
        "  up: {kind: file, path: plan.yaml}",
        f"  dump: {{kind: backup, path: dump, max_age: 1h, sha256: {hashlib.sha256(b'x').hexdigest()}}}",
        "phases:",
        "  - id: first",
        "    steps:",
    ]
    for number, (effect, unknown) in enumerate(combinations):
        if number == 3:
            lines += ["    gate: {require: [up]}", "  - id: second", "    steps:"]
        lines += _step(f"s{number}-{effect}-{unknown}", effect, unknown, fails_once=dice.random() < 0.15)
        lines += ["        ready: [up]"] if number == seed % 5 else []
    lines += [
        "      - id: gone",
        f"        run: '{_WRITE % ''}'",
        "        effect: destroys",
        "        on_unknown: rerun",  # not granted: it cannot be undone
        "        rollback: impossible",
        "        confirm: {text: remove it all, require: [dump]}",
    ]
    return "\n".join(lines) + "\n"


def _step(name: str, effect: str, unknown: str, *, fails_once: bool) -> Iterator[str]:
    stumble = "[ $SWITCHOVER_ATTEMPT -gt 1 ] || exit 3; " if fails_once else ""
    yield f"      - id: {name}"
    yield f"        run: '{_WRITE % stumble}'"
    yield f"        effect: {effect}"
    yield f"        on_unknown: {'{verify: [up]}' if unknown == 'verify' else unknown}"
    if effect != "read":
        yield f"        rollback: {{run: '{_UNDO}'}}"
