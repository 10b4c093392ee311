"""What the demo's plan does, one command each: `python -m switchover.demo.do ACTION [ARGUMENT]…`.

The demo's folder is named by `SWITCHOVER_DEMO_DIR`, else it is the current one. Each action may be repeated: it looks
at what there is and does what is left. It ends with 0 when what it promises holds, with 1 and one line when not.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from switchover.demo import faults, shop_store
from switchover.demo.demo_processes import DemoError, ask, end, marked_environment, recorded, start
from switchover.demo.layout import MARKER_VARIABLE, PARTS, SIDES, Demo, Side, write_whole

__all__ = ["main"]


def say(text: str) -> None:
    """Write a line at once, so that whoever watches the step sees how far it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def back_up(demo: Demo, path: str) -> None:
    """Write a consistent copy of the old store and its sha256."""
    target = demo.directory / path
    size = shop_store.back_up(demo, target)
    say(f"backup: {target}")
    say(f"bytes: {size}")


def test_backup(demo: Demo, path: str) -> None:
    """Restore a backup into a scratch file and look it through."""
    with tempfile.TemporaryDirectory(prefix="switchover-demo-") as scratch:
        found = shop_store.restore_test(demo.directory / path, Path(scratch) / "restored.sqlite")
    say("restored: " + ", ".join(f"{table} {rows}" for table, rows in found.items()))
    if not all(found.values()):
        raise DemoError("the backup lacks rows")


def compare_with_backup(demo: Demo, path: str) -> None:
    """Say whether the old store still has what the backup has."""
    with tempfile.TemporaryDirectory(prefix="switchover-demo-") as scratch:
        kept = shop_store.restore_test(demo.directory / path, Path(scratch) / "restored.sqlite")
    with shop_store.connect(demo, "old") as old:
        now = shop_store.counts(old)
    say("old store: " + ", ".join(f"{table} {rows}" for table, rows in now.items()))
    if now != kept:
        raise DemoError(f"the old store differs from the backup, which has {kept}")
    say("the old store has what the backup has; the backup is kept")


def start_side(demo: Demo, name: str) -> None:
    """Start a side, with an empty store if it has none, or whichever side is `live`, or the `door`."""
    if name == "door":
        say(f"the front door answers, pid {start(demo, 'door')}")
        return
    side = demo.live_side() if name == "live" else _side(name)
    if side == "new":
        shop_store.create_empty(demo.store(side))
    pid = start(demo, side)
    status, health = ask(demo, side, "/health")
    if status != 200:
        raise DemoError(f"the {side} service is {health.get('status')}: {health.get('error')}")
    say(f"the {side} service is healthy, pid {pid}, {demo.url(side)}")


def remove_side(demo: Demo, name: str) -> None:
    """Stop a side and remove its store. Refused for the side that is live."""
    side = _side(name)
    if demo.live() == side:
        raise DemoError(f"the {side} side is live; switch the front door first")
    ran = end(demo, side)
    say(f"the {side} service {'is stopped' if ran else 'was not running'}")
    shop_store.remove(demo.store(side))
    demo.quota(side).unlink(missing_ok=True)
    say(f"the {side} store is removed")


def copy(demo: Demo) -> None:
    """Copy all rows to the new store."""
    say(f"rows copied: {shop_store.copy(demo, say)}")


def empty_new(demo: Demo) -> None:
    """Take all rows out of the new store again."""
    if demo.live() == "new":
        raise DemoError("the new side is live; switch the front door first")
    with shop_store.connect(demo, "new") as new:
        for table in shop_store.TABLES:
            new.execute(f"DELETE FROM {table}")  # noqa: S608
    say("the new store is empty")


def make_index(demo: Demo) -> None:
    """Make the index that the old store lacks."""
    with shop_store.connect(demo, "new") as new:
        shop_store.make_index(new)
    say(f"index {shop_store.MISSING_INDEX} is there")


def drop_index(demo: Demo) -> None:
    """Drop that index again."""
    with shop_store.connect(demo, "new") as new:
        new.execute(f"DROP INDEX IF EXISTS {shop_store.MISSING_INDEX}")
    say(f"index {shop_store.MISSING_INDEX} is dropped")


def switch(demo: Demo, name: str) -> None:
    """Make a side live, if it is healthy, and see the front door say so."""
    side = _side(name)
    status, health = ask(demo, side, "/health")
    if status != 200:
        raise DemoError(f"the {side} service is {health.get('status')}: {health.get('error')}; nothing was switched")
    write_whole(demo.live_file, f"{side}\n")
    _, door = ask(demo, "door", "/_door")
    if door.get("live") != side:
        raise DemoError(f"the front door says that {door.get('live')!r} is live")
    say(f"live: {side}")


def measure(demo: Demo) -> None:
    """Run the slow report on both sides and say how long the query takes, the median of five."""
    for side in SIDES:
        if demo.store(side).exists():
            times = [float(ask(demo, side, "/report", timeout_s=30)[1]["query_ms"]) for _ in range(5)]
            say(f"{side} report query: {statistics.median(times):.1f} ms")


def look(demo: Demo) -> None:
    """Show the state of each part, for a first look at a problem."""
    say(f"live side: {demo.live() or 'none'}")
    for part in PARTS:
        pid = recorded(demo, part)
        if part != "door" and not demo.store(part).exists():
            say(f"{part:<5} has no store (not made yet, or removed)")
            continue
        try:
            status, answer = ask(demo, part, "/_door" if part == "door" else "/health", timeout_s=5)
            words = f"HTTP {status} {answer}"
        except DemoError as error:
            words = str(error)
        say(f"{part:<5} {f'pid {pid}' if pid else 'not running'}: {words}")
    for side in SIDES:
        if demo.store(side).exists():
            with shop_store.open_file(demo.store(side)) as opened:
                pages, size = (opened.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
                indexes = [
                    row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1")
                ]
            quota = demo.quota(side).read_text(encoding="ascii").strip() if demo.quota(side).exists() else "none"
            say(f"{side} store: {pages} pages of {size} bytes, quota {quota}; indexes {', '.join(indexes)}")


def mend(demo: Demo) -> None:
    """Undo what a fault broke, and start what should run."""
    for line in faults.mend(demo):
        say(line)


def _side(name: str) -> Side:
    for side in SIDES:
        if side == name:
            return side
    raise DemoError(f"{name!r} is no side; there are old and new")


_ACTIONS: Final[dict[str, Callable[..., None]]] = {
    "back-up": back_up,
    "compare-with-backup": compare_with_backup,
    "copy": copy,
    "drop-index": drop_index,
    "empty-new": empty_new,
    "look": look,
    "make-index": make_index,
    "measure": measure,
    "mend": mend,
    "remove": remove_side,
    "start": start_side,
    "switch": switch,
    "test-backup": test_backup,
}


def main(arguments: list[str]) -> int:
    """Run one action."""
    if not arguments or arguments[0] not in _ACTIONS:
        sys.stderr.write(f"say what to do: {', '.join(_ACTIONS)}\n")
        return 2
    demo = Demo.at(os.environ.get(MARKER_VARIABLE) or os.curdir)
    os.environ.update(marked_environment(demo))
    try:
        demo.ports()
        _ACTIONS[arguments[0]](demo, *arguments[1:])
    except (DemoError, OSError, ValueError, sqlite3.Error) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
