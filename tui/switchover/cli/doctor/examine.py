"""What `doctor` looks at: each function looks at one thing, quickly and without any network, and says how it stands."""

from __future__ import annotations

import locale
import os
import platform
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from switchover import __version__
from switchover.cli.doctor.examine_sources import examine_sources
from switchover.errors import SwitchoverError
from switchover.locations import Workspace, host_registry
from switchover.services.examination import Examination

__all__ = ["Examination", "examine"]

_LIBRARIES = ("textual", "httpx", "docker", "psutil", "boto3", "google-cloud-monitoring", "google-auth", "plotext",
              "ruamel.yaml", "pydantic", "msgspec", "psycopg")  # fmt: skip
_LITTLE_SPACE = 1 << 30
_TOO_LITTLE_SPACE = 50 << 20
_SLOW_SYNC_S = 0.05
_REMOTE_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})


_SCREEN_PROBE = (sys.executable, "-P", "-m", "switchover.terminal.screen_difference")
_PROBE_S = 20.0


def examine(
    root: Path,
    environ: Mapping[str, str],
    system: Path = Path("/"),
    probe_of_the_screen: Sequence[str] = _SCREEN_PROBE,
) -> Iterator[Examination]:
    """Look at everything, what is needed first. `system` is where the machine's own files begin."""
    yield _python()
    yield _libraries()
    yield _kernel()
    yield from _state_directory(root, system)
    yield _registry(environ)
    yield _socket(root)
    yield _agents(root)
    yield _logout(system)
    yield from _terminal(environ)
    yield _difference(probe_of_the_screen)
    yield from examine_sources(environ, system)
    yield _inotify(system)
    yield _open_files()


def _python() -> Examination:
    return Examination(
        "python", "ok", f"switchover {__version__} on Python {platform.python_version()}, {sys.executable}"
    )


def _libraries() -> Examination:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Examination("libraries", "broken", f"missing: {', '.join(missing)}", "install switchover again with pip")
    return Examination("libraries", "ok", ", ".join(found))


def _kernel() -> Examination:
    text = f"{platform.system()} {platform.release()}"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return Examination(
            "kernel", "broken", f"{text} cannot watch processes by handle", "Linux 5.3 or newer is needed"
        )
    return Examination("kernel", "ok", text)


def _state_directory(root: Path, system: Path) -> Iterator[Examination]:
    folder = root
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        took = _sync_time(folder)
    except OSError as error:
        hint = "free space, change its rights, or choose another one with --state DIR"
        yield Examination("state directory", "broken", f"{root} cannot be written: {error.strerror}", hint)
        return
    made = "" if folder == root else ", made when needed"
    text = f"{root}{made}; a safe write takes {took * 1000:.1f} ms"
    if took > _SLOW_SYNC_S:
        hint = "every step waits for a few of these; a local disk is faster: --state DIR"
        yield Examination("state directory", "warn", text, hint)
    elif (kind := _file_system(folder, system)) in _REMOTE_FILE_SYSTEMS:
        yield Examination(
            "state directory", "warn", f"{text}; it lies on {kind}", "locks are safer on a local disk: --state DIR"
        )
    else:
        yield Examination("state directory", "ok", text)
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free"
    if free < _TOO_LITTLE_SPACE:
        yield Examination(
            "free space", "broken", text, "no step starts when the journal cannot be written: free space first"
        )
    elif free < _LITTLE_SPACE:
        yield Examination("free space", "warn", text, "the output of steps and the journal need room")
    else:
        yield Examination("free space", "ok", text)


def _registry(environ: Mapping[str, str]) -> Examination:
    """Say where the accounts of this host see each other's runs, or why they do not."""
    from switchover.migration.journal.host_registry import HostRegistry

    hint = 'name one in the settings, the same for all accounts: registry = "/FOLDER"'
    try:
        folder = host_registry(environ)
        if folder is None:
            lacks = "no folder that all accounts may write and none may clear: one is not kept from another's run"
            return Examination("registry", "warn", lacks, hint)
        HostRegistry(folder, "", "").judge_folder()
    except SwitchoverError as error:
        return Examination("registry", "broken", error.title, error.hint or hint)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Examination("registry", "broken", f"{folder} cannot be written by this account", hint)
    whose = "all accounts see there who drives what" if folder.stat().st_mode & stat.S_IWOTH else "for this account"
    return Examination("registry", "ok", f"{folder}, {whose}")


