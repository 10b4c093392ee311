"""A plan is code. One that is named is trusted by being named; one that is merely found must be trusted once.

Trust is by content: an edited plan asks again. What is trusted is kept in the state root, readable by its owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from switchover.errors import NotTrustedError, StateError, UsageError
from switchover.locations import ensure_private_dir
from switchover.redaction import sanitize

__all__ = ["PLAN_NAMES", "TrustStore", "choose_plan", "digest_of", "find_plan", "trusted_digest"]

PLAN_NAMES = ("switchover.yaml", "switchover.yml", "plan.yaml", "plan.yml")
_LARGEST_PLAN = 64 * 1024 * 1024


def find_plan(folder: Path) -> Path | None:
    """Return the plan that lies in `folder`, or None. Raise `UsageError` where several could be meant."""
    for name in PLAN_NAMES:
        if (folder / name).is_file():
            return folder / name
    with suppress(OSError):
        found = sorted(p for pattern in ("*.plan.yaml", "*.plan.yml") for p in folder.glob(pattern) if p.is_file())
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            raise UsageError(f"several plans are here: {names}", f"name one: `switchover {found[0].name}`")
        if found:
            return found[0]
    return None


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a plan file. Raise `UsageError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_PLAN)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the file's permissions") from error
    return hashlib.sha256(content).hexdigest()


class TrustStore:
    """The plans that this operator has trusted: real path and digest, in `trusted.json` of the state root."""

    def __init__(self, root: Path) -> None:
        self._path = root / "trusted.json"

    def trusts(self, plan: Path) -> bool:
        """Tell whether exactly this content of this file has been trusted."""
        return digest_of(plan) in self._read().get(str(plan.resolve()), {})

    def knows(self, plan: Path) -> bool:
        """Tell whether some earlier content of this file has been trusted."""
        return str(plan.resolve()) in self._read()

    def digest(self, plan: Path) -> str:
        """Return the digest of the content that was trusted; empty where none was."""
        return next(iter(self._read().get(str(plan.resolve()), {})), "")

    def trust(self, plan: Path, digest: str) -> None:
        """Trust the content with this digest. The file is replaced as a whole."""
        ensure_private_dir(self._path.parent)
        entries = self._read()
        entries[str(plan.resolve())] = {digest: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        temporary = self._path.with_name(f"trusted.{os.getpid()}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file, indent=1)
            temporary.replace(self._path)
        except OSError as error:
            raise StateError(
                f"cannot write {self._path}: {error.strerror}", "free space or choose another place with --state DIR"
            ) from error

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            stat = self._path.stat()
            if stat.st_uid != os.getuid() or stat.st_mode & 0o022:
                return {}  # somebody else could have written it
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): dict(v) for k, v in content.items() if isinstance(v, dict)} if isinstance(content, dict) else {}


def trusted_digest(named: str | None, plan: Path | None, root: Path) -> str:
    """Return the digest of the content that was trusted, where the plan was found and not named; else nothing."""
    return TrustStore(root).digest(plan) if named is None and plan is not None else ""


def choose_plan(named: str | None, root: Path, folder: Path, ask: Callable[[str], str] | None = None) -> Path | None:
    """Return the plan to open: the named one, else the one found in `folder` once it is trusted, else None.

    Raise `NotTrustedError` where the operator says no, or nobody can be asked.
    """
    if named is not None:
        return Path(named).absolute()
    plan = find_plan(folder)
    if plan is None:
        return None
    store = TrustStore(root)
    if store.trusts(plan):
        return plan
    digest = digest_of(plan)
    said = "has changed since you trusted it" if store.knows(plan) else "was found here and is not trusted yet"
    answer = (ask or _ask_on_terminal)(
        f"{plan} {said}.\n"
        f"A plan runs commands with your rights. Content: sha256 {digest[:16]}…\n"
        "Read it first: `switchover validate` checks it without running anything.\n"
        "Type yes to trust this content: "
    )
    if answer.strip().lower() != "yes":
        raise NotTrustedError(
            f"{plan.name} is not trusted, so nothing of it was run",
            f"name it to trust it for once: `switchover {plan.name}`",
        )
    store.trust(plan, digest)
    if digest_of(plan) != digest:
        raise NotTrustedError(f"{plan.name} changed while you were asked", "look at it again, then start again")
    return plan


def _ask_on_terminal(question: str) -> str:
    if not sys.stdin.isatty():
        return ""
    sys.stderr.write(sanitize(question))
    sys.stderr.flush()
    return sys.stdin.readline(1000)
