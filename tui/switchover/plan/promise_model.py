"""What a migration promises, and how it is measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from switchover.plan.field_types import Flag, Model, Name, Text

__all__ = ["Promise", "PromiseValue", "measured_item"]


class PromiseValue(Model):
    """One side of a promise: a number, or what measures it."""

    value: float | str = Field(
        description="a number, CHECK.METRIC, a metric of the plan, step.NAME.seconds or step.NAME.OUTPUT"
    )
    phase: Name | None = Field(
        None,
        alias="in",
        description="measured as that phase ends; else at the run's start, or by the gate that proves it",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_the_first_edition(cls, given: Any) -> Any:
        if isinstance(given, str | int | float) and not isinstance(given, bool):
            raise ValueError(f"write {{value: {given}}}")  # noqa: TRY004 - pydantic tells a ValueError to the user
        return given


def measured_item(source: str) -> tuple[str, str]:
    """Return the check and its number that a value names. A metric of the plan has no name of a number."""
    head, bracket, rest = source.partition("[")
    if not bracket:
        item, _, number = source.partition(".")
        return item, number
    member, _, number = rest.partition("]")
    return f"{head}[{member}]", number.removeprefix(".")


class Promise(Model):
    """A promise of the migration, proved or refuted by measuring before and after."""

    title: Text = Field(description="how it is called in the report")
    unit: str = Field("", description="what stands behind the numbers; values in ms, KiB or % are turned into it")
    before: PromiseValue | None = Field(
        None, description="what it is compared with; a promise may do without, as in `after < 1`"
    )
    after: PromiseValue = Field(description="what is to be better")
    target: str = Field(
        description="an expression over `before` and `after`, such as `after < before / 2` or `after < 1s`"
    )
    samples: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        1, description="how often each value is measured, a second apart"
    )
    take: Literal["median", "p95"] = Field("median", description="what counts of several samples")
    blocks: Flag = Field(True, description="a gate that proves it stays shut until it is kept")
