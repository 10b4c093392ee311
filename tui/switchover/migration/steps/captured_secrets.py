"""What a step printed for later steps and nobody may read: sealed in the records, opened where it is needed.

The key lies in the state directory, beside the workspaces and in none of them. So a copy of a workspace, a bundle and a
shared journal lack it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from switchover.errors import StateError
from switchover.locations import ensure_private_dir
from switchover.migration.steps.sealing import KEY_BYTES, seal, unseal
from switchover.private_files import open_private
from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["SealKey", "is_secret_by_name", "read_captured", "sealed_about"]


class SealKey:
    """The key of this operator's state directory, made at the first need."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key = b""

    def read(self) -> bytes:
        """Return the key; empty where there is none."""
        if not self._key:
            with suppress(OSError), os.fdopen(open_private(self.path, os.O_RDONLY), "rb") as file:
                content = file.read(KEY_BYTES + 1)
                self._key = content if len(content) == KEY_BYTES else b""
        return self._key

    def need(self) -> bytes:
        """Return the key, made where there is none yet. Raise `StateError`."""
        if key := self.read():
            return key
        made = self.path.with_name(f".{self.path.name}.{os.urandom(6).hex()}")
        try:
            ensure_private_dir(self.path.parent)
            with os.fdopen(open_private(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was faster: then theirs counts
                os.link(made, self.path)
        except OSError as error:
            raise StateError(
                f"the key for captured values cannot be written: {error.strerror}", f"see to {self.path}"
            ) from error
        finally:
            with suppress(OSError):
                made.unlink()
        if key := self.read():
            return key
        raise StateError(
            f"the key for captured values cannot be used: {self.path}",
            "put it back from a copy; without it, what steps captured as secrets before cannot be read",
        )

    def open(self, outputs: Mapping[str, str], run_id: str, unit: str) -> dict[str, str]:
        """Return those of the sealed outputs of a unit that can be opened here."""
        key = self.read() if outputs else b""
        opened = {name: unseal(key, value, sealed_about(run_id, unit, name)) for name, value in outputs.items() if key}
        return {name: value for name, value in opened.items() if value is not None}

    def close(self, value: str, run_id: str, unit: str, name: str) -> str:
        """Return a value sealed as an output of a unit."""
        return seal(self.need(), value, sealed_about(run_id, unit, name))


def sealed_about(run_id: str, unit: str, name: str = "") -> str:
    """Return what a sealed output is about; the shim puts the output's name behind it."""
    return f"{run_id}/{unit}/{name}"


def is_secret_by_name(name: str) -> bool:
    """Tell whether an output is by its name one that nobody should read (`admin_password`)."""
    probe = f"{name}=x9Qv71kTz"
    return redact_unknown(sanitize(probe)) != probe


def read_captured(
    record: Mapping[str, Any],
    key: SealKey,
    run_id: str,
    unit: str,
    hidden: Collection[str],
    clean: Callable[[str], str],
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return what all may read of what was captured, what later steps get instead, and what cannot be opened."""
    sealed: Mapping[str, str] = record.get("outputs", {})
    opened, veiled = key.open(sealed, run_id, unit), key.open(record.get("veiled", {}), run_id, unit)
    shown, kept = {}, {}
    for name, value in opened.items():
        mark = f"(secret {unit}.{name})"
        shown[name] = mark if name in hidden else clean(veiled.get(name, value)) or mark
        if (real := sanitize(value)) != shown[name]:
            kept[name] = key.close(real, run_id, unit, name)
    return shown, kept, [name for name in sealed if name not in opened]
