"""Types for the fields of a configuration. A text such as `1h30m` or `1MiB` becomes a number when a plan is read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from switchover_checks.language.expect import AS_LIST
from switchover_checks.language.patterns import Pattern, compile_pattern
from switchover_checks.language.suggest import did_you_mean
from switchover_checks.language.thresholds import Range, parse_range
from switchover_checks.language.units import parse_duration, parse_size

__all__ = [
    "Duration",
    "FreeThreshold",
    "LocalPort",
    "RegularExpression",
    "Share",
    "Size",
    "Texts",
    "Threshold",
    "one_of",
]

Texts = Annotated[tuple[str, ...], AS_LIST]
"""A list of texts; one alone needs no list."""
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": ["string", "number"], "description": "a duration: 500ms, 30s, 5m, 1h30m, 2d"}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "description": "a size: 4096, 20KB, 1MiB, 2GiB"}),
]
Threshold = Annotated[Range, PlainValidator(parse_range, json_schema_input_type=str | float)]
"""A range of monitoring plugins: `10:` alerts below 10, `20%:` below a share."""
FreeThreshold = Annotated[
    Range, PlainValidator(partial(parse_range, of_whole=True), json_schema_input_type=str | float)
]
"""A range of what is free of a whole: `20%:`, `5GiB:`; a bare number means percent."""


def _pattern(value: object) -> Pattern:
    if isinstance(value, Pattern):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a regular expression is text, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return compile_pattern(value)


RegularExpression = Annotated[Pattern, PlainValidator(_pattern, json_schema_input_type=str)]
"""A pattern whose cost is bounded."""


def _port(value: object) -> int:
    text = str(value).strip()
    number = text.rpartition(":")[2]
    if isinstance(value, bool) or not number.isdecimal() or not 1 <= int(number) <= 65535:
        raise ValueError(f"{value!r} is not a port; write 1 to 65535")
    return int(number)


LocalPort = Annotated[int, PlainValidator(_port, json_schema_input_type=int | str)]
"""A port; of `127.0.0.1:8080` the port is meant."""


def _share(value: object) -> float:
    text = str(value).strip()
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if isinstance(value, bool) or not 0 < share <= 1:
        raise ValueError(f"{value!r} is not a share; write 80% or 0.8")
    return share


Share = Annotated[float, PlainValidator(_share, json_schema_input_type=float | str)]
"""A part of a whole, 0 to 1, or in percent."""


def one_of(what: str, names: Iterable[str]) -> PlainValidator:
    """Return what makes a text one of `names`; of another one it says `there is no WHAT` and the nearest."""
    known = tuple(names)

    def chosen(value: object) -> str:
        if value not in known:
            raise ValueError(f"there is no {what} {value!r}{did_you_mean(str(value), known)}")
        return str(value)

    return PlainValidator(chosen, json_schema_input_type=Literal.__getitem__(known))
