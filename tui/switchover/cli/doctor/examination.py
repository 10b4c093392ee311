"""One thing that `doctor` examined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Examination", "State"]

State = Literal["ok", "off", "warn", "broken"]


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing examined. `off` is a source that is not used here; only `broken` keeps the program from working."""

    name: str
    state: State
    text: str
    hint: str = ""
