"""Types for the fields of a configuration: text such as `1h30m` or `1MiB` becomes a number when a plan is read."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from switchover_checks.patterns import Pattern, compile_pattern
from switchover_checks.thresholds import Range, parse_range
from switchover_checks.units import parse_duration, parse_size

__all__ = ["Duration", "RegularExpression", "Size", "Threshold"]

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


def _pattern(value: object) -> Pattern:
    if isinstance(value, Pattern):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a regular expression is text, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return compile_pattern(value)


RegularExpression = Annotated[Pattern, PlainValidator(_pattern, json_schema_input_type=str)]
"""A pattern whose cost is bounded."""
