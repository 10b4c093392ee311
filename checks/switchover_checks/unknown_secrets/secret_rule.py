"""A rule of the table: a sign that a text is searched for, and a pattern tried where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property

from switchover_checks.unknown_secrets.secret_words import is_said, is_value

__all__ = ["ARGUMENT", "BARE", "VALUE", "SecretRule", "found", "further"]

BARE = (
    r"(?P<s>(?![\[({<|,;=\"'`])(?:[^\s\"'`&;,)\]}\\<>]"
    r"|[<>](?!\s)"
    r"|[,;&)\]}](?![\s,;&)\]}\"'\\]|\Z|\\*[\"']?[\w.-]{1,40}\\*[\"']?\s{0,3}[=:])"
    r"|\\(?![nrt\"'\\])"
    r"|[\"'`](?![\s,;:)\]}\\]|\Z)){1,4096})"
)
"""A value without quotes. What ends it may stand in it, where more of it seems to follow."""

VALUE = rf"(?:[NEB]?(?P<quote>\\*[\"'`])(?P<q>(?:\\\\|\\[^\\\"'\n]|''|(?!(?P=quote))[^\n]){{1,4096}})|{BARE})"
"""A value in quotes or without."""

ARGUMENT = r"(?:'[^'\n]{0,300}'|\"[^\"\n]{0,300}\"|[^\s\"'|;]{1,300})"
"""An argument of a command that is no secret."""

_QUOTED = r"\\*\"[^\"\n|;]{0,300}[|;][^\"\n]{0,300}\"|\\*'[^'\n|;]{0,300}[|;][^'\n]{0,300}'"
_BEFORE = 260


def further(most: int = 300) -> str:
    """Return a pattern for what follows of the same command. It does not end within quotes."""
    return rf"[^\n|;]{{0,{most}}}?(?:(?:(?<=[\s=(:,])|(?<=\s-\w))(?:{_QUOTED})[^\n|;]{{0,{most}}}?){{0,4}}?"


class SecretRule:
    """Finds one kind of secret: `pattern` is tried wherever one of the `signs` (in small letters) stands.

    With `before`, it is tried on what stands before the sign, to which it has to reach. A text without what the rule
    `needs` is not searched at all. In the pattern, the secret is the group `q` (within quotes) or `s`; it is one where
    `judge` says so.
    """

    def __init__(
        self,
        name: str,
        signs: str,
        pattern: str,
        judge: Callable[[str], bool] = is_value,
        *,
        cased: bool = False,
        before: bool = False,
        needs: str = "",
    ) -> None:
        self.name = name
        self.signs = tuple(signs.split())
        self.needs = needs
        self.source = pattern
        self._judge = judge
        self._flags = re.NOFLAG if cased else re.IGNORECASE
        self._before = before

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, compiled at its first use."""
        return re.compile(self.source, self._flags)

    def at(self, text: str, place: int) -> Iterator[tuple[int, int]]:
        """Yield where secrets are whose sign stands at `place`."""
        if self._before:
            match = self.pattern.search(text, max(0, place - _BEFORE), place)
        else:
            match = self.pattern.match(text, place)
        yield from found(match, self._judge)


def found(match: re.Match[str] | None, judge: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Yield where the secret of a match lies, if it is one."""
    if match is None:
        return
    groups = match.groupdict()
    which = "q" if groups.get("q") else "s"
    if (value := groups.get(which)) and judge(value):
        start, end = match.span(which)
        yield start, start + len(value.rstrip(".,!?")) if judge is is_said else end
