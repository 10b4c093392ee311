"""How problems of a plan are collected: a path into the file, a message, and the nearest correct name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Complaint", "Path", "did_you_mean", "format_path", "near_or_all", "unknown_name"]

Path = tuple[str | int, ...]

_MOST_COMPARED = 50


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong at a path of the plan. `at_key` points at the key itself rather than at its value."""

    path: Path
    message: str
    at_key: bool = False


def format_path(path: Path) -> str:
    """Write a path as people read it: `phases[1].steps[0].timeout`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'pg_dump'?` when one of `known` is near, else nothing."""
    names = list(known)
    near = difflib.get_close_matches(wrong[:100], _candidates(wrong, names), n=1, cutoff=0.6)
    if not near:
        folded = {name.casefold(): name for name in names}
        near = [folded[wrong.casefold()]] if wrong.casefold() in folded else []
    return f"; did you mean {near[0]!r}?" if near else ""


def near_or_all(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'pg_dump'?` when one of `known` is near, else all that are possible."""
    names = list(known)
    return did_you_mean(wrong, names) or (f"; possible are {', '.join(names)}" if names else "")


def _candidates(wrong: str, names: list[str]) -> list[str]:
    """Return the names worth comparing closely: of many only those with nearly the same length and letters."""
    if len(names) <= _MOST_COMPARED:
        return names
    letters = set(wrong)
    return sorted(names, key=lambda name: abs(len(name) - len(wrong)) + len(letters ^ set(name)))[:_MOST_COMPARED]


def unknown_name(what: str, wrong: str, known: Iterable[str]) -> str:
    """Word the message for a name that the plan does not have."""
    names = sorted(name for name in set(known) if name and len(name) <= 130 and name.isprintable())
    shown = wrong if len(wrong) <= 60 else wrong[:57] + "…"
    hint = did_you_mean(wrong, names) or (f"; known: {_short(names)}" if names else "; the plan has none")
    return f"there is no {what} {shown!r}{hint}"


def _short(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
