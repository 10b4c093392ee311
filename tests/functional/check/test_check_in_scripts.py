"""`check` as scripts, CI and monitoring use it: its formats from the outside, and waiting."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]
Check = Callable[..., tuple[int, str, str]]

FINE = '{kind: command, command: "true"}'
WARNS = '{kind: disk, path: /, warn: "100%:"}'
FAILS = '{kind: command, command: "echo broken; false"}'


def test_it_is_a_monitoring_plugin_itself(check: Check, write: Write, tmp_path: Path) -> None:
    plan = write(a=FINE, b=FAILS)
    inner = f"{sys.executable} -m switchover check {plan} --format nagios"
    code, out, err = check(plan, "--format", "nagios")
    assert (code, err) == (2, "")
    assert out.startswith("SWITCHOVER CRITICAL - 1 crit, 1 ok: b: ")
    (tmp_path / "outer").mkdir()
    outer = tmp_path / "outer" / "plan.yaml"
    outer.write_text(
        f"schema: 1\nid: outer\ntitle: o\nchecks:\n  inner: {{kind: nagios, command: '{inner}', timeout: 1m}}\n"
    )
    _, out, _ = check(outer, "--format", "json")
    (only,) = json.loads(out)["checks"]
    assert (only["status"], [metric["name"] for metric in only["metrics"]]) == ("crit", ["a.time", "b.time"])


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "junit", "tap", "nagios", "markdown"])
def test_every_format_says_why(check: Check, write: Write, form: str) -> None:
    plan = write(a='{kind: command, command: "echo disk-quota-exceeded >&2; exit 3"}')
    code, out, _ = check(plan, "--format", form)
    assert code == 2
    assert "disk-quota-exceeded" in out


def test_a_broken_plan_is_unknown_in_the_words_of_a_plugin(check: Check, tmp_path: Path) -> None:
    code, out, err = check(tmp_path / "none.yaml", "--format", "nagios")
    assert (code, out.startswith("SWITCHOVER UNKNOWN - ")) == (3, True)
    assert "none.yaml" in out
    assert "none.yaml" in err


def test_waiting_ends_when_all_is_fine(check: Check, write: Write, tmp_path: Path) -> None:
    plan = write(a=FINE, b='{kind: command, command: "echo x >> n; test $(wc -l < n) -gt 2"}')
    code, out, err = check(plan, "--wait", "5m", "--every", "10ms")
    assert code == 0
    assert out.splitlines()[-1] == "2 checks: 2 ok"
    assert (tmp_path / "n").read_text() == "x\n" * 3
    (line,) = err.splitlines()  # a line each change only
    assert line.startswith("waiting for b (crit); ")
    assert line.endswith("left; b: exit: expected 0, observed exit code 1")


@pytest.mark.parametrize(
    ("spec", "code"),
    [('{kind: disk, path: /, crit: "100%:"}', 2), (WARNS, 1), ('{kind: command, command: "sleep 60"}', 3)],
)
def test_when_the_time_is_over_the_last_state_counts(check: Check, write: Write, spec: str, code: int) -> None:
    found, out, err = check(write(a='{kind: disk, path: /, crit: "1B:"}', b=spec), "--wait", "1s", "--every", "100ms")
    assert (found, [line for line in out.splitlines() if line.startswith("ok")] != []) == (code, True)
    assert "Traceback" not in err


def test_an_interrupted_wait_ends_in_good_order(write: Write) -> None:
    command = [sys.executable, "-m", "switchover", "check", str(write(a=WARNS)), "--wait", "1h", "--every", "1h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for a (warn); 1 h")
        process.send_signal(signal.SIGINT)
        written, said = process.communicate(timeout=60)
    assert (process.returncode, written, said) == (130, "", "switchover: interrupted\n")


@pytest.mark.parametrize(
    "words", [["--every", "5s"], ["--wait", "soon"], ["--wait", "0s"], ["--wait", "1m", "--every", "0"]]
)
def test_a_wait_that_means_nothing_is_refused(check: Check, write: Write, words: list[str]) -> None:
    code, out, err = check(write(a=FINE), *words)
    assert (code, out) == (3, "")
    assert "--" in err
