"""The log screen while a file grows by 50,000 lines a second: keys, bytes on the line, processor time."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
from tests.bench.support.flood import flooding
from tests.bench.support.recorder import Recorder, usage
from tests.bench.support.table import print_table

_RATES = (0, 1_000, 50_000)
_SIZES = ((80, 24), (200, 50))
_WATCH_S = 6.0
_KEYS = 40
_SLOW = 20_000.0
_RATE = re.compile(r"following · ([\d.]+)( k)? lines/s")
Look = Callable[[pyte.Screen], object]


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
        for size in _SIZES:
            rows = [_measure(Path(scratch), size, rate) for rate in _RATES]
            print_table(
                f"The log screen at {size[0]}x{size[1]}, a file that grows",
                ("lines/s written", "seen", "bytes/s", "CPU screens", "CPU agent", "key, moving", "key, following"),
                rows,
                f"{_WATCH_S:.0f} s followed, then {_KEYS} keys each, median / p95: up and down while paused; stopped"
                " and followed again in turn. Aim: p95 10 ms.",
            )  # fmt: skip
        behind, rate = _on_a_slow_line(Path(scratch), _SIZES[0])
        print_table(
            f"The same on a line of {_SLOW / 1000:.0f} KB/s at 80x24, 50,000 lines/s, an arrow key held for 2 s",
            ("", ""),
            [("bytes/s while following", f"{rate:.0f}"), ("behind when it is let go", f"{behind * 1000:.0f} ms")],
            "Aim: at most 100 ms behind.",
        )


@contextmanager
def _following(scratch: Path, size: tuple[int, int], rate: int, line: float = 0.0) -> Iterator[Recorder]:
    """Open the log screen on a file that grows."""
    here = scratch / "host"
    here.mkdir(exist_ok=True)
    log = here / "app.log"
    log.write_text("2026-01-28T12:00:00Z INFO begin\n" * 200, encoding="utf-8")
    env = {"SWITCHOVER_STATE": f"{scratch}/state", "SSH_CONNECTION": ""}
    program = [sys.executable, "-m", "switchover"]
    argv = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(here), *program]
    try:
        with flooding(log, rate), Recorder(argv, size, env, line) as seen:
            seen.watch_for("Overview")
            seen.watch(1.0)
            for keys, text in ((":", "do or open"), ("open a log", "open a log"), ("\r", "on this host"), ("\x15", "")):
                seen.send(keys)
                seen.watch_for(text)
                seen.watch(0.3)
            for keys in (str(log), "\r"):
                seen.send(keys)
                seen.watch(0.5)
            seen.watch_for("following")
            seen.watch(3.0)
            yield seen
            seen.send("q")
            seen.watch(0.3)
    finally:
        subprocess.run([*program, "agent", "stop"], cwd=here, env={**env, "PATH": "/usr/bin:/bin"}, check=False,
                       capture_output=True)  # fmt: skip


def _measure(scratch: Path, size: tuple[int, int], rate: int) -> tuple[str, ...]:
    with _following(scratch, size, rate) as seen:
        agent = _agent(scratch)
        screens, agents = usage(seen.pid)[0], usage(agent)[0]
        before = seen.count
        seen.watch(_WATCH_S)
        spent, spent_agent = usage(seen.pid)[0] - screens, usage(agent)[0] - agents
        bytes_s = (seen.count - before) / _WATCH_S
        said = [found for _, text in seen.replay(_title) if (found := _RATE.search(str(text)))]
        shown = f"{float(said[-1][1]) * (1000 if said[-1][2] else 1):.0f}" if said else "–"
        following = _press(seen, ["k", "f"], _stands)
        seen.send("k")
        seen.watch(0.5)
        moving = _press(seen, ["\x1b[A", "\x1b[A", "\x1b[A", "\x1b[B", "\x1b[B", "\x1b[B"], _cursor)
    shares = (f"{each / _WATCH_S:.0%}" for each in (spent, spent_agent))
    return f"{rate}", shown, f"{bytes_s:.0f}", *shares, moving, following


def _agent(scratch: Path) -> int:
    record = next((scratch / "state" / "workspaces").glob("*/agent.json"))
    return int(json.loads(record.read_text(encoding="utf-8"))["pid"])


def _title(screen: pyte.Screen) -> str:
    return screen.display[1]


def _stands(screen: pyte.Screen) -> object:
    return _cursor(screen) is None


def _cursor(screen: pyte.Screen) -> object:
    return next((row for row, text in enumerate(screen.display) if text.startswith("▌")), None)


def _press(seen: Recorder, keys: list[str], look: Look) -> str:
    """Press keys one by one; return the time until what is looked at has changed, which nothing else changes."""
    moments = []
    for number in range(_KEYS):
        moments.append(seen.send(keys[number % len(keys)]))
        seen.watch(0.13 + 0.007 * (number % 7))  # so that they do not beat with what is drawn a few times a second
    shown = seen.replay(look, moments[0] - 5)
    times = []
    for moment in moments:
        state = next((found for at, found in reversed(shown) if at < moment), None)
        changed = next((at for at, found in shown if at >= moment and found != state), None)
        if changed is not None and changed - moment < 0.13:
            times.append((changed - moment) * 1000)
    times.sort()
    if len(times) < _KEYS // 2:
        return "–"
    return f"{statistics.median(times):.1f} / {times[int(0.95 * (len(times) - 1))]:.1f} ms ({len(times)})"


def _on_a_slow_line(scratch: Path, size: tuple[int, int]) -> tuple[float, float]:
    with _following(scratch, size, _RATES[-1], _SLOW) as seen:
        before = seen.count
        seen.watch(_WATCH_S)
        rate = (seen.count - before) / _WATCH_S
        released = 0.0
        for number in range(63):
            released = seen.send("\x1b[A" if number // 5 % 2 == 0 else "\x1b[B")
            seen.watch(1 / 30)
        seen.watch(2.0)
        return seen.seconds_until_settled(_cursor, released), rate
