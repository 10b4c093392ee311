from __future__ import annotations

from pathlib import Path

import psutil

from switchover.hub.problems.diagnosis import OUTPUT_LIMIT, run_bounded


async def test_both_streams_come_back_in_order_with_the_exit_code(tmp_path: Path) -> None:
    command, exit_code, output = await run_bounded("echo one; echo two >&2; echo three; exit 4", tmp_path)
    assert (command, exit_code, output) == ("echo one; echo two >&2; echo three; exit 4", 4, "one\ntwo\nthree\n")


async def test_it_runs_beside_the_plan_without_anything_to_read(tmp_path: Path) -> None:
    assert (await run_bounded("pwd; cat", tmp_path))[1:] == (0, f"{tmp_path}\n")


async def test_a_command_that_does_not_end_is_cut_off_with_all_that_it_started(tmp_path: Path) -> None:
    command = "echo begun; (setsid sleep 4321 & echo $! > escaped.pid); echo $$ > shell.pid; sleep 4321"
    _, exit_code, output = await run_bounded(command, tmp_path, timeout_s=1.0)
    assert exit_code == 124
    assert output == "begun\n\n(cut off after 1.0 s)"
    for name in ("escaped.pid", "shell.pid"):
        pid = int((tmp_path / name).read_text())
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_what_a_command_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    await run_bounded("sleep 4321 & echo $! > left.pid", tmp_path)
    pid = int((tmp_path / "left.pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_too_much_output_is_thrown_away_and_said(tmp_path: Path) -> None:
    _, exit_code, output = await run_bounded("head -c 500000 /dev/zero | tr '\\0' x", tmp_path)
    assert exit_code == 0
    assert len(output) < OUTPUT_LIMIT + 100
    assert output.endswith(f"\n({500_000 - OUTPUT_LIMIT} more bytes were thrown away)")


async def test_secrets_are_taken_out_and_bad_bytes_do_no_harm(tmp_path: Path) -> None:
    redact = lambda text: text.replace("hunter2", "(secret)")  # noqa: E731
    assert (await run_bounded("printf 'hunter2 \\377'", tmp_path, redact=redact))[
        2
    ] == "(secret) \N{REPLACEMENT CHARACTER}"


async def test_a_folder_that_is_gone_is_said_and_nothing_runs(tmp_path: Path) -> None:
    _, exit_code, output = await run_bounded("echo here", tmp_path / "gone")
    assert exit_code == 127
    assert "No such file" in output
