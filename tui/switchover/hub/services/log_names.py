"""Which services a person means by a word: a name of the list, an id (`docker:web`), or a part."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

__all__ = ["MOST_OF_A_NAME", "meant_by", "not_found"]

MOST_OF_A_NAME = 8  # things of one name whose logs are opened together


def meant_by(word: str, names: Mapping[str, str]) -> list[str]:
    """Return the ids that a word means; what fits best counts alone. `names` are what the list shows, by id."""
    if word in names:
        return [word]
    low = word.lower()
    exact, alike, unit, end = [], [], [], []
    for id_, name in names.items():
        shown, ref = name.lower(), id_.lower().partition(":")[2]
        if name == word:
            exact.append(id_)
        elif low in (shown, id_.lower(), ref):
            alike.append(id_)
        elif low.removesuffix(".service") == shown.removesuffix(".service"):
            unit.append(id_)
        elif low == ref.rpartition("/")[2]:
            end.append(id_)
    return _without_inner(exact or alike or unit or end)


def not_found(word: str, names: Mapping[str, str]) -> str:
    """Say that a word means nothing, or too many things, and what to write instead."""
    if len(found := meant_by(word, names)) > MOST_OF_A_NAME:
        return f"{len(found)} things are called {word}; write one of them, such as {', '.join(found[:3])}"
    file = f"a file of this name is written ./{word}"
    known = {name.lower(): id_ for id_, name in names.items()}
    inside = [name for name in known if len(word) > 2 and word.lower() in name]
    near = list(dict.fromkeys([*get_close_matches(word.lower(), known, 3, 0.6), *sorted(inside, key=len)]))[:3]
    if not near:
        return f"there is no service of this name; {file}"
    return f"there is no service of this name; did you mean {_one_of([known[name] for name in near])}? {file}"


def _without_inner(found: list[str]) -> list[str]:
    """Leave out processes where a container or a unit has the name too: they are what runs in it."""
    outer = [id_ for id_ in found if not id_.startswith("process:")]
    return outer or found


def _one_of(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} or {ids[-1]}"
