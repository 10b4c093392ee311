"""The agent's sockets, and who is at the other end of one."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from pathlib import Path
from typing import Any

from switchover.errors import StateError
from switchover.locations import ensure_private_dir

__all__ = ["account_name", "bind_socket", "peer_of"]

_PEER_CREDENTIALS = struct.Struct("3i")


def peer_of(line: Any) -> tuple[int, int]:
    """Return the process and the account at the other end, as the kernel knows them."""
    if line is None:
        return 0, -1
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    pid, uid, _ = _PEER_CREDENTIALS.unpack(credentials)
    return pid, uid


def account_name(uid: int) -> str:
    """Return what an account is called."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def bind_socket(path: Path, *, private: bool = True) -> tuple[socket.socket, int]:
    """Return a socket that listens at `path`, and the inode of that file. Raise `StateError`."""
    if private:
        _private_socket_folder(path.parent)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(64)
        return listener, path.stat().st_ino
    except OSError as error:
        listener.close()
        raise StateError(
            f"cannot make the socket {path}: {error.strerror or error}", "see `switchover doctor`"
        ) from error


def _private_socket_folder(folder: Path) -> None:
    """Make sure that nobody else can reach into the socket's folder. Raise `StateError`."""
    ensure_private_dir(folder)
    if folder.is_symlink():
        raise StateError(f"{folder} is a symbolic link", "remove it; the agent's socket needs a folder of its own")
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
