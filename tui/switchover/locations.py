"""Where things lie: the state root, one workspace a plan, the agent's socket."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from switchover.errors import StateError, UsageError
from switchover.private_files import make_private_dir
from switchover.settings import JournalAddress, load_settings, settings_path

__all__ = ["Workspace", "ensure_private_dir", "group_socket_folder", "host_registry", "state_root", "workspace_for"]

_PLACEHOLDER = re.compile(r"`switchover((?: [a-z-]+){0,2}) PLAN\b")
_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes with its end


def state_root(chosen: str | None = None) -> Path:
    """Return the state directory: `--state`, `SWITCHOVER_STATE`, or `switchover` under the XDG state directory."""
    if chosen:
        return Path(chosen).absolute()
    if named := os.environ.get("SWITCHOVER_STATE"):
        return Path(named).absolute()
    xdg = os.environ.get("XDG_STATE_HOME", "")
    base = Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".local" / "state"
    return base / "switchover"


@dataclass(frozen=True, slots=True)
class Workspace:
    """All that belongs to one plan on this machine. `plan` is None where only the host is watched.

    `shared` is the database that keeps the journal in place of the file here. What steps write lies here all the same.
    `registry` is where all accounts of the host see whose run goes on; None is the one of this host. A plan that
    was moved goes on in the `folder` in which its run began.
    """

    root: Path
    plan: Path | None
    shared: JournalAddress | None = field(default=None)
    registry: Path | None = field(default=None, compare=False)
    folder: str = ""  # where it is not the one of this file: its run began when the plan lay elsewhere

    def command(self, verb: str) -> str:
        """Return a verb for this plan as a command that works as it is printed."""
        words = ["switchover", *verb.split(), *([str(self.plan)] if self.plan is not None else [])]
        words += ["--state", str(self.root)] if self.root != state_root() else []
        return shlex.join([*words, *self._journal_option()])

    def fill_in(self, text: str) -> str:
        """Put this plan's own commands in the place of `switchover VERB PLAN`: they work as printed."""
        if self.plan is None:
            return text
        return _PLACEHOLDER.sub(lambda found: f"`{self.command((found[1] or '').strip())}", text)

    def _journal_option(self) -> list[str]:
        """Return what another command has to be told to find the same journal. A password is never printed."""
        usual = None
        with suppress(UsageError):
            usual = load_settings(settings_path(os.environ)).journal
        if self.plan is None or self.shared == usual or (self.shared is not None and self.shared.has_password):
            return []
        return ["--journal", self.shared.shown if self.shared is not None else "sqlite"]

    @property
    def key(self) -> str:
        """The folder's name: the plan file's stem, a digest of its real path, and one of a journal elsewhere.

        Runs are numbered by their journal, so two journals must not put the outputs of their runs into one folder.
        """
        if self.folder:
            return self.folder
        if self.plan is None:
            return "host"
        digest = hashlib.sha256(os.fsencode(self.plan)).hexdigest()[:12]
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", self.plan.stem)[:40] or "plan"
        journal = "-" + hashlib.sha256(self.shared.identity.encode()).hexdigest()[:8] if self.shared else ""
        return f"{stem}-{digest}{journal}"

    @property
    def directory(self) -> Path:
        """The folder with journal, runs, lock and logs."""
        return self.root / "workspaces" / self.key

    @property
    def seal_key(self) -> Path:
        """The key of what steps captured and nobody may read. It lies in no workspace, so copies of those lack it."""
        return self.root / "seal.key"

    @property
    def journal(self) -> Path:
        """The SQLite journal of all runs of this plan."""
        return self.directory / "journal.sqlite"

    @property
    def journal_name(self) -> str:
        """What a person calls the journal: its file, or the address of the database without any password."""
        return self.shared.shown if self.shared is not None else str(self.journal)

    @property
    def operations(self) -> Path:
        """The SQLite journal of what was done outside of runs."""
        return self.directory / "operations.sqlite"

    @property
    def alerts(self) -> Path:
        """The outbox of notices, with how alerts stand (SQLite)."""
        return self.directory / "alerts.sqlite"

    @property
    def unseen(self) -> Path:
        """What a person has yet to see of a host without a plan (JSON)."""
        return self.directory / "unseen.json"

    @property
    def check_memory(self) -> Path:
        """What checks remember from one look to the next (JSON)."""
        return self.directory / "check_memory.json"

    @property
    def pushed(self) -> Path:
        """The folder with what jobs reported by `switchover push`, a file a check."""
        return self.directory / "pushed"

    @property
    def lock(self) -> Path:
        """The lock that the driver of a run holds."""
        return self.directory / "run.lock"

    @property
    def agent_log(self) -> Path:
        """Where the agent writes its own diagnostics."""
        return self.directory / "agent.log"

    @property
    def agent_record(self) -> Path:
        """Who the agent is: pid, start time, version, socket (JSON)."""
        return self.directory / "agent.json"

    @property
    def agent_lock(self) -> Path:
        """Held by the one agent of this workspace for as long as it lives."""
        return self.directory / "agent.lock"

    @property
    def applications(self) -> Path:
        """What applications told the agent (SQLite)."""
        return self.directory / "applications.sqlite"

    @property
    def telemetry(self) -> Path:
        """What was measured, for thirty days (SQLite)."""
        return self.directory / "telemetry.sqlite"

    @property
    def api_token(self) -> Path:
        """The token of the agent's API on a TCP port."""
        return self.directory / "api.token"

    @property
    def socket(self) -> Path:
        """The agent's socket: in the runtime directory, else beside the state, else (path too long) a temporary one."""
        return self._socket("agent", ".sock")

    @property
    def api_socket(self) -> Path:
        """The socket of the agent's HTTP API, beside its own."""
        return self._socket("api", ".api.sock")

    def _socket(self, name_here: str, suffix: str) -> Path:
        name = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16] + suffix
        candidates = []
        if runtime := os.environ.get("XDG_RUNTIME_DIR"):
            candidates.append(Path(runtime) / "switchover" / name)
        candidates.append(self.directory / f"{name_here}.sock")
        for path in candidates:
            if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and (path.parent.parent.is_dir() or path.parent.is_dir()):
                return path
        return Path(tempfile.gettempdir()) / f"switchover-{os.getuid()}" / name

    def run_directory(self, run_id: str) -> Path:
        """Where a run keeps its steps' output and exit records."""
        return self.directory / "runs" / run_id


