"""The one table of what secrets look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from switchover_checks.unknown_secrets import (
    address_rules,
    argument_rules,
    command_rules,
    protocol_rules,
    shape_rules,
    text_rules,
)
from switchover_checks.unknown_secrets.named_values import Named

__all__ = ["BY_NEED", "TABLE"]


class _Rule(Protocol):
    @property
    def name(self) -> str:
        """What it finds."""

    @property
    def needs(self) -> str:
        """What a text has that is searched at all."""

    @property
    def signs(self) -> tuple[str, ...]:
        """What the text is searched for, in small letters."""

    def at(self, text: str, place: int) -> Iterator[tuple[int, int]]:
        """Yield where secrets are whose sign stands at `place`."""


TABLE: tuple[_Rule, ...] = (
    Named(),
    *address_rules.RULES,
    *text_rules.RULES,
    *protocol_rules.RULES,
    *command_rules.RULES,
    *argument_rules.RULES,
    *shape_rules.RULES,
)
_NEEDS = dict.fromkeys(rule.needs for rule in TABLE)
BY_NEED: Mapping[str, Mapping[str, tuple[_Rule, ...]]] = {
    need: {
        sign: tuple(rule for rule in TABLE if rule.needs == need and sign in rule.signs)
        for sign in dict.fromkeys(sign for rule in TABLE if rule.needs == need for sign in rule.signs)
    }
    for need in _NEEDS
}
"""The rules by what a text needs to have, and by their signs."""
