"""What the screens cost on the line, the processor and the memory, beside other terminal programs in the same run."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyte
from tests.bench.support.recorder import Recorder, usage
from tests.bench.support.ssh import serving_ssh
from tests.bench.support.table import print_table

SIZES = ((80, 24), (200, 50))
_START_ROUNDS = 7
_WATCH_S = 10.0
_KEYS = 30
_SLOW = 20_000.0
_DOWN, _UP = "\x1b[B", "\x1b[A"
_HERE = Path(__file__).parent


@dataclass
class Program:
    """Something to measure: `first` is a text of its first frame, `before` is typed once it stands there."""

    name: str
    argv: Sequence[str]
    first: str = ""
    live: str = ""
    before: str = ""
    keys: tuple[str, str] = (_DOWN, _UP)
    has_keys: bool = True
    env: dict[str, str] = field(default_factory=dict)
    warm_up_s: float = 2.5


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch, _demo(Path(scratch)) as (argv, env):
        bare = Program(
            "bare Textual app", [sys.executable, str(_HERE / "support" / "bare_app.py")], "bare app", has_keys=False
        )
        table = Program("bare Textual table", [sys.executable, str(_HERE / "support" / "bare_table.py")], "check 1")
        overview = Program("switchover, Overview", argv, "Overview", "cpu", env=env, has_keys=False)
        ours = [
            overview,
            Program("switchover, Checks", argv, "Overview", "cpu", before="3", env=env),
            Program("switchover, Metrics", argv, "Overview", "cpu", before="4", env=env),
            Program("switchover, Costs (nothing changes)", argv, "Overview", "cpu", before="5", env=env),
        ]
        _starts(bare, table, overview)
        others = list(_others())
        for size in SIZES:
            _at_rest(size, [*ours, bare, table, *others])
        for size in SIZES:
            _on_a_slow_line(size, [ours[1], table])
        _through(Path(scratch), argv, env)
        missing = {"htop", "btop", "glances"} - {other.name for other in others}
        if missing:
            sys.stdout.write(f"not installed, so not measured: {', '.join(sorted(missing))}\n")


@contextmanager
def _demo(scratch: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Lay down the demo with its agent running; give the command that opens the screens on it."""
    env = {"SWITCHOVER_STATE": f"{scratch}/state", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
    program = [sys.executable, "-m", "switchover"]
    whole = {**os.environ, **env}
    laid = subprocess.run(
        [*program, "demo", f"{scratch}/demo", "--headless"], env=whole, capture_output=True, text=True, check=True
    )
    argv = [*program, laid.stdout.strip()]
    try:
        with Recorder(argv, (120, 40), env) as first:  # starts the agent and warms the caches
            first.watch(6)
        yield argv, env
    finally:
        subprocess.run([*program, "demo", f"{scratch}/demo", "--stop"], env=whole, check=True, capture_output=True)


def _others() -> Iterator[Program]:
    for name in ("htop", "btop", "glances"):
        path = shutil.which(name)
        if path is not None:
            yield Program(name, [path], warm_up_s=5.0)


def _text(screen: pyte.Screen) -> str:
    return "\n".join(screen.display)


def _starts(bare: Program, table: Program, ours: Program) -> None:
    """Time until the first frame, and until live data of a running agent."""
    size = (120, 40)
    times: dict[str, list[float]] = {}
    for _ in range(_START_ROUNDS):
        for program in (bare, table, ours):
            with Recorder(program.argv, size, program.env) as seen:
                seen.watch(1.6)
                for what, text in (("first frame", program.first), ("live data", program.live)):
                    took = seen.seconds_until(lambda screen, text=text: text in _text(screen), seen.began)  # type: ignore[misc]
                    if text and took is not None:
                        times.setdefault(f"{program.name}: {what}", []).append(took)
    base = statistics.median(times[f"{bare.name}: first frame"])
    rows = [
        (
            name,
            f"{statistics.median(each) * 1000:.0f} ms",
            f"{min(each) * 1000:.0f} ms",
            f"{statistics.median(each) / base:.2f}",
        )
        for name, each in times.items()
    ]
    print_table(
        "Start at 120x40",
        ("", "median", "fastest", "ratio"),
        rows,
        f"{_START_ROUNDS} interleaved rounds. Aims: first frame at most 1.15 times the bare app, live data twice that.",
    )


def _at_rest(size: tuple[int, int], programs: Sequence[Program]) -> None:
    rows = [(program.name, *_measure(program, size)) for program in programs]
    print_table(
        f"At {size[0]}x{size[1]}",
        ("", "bytes/s", "CPU", "RSS", "PSS", "bytes a key", "key to paint", "p95"),
        rows,
        f"{_WATCH_S:.0f} s untouched, then {_KEYS} cursor keys. Aims: 800 bytes/s, 100 where nothing changes;"
        " 1 % CPU, 60 MB; 300 bytes a key, p95 10 ms.",
    )


def _measure(program: Program, size: tuple[int, int]) -> tuple[str, ...]:
    with Recorder(program.argv, size, program.env) as seen:
        seen.watch(program.warm_up_s)
        if program.before:
            seen.send(program.before)
            seen.watch(1.5)
        cpu, _, _ = usage(seen.pid)
        before = seen.count
        seen.watch(_WATCH_S)
        after, resident, proportional = usage(seen.pid)
        rate = (seen.count - before) / _WATCH_S
        at_rest = (f"{rate:.0f}", f"{(after - cpu) / _WATCH_S:.1%}", f"{resident:.0f} MB", f"{proportional:.0f} MB")
        if not program.has_keys:
            return (*at_rest, "–", "–", "–")
        return (*at_rest, *_press(seen, program.keys))


def _press(seen: Recorder, keys: tuple[str, str]) -> tuple[str, str, str]:
    """Press keys one by one, each in a quiet moment; return bytes a key, and the time until a cell has changed."""
    sizes, moments = [], []
    for number in range(_KEYS):
        seen.watch_until_quiet(0.08, 2.0)
        before = seen.count
        moments.append(seen.send(keys[number // 4 % 2]))
        seen.watch(0.12)
        sizes.append(seen.count - before)
    shown = seen.replay(
        lambda screen: [tuple(screen.buffer[y][x] for x in range(40)) for y in range(screen.lines)], moments[0] - 5
    )
    times = []
    for moment in moments:
        state = next((found for at, found in reversed(shown) if at < moment), None)
        changed = next((at for at, found in shown if at >= moment and found != state), None)
        if changed is not None and changed - moment < 0.12:
            times.append((changed - moment) * 1000)
    if len(times) < _KEYS // 2:
        return "–", "–", "–"
    times.sort()
    return (
        f"{statistics.median(sizes):.0f}",
        f"{statistics.median(times):.1f} ms",
        f"{times[int(0.95 * (len(times) - 1))]:.1f} ms",
    )


def _lag(program: Program, size: tuple[int, int], rate: float) -> tuple[float, int]:
    """Hold a key for two seconds; return by how much the screen is behind when it is let go, and the bytes."""
    with Recorder(program.argv, size, program.env, rate) as seen:
        seen.watch(program.warm_up_s + 1)
        if program.before:
            seen.send(program.before)
            seen.watch(1.5)
        before = seen.count
        released = 0.0
        for number in range(63):  # to and fro, and at last to a row that was not shown just before
            released = seen.send(program.keys[number // 5 % 2])
            seen.watch(1 / 30)
        held = seen.count - before
        seen.watch_until_quiet(0.6, 15.0)
        look = seen.seconds_until_settled(
            lambda screen: [tuple(screen.buffer[y][x] for x in range(2, 14)) for y in range(4, 17)], released
        )
        return look, held


def _on_a_slow_line(size: tuple[int, int], programs: Sequence[Program]) -> None:
    rows = []
    for program in programs:
        lags = [_lag(program, size, _SLOW) for _ in range(3)]
        behind = statistics.median(lag for lag, _ in lags) * 1000
        rows.append((program.name, f"{behind:.0f} ms", f"{statistics.median(held for _, held in lags) / 1000:.1f} KB"))
    print_table(
        f"A line of {_SLOW / 1000:.0f} KB/s at {size[0]}x{size[1]}, an arrow key held for 2 s",
        ("", "behind", "written meanwhile"),
        rows,
        "Medians of 3. Aim: at most 100 ms behind.",
    )


def _through(scratch: Path, argv: Sequence[str], env: dict[str, str]) -> None:
    """Measure the same through a real sshd and inside tmux."""
    size = (200, 50)
    rows = []
    words = shlex.join(argv)
    folder = scratch / "ssh"
    folder.mkdir()
    with serving_ssh(folder) as ssh:
        if ssh is not None:
            program = Program("through sshd, Checks", [*ssh, words], before="3", env=env)
            rows.append((program.name, *_far(program, size)))
    if shutil.which("tmux"):
        tmux = ["tmux", "-L", f"switchover-bench-{os.getpid()}", "-f", "/dev/null", "new-session", words]
        program = Program("inside tmux, Checks", tmux, before="3", env=env)
        rows.append((program.name, *_far(program, size)))
        subprocess.run([*tmux[:3], "kill-server"], check=False, capture_output=True)
    print_table(
        "Far away, at 200x50",
        ("", "bytes/s", "bytes a key", "key to paint", "p95", "behind at 20 KB/s"),
        rows,
        "Bytes and times as they arrive at the operator's terminal, behind the client.",
    )


def _far(program: Program, size: tuple[int, int]) -> tuple[str, ...]:
    rate, _, _, _, *keys = _measure(program, size)
    return rate, *keys, f"{_lag(program, size, _SLOW)[0] * 1000:.0f} ms"
