"""Time until the first frame stands on the screen, beside a bare Textual app in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.support.table import print_table
from tests.support.terminal import Terminal

_ROUNDS = 15
_LIMIT_S = 30.0
_BARE = Path(__file__).parent / "support" / "bare_app.py"


def _time_until(argv: list[str], markers: tuple[Callable[[Terminal], bool], ...], env: dict[str, str]) -> list[float]:
    """Return the seconds until each marker holds for the text on the screen."""
    began = time.perf_counter()
    times = []
    with Terminal(argv, columns=120, lines=40, env=env) as terminal:
        for marker in markers:
            terminal.wait_for(marker, _LIMIT_S)
            times.append(time.perf_counter() - began)
    return times


def _shows_live_data(terminal: Terminal) -> bool:
    return "demo" in terminal.text and "cpu" in terminal.text and "connecting" not in terminal.text


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
        env = {"SWITCHOVER_STATE": f"{scratch}/state"}
        program = [sys.executable, "-m", "switchover"]
        demo = f"{scratch}/demo"
        laid = subprocess.run(
            [*program, "demo", demo, "--headless"],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=True,
        )
        plan = laid.stdout.strip()
        bare, ours, live = [], [], []
        try:
            for turn in range(_ROUNDS + 1):
                first = _time_until([sys.executable, str(_BARE)], (lambda terminal: "bare app" in terminal.text,), env)
                second = _time_until(
                    [*program, plan],
                    (lambda terminal: "Overview" in terminal.text, _shows_live_data),
                    env,
                )
                if turn:  # the first round warms the caches and starts the agent
                    bare += first
                    ours.append(second[0])
                    live.append(second[1])
        finally:
            subprocess.run(
                [*program, "demo", demo, "--stop"], env={**os.environ, **env}, check=True, capture_output=True
            )
    base = statistics.median(bare)
    rows = [
        (
            name,
            f"{statistics.median(times) * 1000:.0f} ms",
            f"{min(times) * 1000:.0f} ms",
            f"{statistics.median(times) / base:.2f}",
        )
        for name, times in (
            ("bare Textual app, first frame", bare),
            ("switchover, first frame", ours),
            ("switchover, live data of a running agent", live),
        )
    ]
    print_table(
        "First frame at 120x40",
        ("", "median", "fastest", "ratio"),
        rows,
        f"{_ROUNDS} interleaved rounds. Aims: first frame at most 1.15 times the bare app, live data twice that.",
    )
