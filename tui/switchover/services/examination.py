"""One thing that `doctor` examined, and what helps to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Examination", "State", "home_of"]

State = Literal["ok", "off", "warn", "broken"]


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing examined. `off` is a source that is not used here; only `broken` keeps the program from working."""

    name: str
    state: State
    text: str
    hint: str = ""


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the home folder."""
    return Path(environ.get("HOME") or Path.home())
