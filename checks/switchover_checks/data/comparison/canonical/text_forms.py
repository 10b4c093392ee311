"""In which form the values of a column are written as text, by the type that one side declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from switchover_checks.data.comparison.row_keys import OddKeyError, RowKey

__all__ = ["BREAK", "EXACT_DIGITS", "FLOATS", "NULL", "ODD", "CanonicalKeys", "TextForm", "key_form"]

NULL, ODD, BREAK = "~", "?", "|"
FLOATS = "floats to 14 digits"
EXACT_DIGITS = 15
"""A float of no more digits is written with all of them."""


class TextForm(StrEnum):
    """What a column's text looks like."""

    WHOLE = "12"
    BOOLEAN = "1"
    NUMBER = "12.5"
    FLOAT = "1.25e+01"
    TEXT = "3:abc"
    PADDED = "2:ab"
    MOMENT = "2026-01-31 12:00:00.5"
    DAY = "2026-01-31"
    HOUR = "12:00:00.5"
    IDENTITY = "uuid"
    BYTES = "x00ff"
    DOCUMENT = '8:{"a": 1}'


def key_form(form: TextForm | None) -> TextForm | None:
    """Return the form of a key's column: what is no whole number is written as it lies there."""
    if form in (TextForm.WHOLE, TextForm.TEXT):
        return form
    return TextForm.TEXT if form in (TextForm.MOMENT, TextForm.DAY, TextForm.IDENTITY) else None


@dataclass(frozen=True, slots=True)
class CanonicalKeys:
    """Reads keys out of rows whose key's columns come first, in these forms."""

    forms: Sequence[TextForm]

    def read(self, line: bytes) -> RowKey:
        """Read the key of one row. Raise `OddKeyError`."""
        place = 0
        values: list[int | str] = []
        order: list[int | bytes] = []
        for form in self.forms:
            head, _, rest = line[place : place + 40].partition(b":" if form is TextForm.TEXT else BREAK.encode())
            try:
                number = int(head)
            except ValueError:
                raise OddKeyError from None
            del rest
            place += len(head) + 1
            if form is TextForm.WHOLE:
                values.append(number)
                order.append(number)
                continue
            text = line[place : place + number]
            place += number + 1
            values.append(text.decode("utf-8", "surrogateescape"))
            order.append(text)
        return RowKey(tuple(order), tuple(values))
