"""What the fields of a plan are made of: names, texts, times, environments of commands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from switchover.snapshot.states import StepEffect
from switchover_checks.language.fields import Duration
from switchover_checks.unknown_secrets import redact_unknown

__all__ = [
    "Env",
    "ExactText",
    "Flag",
    "Interval",
    "KeyedSpec",
    "Model",
    "Name",
    "Span",
    "StepEffect",
    "Text",
    "Timeout",
    "ValueType",
    "WrittenText",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
ExactText = Annotated[str, StringConstraints(max_length=4000)]
Text = Annotated[ExactText, AfterValidator(redact_unknown)]  # only read by people: no password noted there is shown

ValueType = Literal["str", "int", "float", "bool", "ip", "path", "url", "port"]

_YEARS = 10 * 366 * 86400
Span = Annotated[Duration, Field(le=_YEARS)]
Timeout = Annotated[Duration, Field(gt=0, le=_YEARS)]
Interval = Annotated[Duration, Field(ge=0.1, le=_YEARS)]
Flag = Annotated[bool, Strict()]


def _as_written(value: object) -> object:
    """Take whole numbers as text; `1.10` and `true` would change on the way, so they must stand in quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


WrittenText = Annotated[str, BeforeValidator(_as_written)]
Env = dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], WrittenText]


class Model(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class KeyedSpec(BaseModel):
    """What names its kind. The kind's own keys are in `config`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str

    @property
    def config(self) -> dict[str, Any]:
        """The keys that belong to the kind, still with templates."""
        return dict(self.model_extra or {})
