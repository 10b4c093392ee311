"""The registry of a host: which account has begun which run, where its state lies, and how far it is.

Every account has files of its own in one folder that all can read, and writes only those. A file that is not plainly
its owner's is named and not believed. Such are a link, a pipe, a second name, and one writable by others.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from switchover.errors import StateError
from switchover.migration.journal.checkpoints import Checkpoint
from switchover.private_files import open_private
from switchover.snapshot import Holder

__all__ = [
    "READABLE",
    "GivenUp",
    "HostRegistry",
    "Notes",
    "RunNote",
    "account_name",
    "all_notes",
    "believable",
    "heads_noted",
    "is_gone",
    "open_readable",
]

_MOST_BYTES = 1 << 20
_MOST_RUNS = 64
READABLE = 0o644
_NAMES = 9  # tried where another account's file has the name


@dataclass(frozen=True, slots=True)
class RunNote:
    """The newest run of a workspace, as its driver noted it with each record. `journal_name` is for people.

    It is noted as open before its first record. Then `head` is the one before, and 0 where there was none.
    """

    directory: str
    plan: str
    plan_path: str
    plan_digest: str
    journal_name: str
    who: str
    host: str
    is_over: bool
    head: Checkpoint


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A note about the run in `directory` that a person has set aside in the workspace `said_in`."""

    said_in: str
    directory: str
    journal: str
    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Notes:
    """All that one account notes of a target. `holder` is who drives now, where somebody does."""

    holder: Holder | None = None
    holds: str = ""  # the folder of the state of what is driven
    runs: tuple[RunNote, ...] = ()
    given_up: tuple[GivenUp, ...] = ()

    def with_run(self, note: RunNote) -> Notes:
        """Return them with the newest of a workspace; what is over and long ago gives way."""
        others = [run for run in self.runs if run.directory != note.directory]
        while len(others) >= _MOST_RUNS:
            others.remove(next((run for run in others if run.is_over), others[0]))
        return replace(self, runs=(*others, note))

    def without(self, directory: str) -> Notes:
        """Return them without what is noted of a workspace."""
        return replace(self, runs=tuple(run for run in self.runs if run.directory != directory))