def workspace_for(root: Path, plan: Path | None, shared: JournalAddress | None = None) -> Workspace:
    """Return the workspace of `plan` (symbolic links resolved, so that one file has one workspace)."""
    return Workspace(root, plan.resolve() if plan is not None else None, shared if plan is not None else None)


def group_socket_folder(owner_uid: int, plan: Path | None) -> Path:
    """Return where the people of a group find the agent of another user: the same place for all of them."""
    name = hashlib.sha256(os.fsencode(plan) if plan is not None else b"host").hexdigest()[:16]
    return Path("/tmp") / f"switchover-door-{owner_uid}" / f"{name}.sock"  # noqa: S108 - TMPDIR differs between users


def host_registry(environ: Mapping[str, str]) -> Path | None:
    """Return the folder where all accounts of this host see whose run is going on. None where none is fit.

    The settings name it. Else it is the first folder of root that every host has, where nobody can remove what is not
    theirs.
    """
    if (chosen := load_settings(settings_path(environ)).registry) is not None:
        return chosen
    for path in (Path("/var/tmp"), Path("/tmp")):  # noqa: S108 - the same for all accounts
        with suppress(OSError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and found.st_mode & stat.S_IWOTH:
                return path
    return None


def ensure_private_dir(path: Path) -> Path:
    """Make `path` with mode 0700 where it is missing. Raise `StateError` where it cannot be or is another user's."""
    try:
        make_private_dir(path)
    except OSError as error:
        raise StateError(
            f"cannot use the state directory {path}: {error.strerror}",
            "free space or choose another one with --state DIR",
        ) from error
    return path
