"""A plan is code. One that is named is trusted by being named; one that is merely found must be trusted once.

Trust is by content, of the plan and of the Python files that it loads. Any edit asks again. What is trusted is kept in
the state root, readable by its owner only.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from switchover.errors import NotTrustedError, StateError, UsageError
from switchover.locations import ensure_private_dir
from switchover.plan.loader.plan_content import PlanContent
from switchover.plan.plan_bytes import MAX_PLAN_BYTES, read_file
from switchover.private_files import open_private, replace_private
from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["PLAN_NAMES", "TrustStore", "choose_plan", "digest_of", "find_plan", "trusted_digest"]

PLAN_NAMES = ("switchover.yaml", "switchover.yml", "plan.yaml", "plan.yml")
_MOST_BYTES = 64 << 20
_MOST_NAMED = 5
_MOST_FOUND = 10
_KEYS = (b"schema", b"id", b"title")  # which every plan has
_MARKS = tuple(re.compile(rb"^[\"']?" + key + rb"[\"']?[ \t]*:[ \t]*\S", re.MULTILINE) for key in _KEYS)


def find_plan(folder: Path, verb: str = "") -> Path | None:
    """Return the plan that lies in `folder`, or None. Raise `UsageError` where several could be meant.

    A YAML file is a plan by its name, or by the keys that each plan begins with.
    """
    with suppress(OSError):
        found = sorted(path for path in folder.iterdir() if _is_plan(path))
        if len(found) > 1:
            most = ", ".join(p.name for p in found[:_MOST_FOUND])
            more = f" and {len(found) - _MOST_FOUND} more" if len(found) > _MOST_FOUND else ""
            raise UsageError(f"several plans are here: {most}{more}", f"name one: `{_command(verb, found[0])}`")
        return found[0] if found else None
    return None


def _is_plan(path: Path) -> bool:
    if path.suffix not in (".yaml", ".yml") or path.stem.endswith(".test"):
        return False
    if path.name in PLAN_NAMES or path.stem.endswith(".plan"):
        return path.is_file()
    try:
        _, content = read_file(path, MAX_PLAN_BYTES)
    except (OSError, ValueError):
        return False
    return all(mark.search(content) for mark in _MARKS)


def _command(verb: str, plan: Path) -> str:
    return shlex.join(["switchover", *verb.split(), plan.name])


def digest_of(path: Path) -> str:
    """Return the digest of a plan file and what it loads. Raise `PlanError` where it cannot be read."""
    return PlanContent.of(path).digest


class Trusted(msgspec.Struct, frozen=True):
    """What was trusted of one plan, when, and the files that it loaded then, by path and SHA-256."""

    digest: str
    at: str
    files: dict[str, str] = {}


class TrustStore:
    """The plans that this operator has trusted, by real path, in `trusted.json` of the state root."""

    def __init__(self, root: Path) -> None:
        self._path = root / "trusted.json"

    def trusts(self, plan: Path) -> bool:
        """Tell whether exactly this content of this file, and of what it loads, has been trusted."""
        return self.digest(plan) == digest_of(plan)

    def knows(self, plan: Path) -> bool:
        """Tell whether some earlier content of this file has been trusted."""
        return self.last(plan) is not None

    def digest(self, plan: Path) -> str:
        """Return the digest of the content that was trusted; empty where none was."""
        last = self.last(plan)
        return last.digest if last is not None else ""

    def last(self, plan: Path) -> Trusted | None:
        """Return what was trusted of this file."""
        return self._read().get(str(plan.resolve()))

    def trust(self, plan: Path, digest: str, files: Mapping[str, str] | None = None) -> None:
        """Trust the content with this digest. The store is replaced as a whole."""
        entries = self._read()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entries[str(plan.resolve())] = Trusted(digest, at, dict(files or {}))
        try:
            ensure_private_dir(self._path.parent)
            replace_private(self._path, json.dumps(msgspec.to_builtins(entries), indent=1).encode())
        except OSError as error:
            raise StateError(
                f"cannot write {self._path}: {error.strerror}", "free space or choose another place with --state DIR"
            ) from error

    def _read(self) -> dict[str, Trusted]:
        try:
            with os.fdopen(open_private(self._path, os.O_RDONLY), "rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o022:
                    return {}  # somebody else could have written it
                content = json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError):
            return {}
        entries = {}
        for name, value in content.items() if isinstance(content, dict) else ():
            with suppress(msgspec.ValidationError):
                entries[str(name)] = msgspec.convert(value, Trusted)
        return entries


def trusted_digest(named: str | None, plan: Path | None, root: Path) -> str:
    """Return the digest of the content that was trusted, where the plan was found and not named; else nothing."""
    return TrustStore(root).digest(plan) if named is None and plan is not None else ""


def choose_plan(
    named: str | None, root: Path, folder: Path, ask: Callable[[str], str] | None = None, *, verb: str = ""
) -> Path | None:
    """Return the plan to open: the named one, else the one found in `folder` once it is trusted, else None.

    Raise `NotTrustedError` where the operator says no, or nobody can be asked.
    """
    if named is not None:
        return Path(named).absolute()
    plan = find_plan(folder, verb)
    if plan is None:
        return None
    store = TrustStore(root)
    content, last = PlanContent.of(plan), store.last(plan)
    if last is not None and last.digest == content.digest:
        return plan
    answer = (ask or _ask_on_terminal)(_question(plan, content, last))
    if answer.strip().lower() != "yes":
        raise NotTrustedError(
            f"{plan.name} is not trusted, so nothing of it was run",
            f"name it to trust it for once: `{_command(verb, plan)}`",
        )
    if digest_of(plan) != content.digest:
        raise NotTrustedError(f"{plan.name} changed while you were asked", "look at it again, then start again")
    store.trust(plan, content.digest, content.files)
    return plan


def _question(plan: Path, content: PlanContent, last: Trusted | None) -> str:
    if last is None:
        said = f"{plan} was found here and is not trusted yet."
    else:
        said = f"{plan} has changed since you trusted it on {last.at}: {_named(_changes(plan, content, last), plan)}."
    loads = f"It loads {_named(list(content.files), plan)}.\n" if content.files else ""
    return (
        f"{said}\n{loads}"
        f"A plan runs commands with your rights. Content: sha256 {_short(content.digest)}…\n"
        "Read it first: `switchover validate` checks it without running anything.\n"
        "Type yes to trust this content: "
    )


def _short(digest: str) -> str:
    return "…+".join(part[:16] for part in digest.split("+"))


def _changes(plan: Path, content: PlanContent, last: Trusted) -> list[str]:
    """Return the files that differ from those that were trusted; one that is loaded no more comes from an edit."""
    edited = [str(plan)] if content.plan != last.digest.partition("+")[0] else []
    return (
        edited
        + [path for path, digest in content.files.items() if last.files.get(path) != digest]
        + [f"{path} (no longer loaded)" for path in last.files if path not in content.files]
    )


def _named(paths: list[str], plan: Path) -> str:
    beside = f"{plan.resolve().parent}/"
    names = [path.removeprefix(beside) if path != str(plan) else plan.name for path in paths]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _ask_on_terminal(question: str) -> str:
    if not sys.stdin.isatty():
        return ""
    sys.stderr.write(redact_unknown(sanitize(question)))
    sys.stderr.flush()
    return sys.stdin.readline(1000)
