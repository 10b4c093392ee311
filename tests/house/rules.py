"""The rules of the house. Each is a pure function from modules to what breaks it, in words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.house import limits
from tests.house.assertions import filled_constants, weak_tests
from tests.house.reading import SOURCES, Module, callbacks, functions, length, public_classes, read_modules
from tests.house.sentences import long_sentences
from tests.house.state_types import unknown_state_words, untyped_states

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def broken_rules(root: Path) -> list[str]:
    """Return what breaks a rule in a checkout, a line each."""
    modules = read_modules(root)
    rules = (
        class_names,
        file_names,
        folder_sizes,
        function_lengths,
        file_lengths,
        callback_parameters,
        own_words,
        sentence_lengths,
        empty_assertions,
        untyped_states,
        unknown_state_words,
    )
    return [line for rule in rules for line in rule(modules)]


def class_names(modules: Sequence[Module]) -> Iterator[str]:
    """A public class has one meaning in the whole program."""
    places = defaultdict(list)
    for module in modules:
        if module.root in SOURCES:
            for name in public_classes(module):
                places[name].append(module.path)
    for name, paths in sorted(places.items()):
        if len(paths) > 1:
            yield f"class {name} has {len(paths)} meanings: {', '.join(paths)}"


def file_names(modules: Sequence[Module]) -> Iterator[str]:
    """A file is found by its name: few names are used twice, and none in neighbouring folders."""
    places = defaultdict(list)
    for module in modules:
        if module.name not in limits.PRESCRIBED:
            places[module.name].append(module)
    twice = {name: found for name, found in places.items() if len(found) > 1}
    if len(twice) > limits.FILE_NAMES_TWICE:
        yield f"{len(twice)} file names are used twice, {limits.FILE_NAMES_TWICE} may be: {', '.join(sorted(twice))}"
    for name, found in sorted(twice.items()):
        parents = Counter(module.folder.rpartition("/")[0] for module in found)
        for parent in (parent for parent, count in parents.items() if count > 1):
            yield f"{name} lies in neighbouring folders of {parent}"


def folder_sizes(modules: Sequence[Module]) -> Iterator[str]:
    """A folder is read at a glance."""
    for folder, count in sorted(Counter(module.folder for module in modules).items()):
        if count > limits.FOLDER_FILES:
            yield f"{folder} has {count} files, {limits.FOLDER_FILES} may be"


def function_lengths(modules: Sequence[Module]) -> Iterator[str]:
    """A function is seen whole on a screen."""
    long = defaultdict(list)
    for module in modules:
        for function in functions(module):
            if length(function) > limits.FUNCTION_LINES:
                long[module.root].append(f"{module.path}:{function.lineno} {function.name} ({length(function)})")
    yield from _ratchet(long, limits.LONG_FUNCTIONS, f"functions of more than {limits.FUNCTION_LINES} lines")


def file_lengths(modules: Sequence[Module]) -> Iterator[str]:
    """A file near 400 lines is asking to be two."""
    long = defaultdict(list)
    for module in modules:
        if module.lines > limits.FILE_LINES:
            long[module.root].append(f"{module.path} ({module.lines})")
    yield from _ratchet(long, limits.LONG_FILES, f"files of more than {limits.FILE_LINES} lines")


def sentence_lengths(modules: Sequence[Module]) -> Iterator[str]:
    """A sentence of a docstring holds one thought."""
    long: defaultdict[str, list[str]] = defaultdict(list)
    for module in modules:
        long[module.root] += long_sentences(module, limits.SENTENCE_WORDS)
    what = f"sentences of docstrings have more than {limits.SENTENCE_WORDS} words"
    for root, most in limits.LONG_SENTENCES.items():
        if len(long[root]) > most:
            yield "\n".join((f"{root}: {len(long[root])} {what}, {most} may:", *(f"  {one}" for one in long[root])))


def callback_parameters(modules: Sequence[Module]) -> Iterator[str]:
    """What is handed to a constructor to be called back is kept to few."""
    count = sum(1 for module in modules if module.root in SOURCES for _ in callbacks(module))
    if count > limits.CALLBACKS:
        yield f"constructors take {count} callbacks, {limits.CALLBACKS} may be"


def own_words(modules: Sequence[Module]) -> Iterator[str]:
    """Classes and modules are called by the field's words."""
    for module in modules:
        if module.root not in SOURCES:
            continue
        names = [module.name.removesuffix(".py"), *public_classes(module)]
        for name in names:
            for word in {word.lower() for part in name.split("_") for word in _WORD.findall(part)} & set(limits.WORDS):
                yield f"{module.path}: {name} says {word!r}; the field says {limits.WORDS[word]!r}"


def empty_assertions(modules: Sequence[Module]) -> Iterator[str]:
    """A test asserts something even where the collection that it goes through is empty."""
    constants = filled_constants(modules)
    for module in (module for module in modules if module.root == "tests"):
        for test in weak_tests(module, constants):
            yield f"{module.path}:{test.lineno} {test.name} asserts only over what may be empty; assert that it is not"


def _ratchet(found: dict[str, list[str]], allowed: dict[str, int], what: str) -> Iterator[str]:
    for root, count in allowed.items():
        if len(found[root]) > count:
            yield f"{root}: {len(found[root])} {what}, {count} may be: {', '.join(sorted(found[root]))}"
