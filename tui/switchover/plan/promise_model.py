"""What a migration promises, and how it is measured."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from switchover.plan.field_types import Model, Text

__all__ = ["Promise", "PromiseValue"]


class PromiseValue(Model):
    """One side of a promise: a number, or what measures it."""

    value: float | str = Field(description="a number, or CHECK.METRIC")

    @model_validator(mode="before")
    @classmethod
    def _of_the_first_edition(cls, given: Any) -> Any:
        if isinstance(given, str | int | float) and not isinstance(given, bool):
            raise ValueError(f"write {{value: {given}}}")  # noqa: TRY004 - pydantic tells a ValueError to the user
        return given


class Promise(Model):
    """A promise of the migration, proved or refuted by measuring before and after."""

    title: Text = Field(description="how it is called in the report")
    unit: str = Field("", description="what stands behind the numbers")
    before: PromiseValue = Field(description="what it is compared with, measured as the run starts")
    after: PromiseValue = Field(description="what is to be better, measured by the gate that proves it")
    target: str = Field(description="an expression over `before` and `after`, such as `after < before / 2`")
