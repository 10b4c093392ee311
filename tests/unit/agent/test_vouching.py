"""Whom the agent vouches for: the kernel's word, seen through user namespaces and made-up ids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from switchover.agent.server.sockets import bind_socket, peer_of
from switchover.agent.server.vouching import vouched_uid

_KNOCK = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.recv(1)
"""


def _knock(folder: Path, *wrapped: str) -> tuple[int, int | None]:
    """Return the account that knocked through a wrapper, and the one that is vouched for."""
    listener, _ = bind_socket(folder / "door", private=False)
    knocking = subprocess.Popen([*wrapped, sys.executable, "-P", "-c", _KNOCK, str(folder / "door")])
    listener.settimeout(60)
    try:
        with listener, listener.accept()[0] as line:
            pid, uid = peer_of(line)
            return uid, vouched_uid(pid, uid)
    finally:
        knocking.wait()


def _can(*words: str) -> None:
    try:
        subprocess.run([*words, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{words[0]} does not work here")


def test_an_account_of_its_own_is_vouched_for(tmp_path: Path) -> None:
    assert _knock(tmp_path) == (os.getuid(), os.getuid())


def test_nobody_is_vouched_for_from_inside_of_a_user_namespace(tmp_path: Path) -> None:
    _can("unshare", "-r")
    assert _knock(tmp_path, "unshare", "-r")[1] is None


def test_made_up_ids_change_nothing(tmp_path: Path) -> None:
    _can("fakeroot")
    assert _knock(tmp_path, "fakeroot") == (os.getuid(), os.getuid())


def _process(proc: Path, pid: str, ids: str, mapped: str = "0 0 4294967295") -> None:
    (proc / pid).mkdir()
    (proc / pid / "uid_map").write_text(mapped)
    (proc / pid / "status").write_text(f"Name:\tx\nUid:\t{ids}\n")


def test_a_process_that_is_gone_or_another_by_now_is_vouched_for_by_nobody(tmp_path: Path) -> None:
    _process(tmp_path, "self", "1000\t1000\t1000\t1000")
    _process(tmp_path, "7", "1001\t1001\t1001\t1001")
    _process(tmp_path, "8", "1000\t1001\t1001\t1001")
    _process(tmp_path, "9", "1001\t1001\t1001\t1001", "0 1000 1")
    assert vouched_uid(7, 1001, tmp_path) == 1001
    assert [vouched_uid(pid, 1001, tmp_path) for pid in (0, 5, 8, 9)] == [None] * 4
    assert vouched_uid(7, 100_001, tmp_path) is None


def test_an_agent_inside_of_a_user_namespace_vouches_for_nobody(tmp_path: Path) -> None:
    _process(tmp_path, "self", "0\t0\t0\t0", "0 1000 1")
    _process(tmp_path, "7", "1001\t1001\t1001\t1001")
    assert vouched_uid(7, 1001, tmp_path) is None
