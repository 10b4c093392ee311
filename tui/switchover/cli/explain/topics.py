"""From what a person types to what is meant: `step.on_unknown`, `check.http`, `phases[0].gate`, `expressions`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from switchover.cli.explain.explain_pages import PAGES, sections
from switchover.cli.explain.reference import PLAN, Kind, Part, Reference
from switchover.errors import UsageError
from switchover.plan.complaints import did_you_mean
from switchover.plan.loader.schema_in_words import parts_named_in

__all__ = ["KeyTopic", "KindTopic", "Matches", "PageTopic", "PartTopic", "Topic", "find_topic"]

_MOST_LISTED = 40


_KEYS_TOO = ("expect", "when", "since", "each")  # titles of sections that are keys of a plan as well


@dataclass(frozen=True, slots=True)
class PartTopic:
    """A part of a plan."""

    part: str


@dataclass(frozen=True, slots=True)
class KindTopic:
    """A kind, such as that of a check."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class KeyTopic:
    """A key of a part, or of a kind."""

    part: str
    key: str
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class PageTopic:
    """A page, or one section of it."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Several things of one name; each is written as it can be asked for."""

    word: str
    names: tuple[str, ...]


Topic = PartTopic | KindTopic | KeyTopic | PageTopic | Matches


def find_topic(reference: Reference, asked: str) -> Topic:
    """Return what is meant. Raise `UsageError` that names what is near."""
    words = [word for word in re.sub(r"\[[^]]*\]", "", asked.strip().strip("`").rstrip(":")).split(".") if word]
    if not words:
        raise UsageError("explain what?", "`switchover explain` lists all that there is")
    if (page := _page(words)) is not None:
        return page
    if words[0] == PLAN and len(words) > 1:
        words = words[1:]
    if words[0] in reference.names and not (len(words) == 1 and words[0] in reference.parts[PLAN].keys):
        return _inside(reference, PartTopic(reference.names[words[0]]), words[1:], asked, named=words[0].endswith("s"))
    if words[0] in reference.parts[PLAN].keys:
        return _inside(reference, PartTopic(PLAN), words, asked, named=False)
    return _anywhere(reference, words, asked)


def _page(words: list[str]) -> PageTopic | None:
    for name in PAGES:
        found = sections(name)
        if words[0] == name and (len(words) == 1 or words[1] in found):
            lines = [line for part in found.values() for line in part] if len(words) == 1 else found[words[1]]
            return PageTopic(tuple(lines))
        if len(words) == 1 and words[0] in found and words[0] not in _KEYS_TOO:  # those are keys too
            return PageTopic(tuple(found[words[0]]))
    return None


def _inside(reference: Reference, here: PartTopic | KindTopic, words: list[str], asked: str, *, named: bool) -> Topic:
    """Follow the words from a part. With `named`, the next word may be a name that the plan itself gives."""
    found: Topic = here
    part = here.part if isinstance(here, PartTopic) else here.kind.part
    kind = here.kind if isinstance(here, KindTopic) else None
    while words:
        word, words = words[0], words[1:]
        known = reference.parts[part]
        kinds = reference.kinds(part)
        if kind is not None and word in kind.keys:
            return KeyTopic(part, word, kind)
        if word in known.keys and (kind is not None or word not in kinds):  # `service.service` is the key
            found = KeyTopic(part, word)
            parts = parts_named_in(known.keys[word])
            inside = next((one for one in parts if words and words[0] in reference.parts[one].keys), (*parts, "")[0])
            if words and inside:
                part, kind, named = inside, None, "NAME" in reference.parts[inside].where.rpartition(".")[2]
            elif words:
                return found  # a key whose own keys are free
        elif kind is None and word in kinds:
            kind = kinds[word]
            found = KindTopic(kind)
        elif named:
            named, found = False, PartTopic(part)
        elif of_kinds := [f"{known.name}.{k}.{word}" for k, one in kinds.items() if word in one.keys and kind is None]:
            return Matches(word, tuple(of_kinds))
        else:
            raise _unknown(word, known, kind, kinds, asked)
    return found


def _anywhere(reference: Reference, words: list[str], asked: str) -> Topic:
    """Look for a key or a kind of that name in all parts."""
    found: dict[str, Topic] = {}
    for name, part in reference.parts.items():
        if words[0] in part.keys:
            found[f"{part.name}.{words[0]}"] = KeyTopic(name, words[0])
        for kind_name, kind in reference.kinds(name).items():
            if kind_name == words[0]:
                found[f"{part.name}.{kind_name}"] = KindTopic(kind)
            elif words[0] in kind.keys and words[0] not in part.keys:
                found[f"{part.name}.{kind_name}.{words[0]}"] = KeyTopic(name, words[0], kind)
    if len(found) == 1:
        topic = next(iter(found.values()))
        return _inside(reference, topic, words[1:], asked, named=False) if isinstance(topic, KindTopic) else topic
    if found:
        return Matches(words[0], tuple(found))
    raise UsageError(
        f"there is nothing called {words[0][:60]!r}{did_you_mean(words[0], _all_words(reference))}",
        "`switchover explain` lists all that there is",
    )


def _unknown(word: str, part: Part, kind: Kind | None, kinds: Mapping[str, Kind], asked: str) -> UsageError:
    known = [*part.keys, *(kind.keys if kind is not None else kinds)]
    near = did_you_mean(word, known)
    place = f"{part.name}.{kind.name}" if kind is not None else part.name
    if near:
        near = near.replace("mean '", f"mean '{place}.")
        return UsageError(f"there is no {asked[:60]!r}{near}", f"`switchover explain {place}` lists all of it")
    listed = ", ".join(known[:_MOST_LISTED])
    return UsageError(f"there is no {word[:60]!r} in {place}", f"it has {listed}")


def _all_words(reference: Reference) -> list[str]:
    words = [*reference.names, *PAGES]
    for name, part in reference.parts.items():
        words += part.keys
        for kind, one in reference.kinds(name).items():
            words += [kind, *one.keys]
    return sorted(set(words))