def _sync_time(folder: Path) -> float:
    """Return the seconds that a small safe write takes: the median of three."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(3):
            begin = time.monotonic()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.monotonic() - begin)
    return sorted(times)[1]


def _file_system(folder: Path, system: Path) -> str:
    best, kind = "", ""
    try:
        lines = (system / "proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = str(folder.resolve())
    for line in lines:
        _, place, found, *_ = line.split(" ")
        if (real == place or real.startswith(place.rstrip("/") + "/")) and len(place) >= len(best):
            best, kind = place, found
    return kind


def _socket(root: Path) -> Examination:
    workspace = Workspace(root, None)
    folder = workspace.socket.parent
    if not workspace.directory.exists() and len(os.fsencode(workspace.directory)) < 80 and not _runtime_folder():
        return Examination("socket", "ok", "beside the state of each plan")
    if folder.exists() and folder.stat().st_uid != os.getuid():
        return Examination("socket", "broken", f"{folder} belongs to another user", "remove it, or set XDG_RUNTIME_DIR")
    return Examination("socket", "ok", f"in {folder}")


def _runtime_folder() -> bool:
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere").is_dir()


def _agents(root: Path) -> Examination:
    from switchover.agent.process.agent_record import recorded_workspaces
    from switchover.agent.process.lifecycle import ask
    from switchover.errors import SwitchoverError

    alive, silent = 0, 0
    for workspace in recorded_workspaces(root):
        try:
            alive += ask(workspace) is not None
        except (SwitchoverError, OSError):
            silent += 1
    if silent:
        return Examination(
            "agents", "warn", f"{alive} running, {silent} not answering", "see `switchover agent status`"
        )
    return Examination(
        "agents", "ok", f"{alive} running" if alive else "none runs; `switchover` starts one when needed"
    )


def _logout(system: Path) -> Examination:
    from switchover.agent.process.logind import escape_prefix, read_logind

    logind = read_logind(system)
    if not logind.present:
        return Examination("logout", "ok", "no logind here, so nothing ends an agent at logout")
    if not logind.kills:
        return Examination("logout", "ok", "an agent outlives the login (KillUserProcesses=no)")
    hint = "`loginctl enable-linger` lets it live on"
    if not logind.lingers:
        return Examination("logout", "warn", "logind ends a run at the last logout (KillUserProcesses=yes)", hint)
    if logind.in_session and not escape_prefix(logind):
        return Examination(
            "logout", "warn", "logind ends a run at logout, and systemd-run is not here", "install systemd-run"
        )
    return Examination("logout", "ok", "an agent is started through systemd-run and outlives the login (lingering)")


def _terminal(environ: Mapping[str, str]) -> Iterator[Examination]:
    kind = environ.get("TERM", "")
    through = [
        name
        for name, sign in (("ssh", "SSH_CONNECTION"), ("tmux", "TMUX"), ("screen", "STY"), ("mosh", "MOSH_IP"))
        if environ.get(sign)
    ]
    colours = (
        "no colours wanted (NO_COLOR)" if environ.get("NO_COLOR") else _colours(kind, environ.get("COLORTERM", ""))
    )
    size = shutil.get_terminal_size(fallback=(0, 0))
    measured = f"{size.columns}x{size.lines}" if size.columns else "of unknown size"
    text = f"TERM={kind or 'not set'}, {measured}, {colours}{', through ' + ' and '.join(through) if through else ''}"
    if kind in {"", "dumb", "unknown"}:
        yield Examination(
            "terminal", "warn", text, "the screen needs TERM, such as xterm-256color; the verbs work without"
        )
    elif size.columns and (size.columns < 60 or size.lines < 20):
        yield Examination("terminal", "warn", text, "the screen needs at least 60x20, better 80x24")
    else:
        yield Examination("terminal", "ok", text)
    encoding = locale.getpreferredencoding(do_setlocale=False)
    if "utf" in encoding.lower():
        yield Examination("characters", "ok", encoding)
    else:
        yield Examination(
            "characters", "warn", encoding, "set a UTF-8 locale, such as LC_ALL=C.UTF-8, for all signs to show"
        )


def _difference(probe: Sequence[str]) -> Examination:
    """Ask in a process of its own, because the screen's libraries are loaded nowhere else."""
    hint = "all is shown, at more bytes; a newer switchover may know this Textual"
    try:
        done = subprocess.run(
            probe, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Examination("drawing", "warn", f"cannot be tried: {type(error).__name__}", hint)
    if done.returncode == 0:
        return Examination("drawing", "ok", "only what changed is written")
    said = (done.stdout.strip() or done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]
    return Examination(
        "drawing", "warn", f"Textual draws whole regions, because the difference does not fit it: {said}", hint
    )


def _colours(kind: str, colour_term: str) -> str:
    if colour_term in {"truecolor", "24bit"}:
        return "16 million colours"
    return "256 colours" if "256" in kind or kind.startswith(("xterm-kitty", "alacritty")) else "16 colours"


def _inotify(system: Path) -> Examination:
    folder = system / "proc/sys/fs/inotify"
    try:
        watches = int((folder / "max_user_watches").read_text(encoding="ascii"))
        instances = int((folder / "max_user_instances").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Examination(
            "inotify", "off", "the kernel tells no limits; files are looked at every few seconds instead"
        )
    text = f"{watches} watches, {instances} instances"
    if watches < 8192 or instances < 16:
        return Examination(
            "inotify", "warn", text, "raise fs.inotify.max_user_watches and max_user_instances with sysctl"
        )
    return Examination("inotify", "ok", text)


def _open_files() -> Examination:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 1024:
        return Examination("open files", "warn", f"at most {soft}", "raise it with `ulimit -n 4096`")
    return Examination("open files", "ok", "without limit" if soft == resource.RLIM_INFINITY else f"at most {soft}")
