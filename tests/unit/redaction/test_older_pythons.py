"""Patterns that every supported Python reads alike."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import switchover
import switchover_checks

FOLDERS = [Path(package.__file__ or "").parent for package in (switchover, switchover_checks)]
POSSESSIVE = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")
"""A group that gives nothing back. Python before 3.11.5 may then match from the end to the beginning, for ever."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_pattern_has_a_group_that_gives_nothing_back(folder: Path) -> None:
    files = sorted(folder.rglob("*.py"))
    assert files
    assert [place for path in files for place in _places(path)] == []


def _places(path: Path) -> Iterator[str]:
    with path.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            if token.type == tokenize.STRING and "r" in token.string[:2] and POSSESSIVE.search(token.string):
                yield f"{path}:{token.start[0]}: {token.string}"
