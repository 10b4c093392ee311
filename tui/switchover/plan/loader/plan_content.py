"""The content of a plan file: its own bytes, and the Python files that its check modules bring along."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from switchover.errors import PlanError
from switchover.plan.loader.whole_text import read_whole, split_parts
from switchover.plan.plan_bytes import decode_plan, read_plan
from switchover_checks.runtime.local_code import LocalCode

__all__ = ["PlanContent", "declared_modules", "join_digest", "split_digest"]


@dataclass(frozen=True, slots=True)
class PlanContent:
    """The SHA-256 of a plan file's bytes, and the files that it loads: `parts` are included, `code` is Python."""

    plan: str
    code: LocalCode
    parts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> PlanContent:
        """Read it; nothing is executed. Raise `PlanError` where it cannot be read."""
        whole, found = read_whole(path)
        directory, text = path.resolve().parent, split_parts(whole)[0]
        parts = {str(part.resolve()): _digest(part) for part in found}
        code = LocalCode.gather(_named_in(text.encode(), path), directory)
        return cls(hashlib.sha256(text.encode()).hexdigest(), code, parts)

    @property
    def digest(self) -> str:
        """One word for all of it: the plan's SHA-256. After a `+` follows that of the files it loads, if any."""
        if not self.parts:
            return join_digest(self.plan, self.code.digest)
        of_parts = repr((sorted(self.parts.items()), self.code.digest))
        return join_digest(self.plan, hashlib.sha256(of_parts.encode()).hexdigest())

    @property
    def files(self) -> Mapping[str, str]:
        """The files that it loads, by path and SHA-256."""
        return {**self.parts, **self.code.files}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_plan(path)).hexdigest()
    except PlanError:
        return ""


def join_digest(plan: str, code: str) -> str:
    """Return one word for a plan's digest and that of the code that it loads."""
    return f"{plan}+{code}" if code else plan


def split_digest(digest: str) -> tuple[str, str]:
    """Return the plan's digest and that of the code that it loads."""
    plan, _, code = digest.partition("+")
    return plan, code


def declared_modules(path: Path) -> tuple[Path, ...]:
    """Return the check modules that a plan names, though the rest of it may still be wrong. Raise `PlanError`."""
    return _named_in(read_plan(path), path)


def _named_in(content: bytes, path: Path) -> tuple[Path, ...]:
    if b"check_modules" not in content and b"\\" not in content:  # no other way to write it; reading YAML takes long
        return ()
    from switchover.plan.loader.document import read_document

    document = read_document(decode_plan(content, path).removeprefix("\ufeff"))
    data = document.root.data if document.root is not None else None
    named = data.get("check_modules") if isinstance(data, dict) else None
    return tuple(path.resolve().parent / n for n in named if isinstance(n, str)) if isinstance(named, list) else ()
