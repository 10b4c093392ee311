"""Types for the fields of a configuration: text such as `1h30m` or `1MiB` becomes a number when a plan is read."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from switchover_checks.units import parse_duration, parse_size

__all__ = ["Duration", "Size"]

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
