"""What `--fault` breaks, for practice: each is a real fault of the live side, or of moving data.

What was changed is written down first, so that `mend` can undo exactly that.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from switchover.demo import shop_store
from switchover.demo.demo_processes import DemoError, recorded, start
from switchover.demo.layout import SIDES, Demo, Side, write_whole

__all__ = ["FAULTS", "break_it", "mend"]

_DAMAGE: Final = b"\xff<damaged>\xff"
_ROWS_ALTERED: Final = (17, 4_711, 11_993)


def break_it(demo: Demo, fault: str) -> str:
    """Break something real; return what, in one sentence. Raise `DemoError` where there is nothing to break."""
    return FAULTS[fault](demo)


def _down(demo: Demo) -> str:
    side = demo.live_side()
    pid = recorded(demo, side)
    if pid is None:
        raise DemoError(f"the {side} service does not run, so it cannot be killed")
    os.kill(pid, signal.SIGKILL)
    limit = time.monotonic() + 5
    while recorded(demo, side) == pid and time.monotonic() < limit:
        time.sleep(0.01)
    return f"the process of the live service ({side}, pid {pid}) was killed"


def _disk(demo: Demo) -> str:
    side = demo.live_side()
    pages = shop_store.compact(demo.store(side))
    write_whole(demo.quota(side), f"{pages}\n")
    return f"the live store ({side}) has reached its quota of {pages} pages: what needs new room fails"


def _slow(demo: Demo) -> str:
    side = demo.live_side()
    dropped = ["orders_by_customer", *([shop_store.MISSING_INDEX] if side == "new" else [])]
    with shop_store.connect(demo, side) as opened:
        for index in dropped:
            opened.execute(f"DROP INDEX IF EXISTS {index}")
    return f"the live store ({side}) lost {' and '.join(dropped)}: lookups read whole tables"


def _corrupt(demo: Demo) -> str:
    rows = _copied_rows(demo)
    if rows:
        _note(demo, {"rows": rows})
        with shop_store.connect(demo, "new") as new:
            for number, _ in rows:
                new.execute("UPDATE orders SET status = 'lost' WHERE id = ?", (number,))
        return f"{len(rows)} rows of orders in the new store were altered behind the copy"
    backup = _newest_backup(demo)
    offset = backup.stat().st_size // 2
    with backup.open("r+b") as file:
        file.seek(offset)
        before = file.read(len(_DAMAGE))
        if before != _DAMAGE:
            _note(demo, {"backup": str(backup.relative_to(demo.directory)), "offset": offset, "bytes": before.hex()})
        file.seek(offset)
        file.write(_DAMAGE)
    return f"the backup {backup.relative_to(demo.directory)} was damaged at byte {offset}"


def _copied_rows(demo: Demo) -> list[tuple[int, str]]:
    """Return the rows to alter with what they hold; none where nothing has been copied yet."""
    if not (demo.store("new").exists() and demo.store("old").exists()):
        return []
    with shop_store.connect(demo, "new") as new:
        found = (new.execute("SELECT id, status FROM orders WHERE id = ?", (n,)).fetchone() for n in _ROWS_ALTERED)
        return [(int(row[0]), str(row[1])) for row in found if row and row[1] != "lost"]


def _newest_backup(demo: Demo) -> Path:
    found = sorted(demo.backups.glob("*/old.sqlite"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise DemoError("there is no backup to damage")
    return found[-1]


FAULTS: Final[dict[str, Callable[[Demo], str]]] = {"corrupt": _corrupt, "slow": _slow, "down": _down, "disk": _disk}


def _note(demo: Demo, entry: dict[str, Any]) -> None:
    write_whole(demo.fault_file, json.dumps([*_noted(demo), entry]) + "\n")


def _noted(demo: Demo) -> list[dict[str, Any]]:
    try:
        noted = json.loads(demo.fault_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return noted if isinstance(noted, list) else []


def mend(demo: Demo) -> list[str]:
    """Undo every fault that there may be and start what has ended; return what was done."""
    done = []
    for entry in reversed(_noted(demo)):
        if "rows" in entry and demo.store("new").exists():
            with shop_store.connect(demo, "new") as new:
                for number, status in entry["rows"]:
                    new.execute("UPDATE orders SET status = ? WHERE id = ? AND status = 'lost'", (status, number))
            done.append("the altered rows are as they were")
        elif "backup" in entry and (demo.directory / entry["backup"]).exists():
            with (demo.directory / entry["backup"]).open("r+b") as file:
                file.seek(entry["offset"])
                if file.read(len(_DAMAGE)) == _DAMAGE:
                    file.seek(entry["offset"])
                    file.write(bytes.fromhex(entry["bytes"]))
                    done.append(f"{entry['backup']} is as it was")
    demo.fault_file.unlink(missing_ok=True)
    for side in SIDES:
        if demo.quota(side).exists():
            demo.quota(side).unlink()
            done.append(f"the {side} store has room again")
        if demo.store(side).exists():
            done += _make_indexes(demo, side, with_missing=side == "new" and demo.live() == "new")
            if recorded(demo, side) is None:
                done.append(f"the {side} service is running again, pid {start(demo, side)}")
    if recorded(demo, "door") is None:
        done.append(f"the front door is open again, pid {start(demo, 'door')}")
    return done or ["nothing was broken"]


def _make_indexes(demo: Demo, side: Side, with_missing: bool) -> list[str]:
    with shop_store.connect(demo, side) as opened:
        before = _indexes(opened)
        opened.execute("CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id)")
        if with_missing:
            shop_store.make_index(opened)
        made = _indexes(opened) - before
    return [f"the {side} store has its index {name} again" for name in sorted(made)]


def _indexes(opened: sqlite3.Connection) -> set[str]:
    return {str(row[0]) for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
