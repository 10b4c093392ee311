"""A host with 1,000 processes and 500 units on the Services tab, beside a bare Textual table of as many rows."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.support.recorder import Recorder, usage
from tests.bench.support.table import print_table

_HERE = Path(__file__).parent
_ROUNDS = 5
_KEYS = 60
_ENV = {"PYTHONPATH": str(_HERE.parents[1])}
_WATCHED = 40  # columns at the left that the cursor marks


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
        ours = [sys.executable, "-m", "tests.bench.many_rows", f"{scratch}/log"]
        bare = [sys.executable, str(_HERE / "support" / "bare_table.py"), "1505"]
        rows = []
        for size in ((80, 24), (200, 50)):
            for name, argv, first, open_tab, filters in (
                ("switchover, Services", ours, "Overview", "2", True),
                ("bare Textual table", bare, "", "", False),
            ):
                label = f"{name} {size[0]}x{size[1]}"
                rows.append((label, *_measure(argv, size, first, open_tab, filters=filters)))
    print_table(
        "1,505 services: 1,000 processes, 500 units, a Compose project; all told anew each second",
        ("", "first rows", "key to paint", "p95", "bytes a key", "filter", "CPU at rest", "RSS"),
        rows,
        f"Medians of {_ROUNDS} starts; {_KEYS} cursor keys. First rows: from the key that opens the tab (for the bare"
        " table: from the first frame). Aims: first rows 300 ms, key p95 10 ms.",
    )


def _measure(argv: Sequence[str], size: tuple[int, int], first: str, open_tab: str, *, filters: bool) -> Sequence[str]:
    shown = []
    for _ in range(_ROUNDS):
        with Recorder(argv, size, _ENV) as seen:
            if not open_tab:
                seen.watch_for("check 1")
                took = seen.seconds_until(lambda screen: "check 1" in "\n".join(screen.display), seen.pieces[0][0])
            else:
                seen.watch_for(first)
                seen.watch_until_quiet(0.3, 3.0)
                pressed = seen.send(open_tab)
                seen.watch(1.0)
                took = seen.seconds_until(lambda screen: "unit-007" in "\n".join(screen.display), pressed)
            shown.append(took or float("nan"))
    with Recorder(argv, size, _ENV) as seen:
        seen.watch(4.0)
        if open_tab:
            seen.send(open_tab)
        seen.watch(2.0)
        cpu, _, _ = usage(seen.pid)
        seen.watch(5.0)
        after, resident, _ = usage(seen.pid)
        median, worst, count = _keys(seen)
        filtered = _filter(seen) if filters else "–"
    return (
        f"{statistics.median(shown) * 1000:.0f} ms",
        median,
        worst,
        count,
        filtered,
        f"{(after - cpu) / 5.0:.1%}",
        f"{resident:.0f} MB",
    )


def _keys(seen: Recorder) -> tuple[str, str, str]:
    moments, sizes = [], []
    for number in range(_KEYS):
        seen.watch_until_quiet(0.08, 2.0)
        before = seen.count
        moments.append(seen.send("\x1b[A" if number // 20 % 2 else "\x1b[B"))  # down beyond what is shown, and back
        seen.watch(0.12)
        sizes.append(seen.count - before)
    states = seen.replay(
        lambda screen: [tuple(screen.buffer[y][x] for x in range(_WATCHED)) for y in range(screen.lines)],
        moments[0] - 5,
    )
    times = []
    for moment in moments:
        state = next((found for at, found in reversed(states) if at < moment), None)
        changed = next((at for at, found in states if at >= moment and found != state), None)
        if changed is not None and changed - moment < 0.12:
            times.append((changed - moment) * 1000)
    times.sort()
    if len(times) < _KEYS // 2:
        return "–", "–", "–"
    worst = times[int(0.95 * (len(times) - 1))]
    return f"{statistics.median(times):.1f} ms", f"{worst:.1f} ms", f"{statistics.median(sizes):.0f}"


def _filter(seen: Recorder) -> str:
    """Return how long a letter of the filter takes until the list is the shorter one."""
    seen.send("/")
    seen.watch(0.4)
    seen.send("unit-49")
    seen.watch(0.6)
    pressed = seen.send("9")
    seen.watch(0.5)
    took = seen.seconds_until(lambda screen: "unit-498" not in "\n".join(screen.display), pressed)
    seen.send("\x1b")
    seen.watch(0.3)
    return f"{took * 1000:.0f} ms" if took is not None else "–"


def main() -> int:
    """Show the screens on a busy host that is told anew each second."""
    import asyncio
    import time
    from collections.abc import AsyncIterator
    from dataclasses import replace

    from tests.support.ui_samples import LIVE, FakeSource
    from tests.support.ui_services import many

    from switchover.snapshot import Snapshot
    from switchover.ui.app.bridge import ActionFailed, Update
    from switchover.ui.app.opening import show

    class Busy(FakeSource):
        async def snapshots(self, on_action_failed: ActionFailed) -> AsyncIterator[Update]:
            self.on_action_failed = on_action_failed
            yield LIVE
            sample, seq = _now(many(), time.time()), 1
            while True:
                sample = replace(_now(sample, time.time()), seq=seq)
                yield sample
                seq += 1
                await asyncio.sleep(1.0)

    def _now(sample: Snapshot, now: float) -> Snapshot:
        found = tuple(replace(row, observed_at=now) for row in sample.found)
        return replace(sample, at=now, found=found)

    return show(Busy, Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
