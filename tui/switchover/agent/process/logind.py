"""Will logind end the agent when its user logs out? Read from its configuration and from the agent's own place."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Logind", "escape_prefix", "read_logind"]

_FOLDERS = ("usr/lib/systemd/logind.conf.d", "usr/local/lib/systemd/logind.conf.d", "run/systemd/logind.conf.d",
            "etc/systemd/logind.conf.d")  # fmt: skip
_YES = frozenset({"yes", "true", "on", "1"})


@dataclass(frozen=True, slots=True)
class Logind:
    """What logind does at logout. `kills`: ends the user's processes; `lingers`: services outlive the login."""

    present: bool
    kills: bool
    lingers: bool
    in_session: bool

    @property
    def warning(self) -> str:
        """Why this process would not outlive the login, and what to do; empty where it would."""
        if not self.kills or (self.lingers and not self.in_session):
            return ""
        where = "this login session" if self.in_session else "the user's services, which end with the last login"
        return (
            f"logind ends the agent at logout: KillUserProcesses=yes, and it runs in {where}; "
            "`loginctl enable-linger` keeps it alive"
        )


def read_logind(root: Path = Path("/"), ask: Callable[[], bool | None] | None = None) -> Logind:
    """Learn it. `ask` asks logind itself and returns None where it cannot: defaults differ between systems."""
    present = (root / "run/systemd/system").is_dir()
    user = _user_name()
    settings = _settings(root)
    word = settings.get("KillUserProcesses")
    kills = present and (word.lower() in _YES if word is not None else bool((ask or _ask_logind)()))
    only = settings.get("KillOnlyUsers", "").split()
    excluded = settings.get("KillExcludeUsers", "root").split()
    if user in excluded or (only and user not in only):
        kills = False
    lingers = (root / "var/lib/systemd/linger" / user).exists()
    return Logind(present, kills, lingers, "/session-" in _own_group(root))


def escape_prefix(logind: Logind, which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return what to put before a command so that logind lets it live; empty where none is needed or helps."""
    if not logind.kills or not logind.in_session:
        return []
    runner = which("systemd-run")
    return [runner, "--user", "--scope", "--quiet", "--collect", "--"] if runner else []


def _settings(root: Path) -> dict[str, str]:
    found: dict[str, Path] = {}
    for folder in _FOLDERS:  # a later folder wins over a file of the same name in an earlier one
        found.update({p.name: p for p in (root / folder).glob("*.conf")})
    files = [root / "etc/systemd/logind.conf", *(found[name] for name in sorted(found))]
    settings: dict[str, str] = {}
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            name, equals, value = line.partition("=")
            if equals and not name.lstrip().startswith(("#", ";")):
                settings[name.strip()] = value.strip()
    return settings


def _ask_logind() -> bool | None:
    command = ["busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
               "org.freedesktop.login1.Manager", "KillUserProcesses"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() == "b true" if done.returncode == 0 else None


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _own_group(root: Path) -> str:
    try:
        return (root / "proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return ""
