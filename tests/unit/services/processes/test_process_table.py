from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from switchover.services.processes.process_names import short_name
from switchover.services.processes.process_ports import Listeners, _address
from switchover.services.processes.process_table import ProcessFactsCache, _group_of, parse_stat, read_row, read_rows


def stat(name: bytes, flags: bytes = b"4194560") -> bytes:
    head = b"42 (%s) S 7 42 42 0 -1 %s 1 0 0 0 5 3 0 0 20 0 1 0 900 1000 25 " % (name, flags)
    return head + b"0 " * 27 + b"9\n"


@pytest.mark.parametrize("name", [b"api", b"a) R 1 (b", b"two words", b"\xff\xfe"])
def test_a_process_may_call_itself_anything_and_is_still_read(name: bytes) -> None:
    row = parse_stat(stat(name))
    assert (row.pid, row.state, row.parent, row.ticks, row.used, row.kernel) == (42, "S", 7, 900, 8, False)
    assert row.comm == name.decode("utf-8", "replace")
    assert row.memory_bytes == 25 * os.sysconf("SC_PAGE_SIZE")
    assert row.exit_status == 9


def test_threads_of_the_kernel_are_known_as_such() -> None:
    assert parse_stat(stat(b"kworker", flags=b"2129984")).kernel


def test_the_table_holds_this_process_and_its_parent() -> None:
    rows = {row.pid: row for row in read_rows()}
    assert rows[os.getpid()].parent == os.getppid()
    assert rows[os.getpid()].ticks > 0


def test_a_pid_that_nobody_has_is_no_row() -> None:
    assert read_row(4194999) is None


@pytest.mark.parametrize(
    ("comm", "words", "name"),
    [
        ("python3", ("/usr/bin/python3", "-u", "/opt/shop/api.py", "--token=hunter2"), "python3 api.py"),
        ("python3.11", ("python3.11", "-m", "uvicorn", "app:main"), "python3.11 -m uvicorn"),
        ("uvicorn", ("/venv/bin/python", "/venv/bin/uvicorn", "app:main"), "python uvicorn"),
        ("python3", ("python3", "-c", "password='hunter2'"), "python3 -c"),
        ("python3", ("python3", "-W", "error", "job.py"), "python3 job.py"),
        ("sh", ("sh", "-c", "curl -H 'X: hunter2' http://x"), "sh -c"),
        ("sh", ("/bin/sh", "echo hunter2 | tee"), "sh"),
        ("bash", ("-bash",), "bash"),
        ("java", ("java", "-Dpass=hunter2", "-cp", "/a:/b", "com.example.Main", "hunter2"), "java com.example.Main"),
        ("java", ("java", "-Xmx1g", "-jar", "/opt/shop.jar"), "java shop.jar"),
        ("node", ("node", "--require", "/x/trace.js", "server.js"), "node server.js"),
        ("nginx", ("nginx: master process /usr/sbin/nginx",), "nginx: master process /usr/sbin/nginx"),
        ("postgres", ("postgres: checkpointer ",), "postgres: checkpointer"),
        ("redis-server", ("redis-server 127.0.0.1:6379",), "redis-server"),
        ("mysql", ("mysql", "-u", "root", "-phunter2"), "mysql"),
        ("kthreadd", (), "kthreadd"),
    ],
)
def test_a_process_is_called_by_program_and_script_and_never_by_what_it_was_told(
    comm: str, words: tuple[str, ...], name: str
) -> None:
    assert short_name(comm, words) == name
    assert "hunter2" not in name


@pytest.mark.parametrize(
    ("cgroup", "group"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n", "shop.service"),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", "session-2.scope"),
        ("12:cpu:/x\n0::/docker/" + "ab" * 32 + "\n", "container abababababab"),
        ("0::/system.slice/docker-" + "cd" * 32 + ".scope\n", "container cdcdcdcdcdcd"),
        ("0::/\n", ""),
        ("", ""),
    ],
)
def test_a_process_belongs_to_its_unit_or_container(cgroup: str, group: str) -> None:
    assert _group_of(cgroup) == group


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "*"),
        ("00000000000000000000000000000000", "*"),
        ("00000000000000000000000001000000", "[::1]"),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="written by a little-endian kernel")
def test_an_address_is_read_as_the_kernel_writes_it(text: str, address: str) -> None:
    assert _address(text) == address


def test_who_listens_is_known_and_forgotten_when_it_closes() -> None:
    listeners, own = Listeners(), {os.getpid()}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        listeners.probe(own, 0.0)
        assert f"127.0.0.1:{port}" in listeners.ports_of()[os.getpid()]
        assert listeners.holders_of(port) == own
    listeners.probe(own, 1.0)
    assert listeners.holders_of(port) is None


def test_a_socket_of_an_old_process_is_found_at_once_when_it_is_asked_for() -> None:
    listeners, own = Listeners(), {os.getpid()}
    listeners.probe(own, 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        listeners.probe(own, 1.0, wanted=port)
        assert listeners.holders_of(port) == own


def test_a_program_that_becomes_another_gets_another_name() -> None:
    word = "read x; exec sleep 1000"
    with subprocess.Popen(["sh", "-c", word], stdin=subprocess.PIPE) as process:
        try:
            book = ProcessFactsCache()
            row = read_row(process.pid)
            assert row is not None
            assert book.of(row).title in ("sh -c", "sh")
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
            while (row := read_row(process.pid)) is not None and row.comm != "sleep":
                pass
            assert row is not None
            assert book.of(row).title == "sleep"
        finally:
            process.kill()
