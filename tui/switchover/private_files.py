"""Files of ours: made for the owner alone, and never opened through a link that somebody else may have laid.

Each refusal is an `OSError` whose `strerror` says what is wrong. Without pathlib, for processes that start fast.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

__all__ = ["make_private_dir", "open_private", "read_private", "replace_private"]

_FILE = 0o600
_FOLDER = 0o700


def open_private(path: str | os.PathLike[str], flags: int, *, only_ours: bool = True) -> int:
    """Open a regular file and return its descriptor; where `flags` make it, it gets mode 0600 whatever the umask.

    A symbolic link is refused, and so is anything that could block or is no file. With `only_ours`, a file of another
    account is refused too.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, _FILE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link", os.fspath(path)) from None
        raise
    try:
        found = os.fstat(descriptor)
        is_ours = found.st_uid == os.geteuid()
        _judge(os.fspath(path), found, may_be=is_ours or not only_ours)
        if flags & os.O_CREAT and is_ours and stat.S_IMODE(found.st_mode) != _FILE:
            os.fchmod(descriptor, _FILE)
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _judge(path: str, found: os.stat_result, *, may_be: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    if not may_be:
        raise OSError(errno.EPERM, f"it belongs to another user (uid {found.st_uid})", path)


def read_private(path: str | os.PathLike[str], most: int = 1 << 30, *, only_ours: bool = False) -> bytes:
    """Return what a file holds, at most so many bytes of it."""
    with os.fdopen(open_private(path, os.O_RDONLY, only_ours=only_ours), "rb") as file:
        return file.read(most)


def replace_private(path: str | os.PathLike[str], data: bytes, mode: int = _FILE) -> None:
    """Write a file whole and durable, or not at all. A link in its place is replaced, not followed."""
    folder, name = os.path.split(os.fspath(path))
    beside = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")  # noqa: PTH118
    try:
        with os.fdopen(open_private(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise


def make_private_dir(path: str | os.PathLike[str]) -> None:
    """Make a folder and what is missing above it, each with mode 0700 whatever the umask.

    One that is there must be ours. A link in its place must be ours or root's, because it says where we write.
    """
    path = os.fspath(path)
    if not os.path.lexists(path):
        above = os.path.dirname(path.rstrip("/"))  # noqa: PTH120
        if above and not os.path.isdir(above):  # noqa: PTH112
            make_private_dir(above)
        with suppress(FileExistsError):
            os.mkdir(path, _FOLDER)  # noqa: PTH102
            os.chmod(path, _FOLDER)  # noqa: PTH101
    way, found = os.lstat(path), os.stat(path)  # noqa: PTH116
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    if stat.S_ISLNK(way.st_mode) and way.st_uid not in (0, os.geteuid()):
        raise OSError(errno.EPERM, f"it is a link of another user (uid {way.st_uid})", path)
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, f"it belongs to another user (uid {found.st_uid})", path)
