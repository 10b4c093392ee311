"""Changes one setting in the operator's own file; everything else in it, comments too, stays as it is written."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from switchover.errors import UsageError

__all__ = ["keep_theme"]

_THEME = re.compile(r"^[ \t]*theme[ \t]*=[^\n]*$", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def keep_theme(path: Path, name: str) -> None:
    """Write `theme = "NAME"`. Raise `UsageError` where that cannot be, and leave the file as it was."""
    path = Path(os.path.realpath(path))  # a link to where somebody keeps all settings stays a link
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        changed = _with_theme(text, name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, changed, mode)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"the theme is not kept: {path} cannot be written: {why}") from error


def _with_theme(text: str, name: str) -> str:
    line = f'theme = "{name}"'
    before = _read(text)
    found = _THEME.search(text)
    table = _TABLE.search(text)
    if found is not None and (table is None or found.start() < table.start()):
        comment = re.search(r"[ \t]*#[^\n]*$", found[0].partition("=")[2])
        changed = f"{text[: found.start()]}{line}{comment[0] if comment else ''}{text[found.end() :]}"
    elif text and table is not None:
        changed = f"{text[: table.start()]}{line}\n{text[table.start() :]}"
    else:
        changed = f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n"
    if _read(changed) != {**before, "theme": name}:
        raise OSError(0, "its other settings would change; write the line yourself")
    return changed


def _read(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OSError(0, f"it is no TOML ({error})") from error


def _replace(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)  # noqa: PTH105
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
