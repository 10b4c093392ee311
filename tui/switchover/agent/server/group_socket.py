"""A second socket, for the people of one group: there they may confirm a step, nothing else.

The kernel says which account speaks (SO_PEERCRED), so a name that somebody gives themselves counts for nothing here.
"""

from __future__ import annotations

import grp
import os
from pathlib import Path

from switchover.commands.gates import ConfirmStep
from switchover.errors import StateError, UsageError
from switchover.locations import Workspace, group_socket_folder
from switchover.private_files import read_private, replace_private

__all__ = ["GUEST_METHODS", "choose_group", "chosen_group", "make_group_socket_folder"]

GUEST_METHODS = frozenset({"hello", "agent.status", ConfirmStep.name})


def choose_group(workspace: Workspace, name: str) -> None:
    """Remember for this and later agents which group the second socket is for; an empty name closes it.

    Raise `UsageError`.
    """
    path = workspace.directory / "group"
    if not name:
        path.unlink(missing_ok=True)
        return
    _gid(name)
    replace_private(path, f"{name}\n".encode())


def chosen_group(workspace: Workspace) -> str:
    """Return the group that the second socket is for; empty where there is none."""
    try:
        return read_private(workspace.directory / "group").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def make_group_socket_folder(workspace: Workspace, group: str) -> tuple[Path, int]:
    """Make the folder of the group socket, open to the group alone. Return the socket's path and the group's id."""
    gid = _gid(group)
    path = group_socket_folder(os.getuid(), workspace.plan)
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        stat = folder.lstat()
        if folder.is_symlink() or stat.st_uid != os.getuid():
            raise StateError(f"{folder} belongs to another user", "remove it, or have it removed")
        os.chown(folder, -1, gid)
        folder.chmod(0o710)
    except OSError as error:
        raise StateError(
            f"cannot open {folder} to the group {group}: {error.strerror}", f"you have to be a member of {group}"
        ) from error
    return path, gid


def _gid(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise UsageError(f"there is no group {name!r}", "name one that both of you are members of") from None
