"""What is written for the operator alone stays so: whatever the umask, whoever laid a link there before."""

import asyncio
import fcntl
import logging
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchover.agent.process.agent_log import open_log
from switchover.agent.process.agent_record import AgentLock
from switchover.clock import SystemClock
from switchover.errors import JournalError, StateError, SwitchoverError
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.checkpoints import Checkpoint, note_checkpoint, read_checkpoints
from switchover.migration.journal.run_lock import RunLock, read_holder
from switchover.migration.journal.sqlite_journal import Journal
from switchover.private_files import make_private_dir, open_private, read_private, replace_private

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o177, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("untouched")
    return path


@pytest.mark.usefixtures("umask")
def test_folders_are_0700_and_files_0600_whatever_the_umask(tmp_path: Path) -> None:
    ensure_private_dir(tmp_path / "one" / "two" / "three")
    assert [_mode(tmp_path / path) for path in ("one", "one/two", "one/two/three")] == [0o700] * 3
    os.close(open_private(tmp_path / "one" / "file", _WRITE))
    replace_private(tmp_path / "one" / "whole", b"text")
    assert [_mode(tmp_path / "one" / name) for name in ("file", "whole")] == [0o600] * 2
    assert read_private(tmp_path / "one" / "whole") == b"text"
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"two", "file", "whole"}


@pytest.mark.usefixtures("umask")
def test_a_journal_is_private_whatever_the_umask(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "state" / "journal.sqlite", SystemClock())
    assert journal is not None
    with journal:
        made = {path.name: _mode(path) for path in (tmp_path / "state").iterdir()}
    assert made["journal.sqlite"] == 0o600
    assert set(made.values()) == {0o600}
    assert _mode(tmp_path / "state") == 0o700


def test_a_file_that_was_readable_by_others_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o644)
    (tmp_path / "file").chmod(0o644)
    os.close(open_private(tmp_path / "file", _WRITE))
    assert _mode(tmp_path / "file") == 0o600


def test_a_link_is_not_followed(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("link", "dangling"):
        for flags in (_WRITE, os.O_RDONLY, os.O_RDWR):
            with pytest.raises(OSError, match="symbolic link"):
                open_private(tmp_path / name, flags)
    replace_private(tmp_path / "link", b"mine")
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "link").is_symlink()


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    for name, flags in (("pipe", os.O_RDONLY), ("pipe", os.O_RDWR), ("pipe", _WRITE), ("socket", os.O_RDONLY)):
        with pytest.raises(OSError, match=r"no regular file|No such device"):
            open_private(tmp_path / name, flags)
    with pytest.raises(IsADirectoryError):
        open_private(tmp_path, _WRITE)


def test_what_is_opened_is_inherited_by_nobody_and_waits_as_files_do(tmp_path: Path) -> None:
    descriptor = open_private(tmp_path / "file", _WRITE)
    try:
        assert not os.get_inheritable(descriptor)
        assert not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        os.close(descriptor)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_a_folder_and_a_link_of_another_user_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("theirs")
    (tmp_path / "folder").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("file", "folder", "link"):
        os.lchown(tmp_path / name, 65534, 65534)
    with pytest.raises(PermissionError, match="another user"):
        open_private(tmp_path / "file", os.O_RDWR)
    assert read_private(tmp_path / "file") == b"theirs"  # reading is no danger, unless it is believed
    with pytest.raises(PermissionError, match="another user"):
        read_private(tmp_path / "file", only_ours=True)
    for name in ("folder", "link"):
        with pytest.raises(StateError, match="another user"):
            ensure_private_dir(tmp_path / name)


def test_a_link_of_ours_to_a_folder_of_ours_is_a_place_for_the_state(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(0o700)
    (tmp_path / "state").symlink_to(tmp_path / "disk")
    make_private_dir(tmp_path / "state" / "workspaces")
    assert (tmp_path / "disk" / "workspaces").is_dir()


def test_heads_locks_journals_and_logs_write_through_no_link(tmp_path: Path, victim: Path) -> None:
    workspace = Workspace(tmp_path / "state", None)
    ensure_private_dir(workspace.directory)
    heads = workspace.directory / "heads"
    for path in (heads, workspace.lock, workspace.agent_lock, workspace.agent_log, workspace.journal):
        path.symlink_to(victim)
    note_checkpoint(heads, Checkpoint("1", 1, "x", 0.0, "RunEnded"))
    with pytest.raises(ValueError, match="symbolic link"):
        read_checkpoints(heads)
    assert read_holder(workspace.lock) is None
    operator = Operator("ann", "h", "pts/1")
    for act, kind in (
        (lambda: asyncio.run(RunLock(workspace, "t").acquire(operator)), StateError),
        (lambda: AgentLock.acquire(workspace), StateError),
        (lambda: open_log(workspace.agent_log, str), OSError),
        (lambda: Journal.open(workspace.journal, SystemClock()), JournalError),
    ):
        with pytest.raises(kind) as caught:
            act()
        said = caught.value.title if isinstance(caught.value, SwitchoverError) else str(caught.value)
        assert "symbolic link" in said
    assert victim.read_text() == "untouched"


def test_each_part_of_the_log_is_private_and_none_is_written_through_a_link(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]
    level, raises = logging.getLogger().level, logging.raiseExceptions
    handler = open_log(tmp_path / "agent.log", str)
    try:
        for number in range(300):
            logging.getLogger("switchover").error("%d %s", number, "x" * 10_000)
        parts = sorted(tmp_path.iterdir())
        assert len(parts) == 3
        assert {_mode(path) for path in parts} == {0o600}
    finally:
        for one in set(logging.getLogger().handlers) - set(before):
            logging.getLogger().removeHandler(one)
        handler.close()
        logging.getLogger().setLevel(level)
        logging.getLogger("switchover").setLevel(logging.NOTSET)
        logging.raiseExceptions = raises