@dataclass(frozen=True, slots=True)
class HostRegistry:
    """What is noted of one target, or of one plan that names none, by all accounts."""

    folder: Path
    key: str
    what: str = field(compare=False)

    @classmethod
    def of(cls, folder: Path, plan_id: str, target: str) -> HostRegistry:
        """Return the registry of a plan's target, without one that of the plan's id."""
        text = f"target {target}" if target else f"plan {plan_id}"
        what = f"the target {target}" if target else f"the plan {plan_id}"
        return cls(folder, hashlib.sha256(text.encode()).hexdigest()[:24], what)

    def judge_folder(self) -> None:
        """Raise `StateError` where others could take files of ours away, or lay links in their place."""
        hint = 'name another in the settings, the same for all accounts: registry = "/FOLDER"'
        try:
            found = self.folder.lstat()
        except OSError as error:
            raise StateError(
                f"the registry of this host, {self.folder}, cannot be used: {error.strerror}", hint
            ) from error
        if not stat.S_ISDIR(found.st_mode):
            raise StateError(f"the registry of this host, {self.folder}, is no folder", hint)
        if found.st_uid not in (0, os.geteuid(), _unmapped_uid()):
            raise StateError(f"the registry of this host, {self.folder}, belongs to {account_name(found.st_uid)}", hint)
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            raise StateError(
                f"in the registry of this host, {self.folder}, everybody may remove what others wrote", hint
            )

    # Files

    def paths(self, suffix: str) -> list[Path]:
        """Return all files of a kind, whosever they are."""
        name = re.compile(rf"switchover-{self.key}\.\d+(-\d)?\.{suffix}")
        with suppress(OSError):
            return sorted(self.folder / found for found in os.listdir(self.folder) if name.fullmatch(found))  # noqa: PTH208
        return []

    def own_paths(self, suffix: str) -> Iterator[Path]:
        """Yield the names for our own file, the first that is not another account's to be taken."""
        for number in range(1, _NAMES + 1):
            more = f"-{number}" if number > 1 else ""
            yield self.folder / f"switchover-{self.key}.{os.geteuid()}{more}.{suffix}"

    def notes(self) -> Iterator[tuple[int, Notes]]:
        """Yield what each account notes, with its uid."""
        for path in self.paths("json"):
            found = _read(path)
            if found is not None:
                yield found

    def own_notes(self) -> Notes:
        """Return what this account notes."""
        ours = [notes for uid, notes in self.notes() if uid == os.geteuid()]
        return ours[0] if ours else Notes()

    def write(self, notes: Notes) -> None:
        """Put our notes in the place of those before. Raise `OSError`."""
        beside = self.folder / f".switchover-{self.key}.{os.urandom(6).hex()}"
        with os.fdopen(open_readable(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(msgspec.json.encode(notes))
        for path in self.own_paths("json"):
            with suppress(OSError):  # another account has put something there
                beside.replace(path)
                return
        beside.unlink()

    # What is noted

    def head_of(self, directory: Path) -> Checkpoint | None:
        """Return the newest record that was noted of a workspace of ours."""
        note = self.note_of(directory)
        return note.head if note is not None and note.head.seq else None

    def note_of(self, directory: Path) -> RunNote | None:
        """Return what was noted of a workspace of ours."""
        return next((run for run in self.own_notes().runs if run.directory == str(directory)), None)

    def elsewhere(self, directory: Path) -> list[RunNote]:
        """Return the runs that other workspaces note, but those that a person has given up and those gone for good."""
        own = self.own_notes()
        given_up = {(note.directory, note.journal) for note in own.given_up if note.said_in == str(directory)}
        return [
            run
            for _, notes in self.notes()
            for run in notes.runs
            if run.directory != str(directory)
            and (run.directory, run.head.journal) not in given_up
            and not (is_gone(run.directory) and is_gone(run.plan_path))
        ]


def heads_noted(folder: Path) -> dict[Path, tuple[Checkpoint, ...]]:
    """Return the newest record that was noted of each workspace, by its owner or by us, whatever the target."""
    found: dict[Path, tuple[Checkpoint, ...]] = {}
    for path in folder.glob("switchover-*.json"):
        read = _read(path)
        for run in read[1].runs if read is not None else ():
            directory = Path(run.directory)
            if run.head.seq and read is not None and read[0] in (os.geteuid(), _owner(directory)):
                found[directory] = (*found.get(directory, ()), run.head)
    return found


def all_notes(folder: Path) -> Iterator[tuple[int, Notes]]:
    """Yield what each account notes of each target, with its uid."""
    for path in sorted(folder.glob("switchover-*.json")):
        if (read := _read(path)) is not None:
            yield read


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None


def _unmapped_uid() -> int:
    """Return what an account outside of this user namespace looks like from inside: root is one of them there."""
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 65534


def account_name(uid: int) -> str:
    """Return the account's name, as people know it."""
    try:
        return f"account {pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"account uid {uid}"


def open_readable(path: Path, flags: int) -> int:
    """Open a file that all accounts may read and only its owner may write."""
    descriptor = open_private(path, flags)
    try:
        os.fchmod(descriptor, READABLE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def believable(descriptor: int) -> int | None:
    """Return the uid of the file's owner where nobody else can have written it, else None."""
    found = os.fstat(descriptor)
    is_theirs_alone = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and not found.st_mode & 0o022
    return found.st_uid if is_theirs_alone else None


def _read(path: Path) -> tuple[int, Notes] | None:
    try:
        with os.fdopen(open_private(path, os.O_RDONLY, only_ours=False), "rb") as file:
            uid = believable(file.fileno())
            return None if uid is None else (uid, msgspec.json.decode(file.read(_MOST_BYTES), type=Notes))
    except (OSError, msgspec.MsgspecError):
        return None


def is_gone(path: str) -> bool:
    """Whether nothing lies there. Where that cannot be seen, or the path is not a whole one, something may."""
    if path and not Path(path).is_absolute():
        return False
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
