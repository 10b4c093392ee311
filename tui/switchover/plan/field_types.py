"""What the fields of a plan are made of: names, texts, times, environments of commands."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from switchover.plan.notations import parse_window
from switchover.snapshot.states import StepEffect
from switchover_checks.language.fields import Duration
from switchover_checks.unknown_secrets import redact_unknown

__all__ = [
    "DUE_WORDS",
    "NOT_BEFORE_WORDS",
    "SINCE_WORDS",
    "UNTIL_WORDS",
    "WINDOW_WORDS",
    "Env",
    "EnvName",
    "ExactText",
    "Flag",
    "Interval",
    "KeyedSpec",
    "MemberName",
    "Model",
    "Name",
    "Span",
    "StepEffect",
    "Text",
    "Timeout",
    "ValueType",
    "WindowText",
    "WrittenNumber",
    "WrittenText",
    "figure_as_written",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
# The name of a part that a loop may have made: NAME[member].
MemberName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}(?:\[[A-Za-z0-9_][A-Za-z0-9_.,-]{0,127}\])?$")
]
ExactText = Annotated[str, StringConstraints(max_length=4000)]
Text = Annotated[ExactText, AfterValidator(redact_unknown)]  # only read by people: no password noted there is shown

ValueType = Literal["str", "int", "float", "bool", "ip", "path", "url", "port"]

_YEARS = 10 * 366 * 86400
Span = Annotated[Duration, Field(le=_YEARS)]
Timeout = Annotated[Duration, Field(gt=0, le=_YEARS)]
Interval = Annotated[Duration, Field(ge=0.1, le=_YEARS)]
Flag = Annotated[bool, Strict()]


class WrittenNumber(float):
    """A number of a plan that knows how it was written: `0.20` has two decimals."""

    __slots__ = ("written",)

    def __new__(cls, value: float, written: str) -> Self:
        """Keep both."""
        made = super().__new__(cls, value)
        made.written = written
        return made

    written: str

    def __reduce__(self) -> tuple[type[WrittenNumber], tuple[float, str]]:
        """Be copied with both."""
        return WrittenNumber, (float(self), self.written)


def figure_as_written(value: object) -> object:
    """Take numbers as the text in which they were written, with all of its decimals."""
    return value.written if isinstance(value, WrittenNumber) else _as_written(value)


def _as_written(value: object) -> object:
    """Take whole numbers as text; `1.10` and `true` would change on the way, so they must stand in quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


WrittenText = Annotated[str, BeforeValidator(_as_written)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Env = dict[EnvName, WrittenText]


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


def _checked_window(text: str) -> str:
    parse_window(text)
    return text


WindowText = Annotated[Text, AfterValidator(_checked_window)]
NOT_BEFORE_WORDS = "it begins no earlier: 2026-01-31T22:00Z, or `phase.NAME + 24h` after its end"
WINDOW_WORDS = (
    "it begins only then, and goes on once it has begun: Sat 22:00-06:00 Europe/Paris, Mon-Fri 09:00-17:00 UTC, "
    "2026-01-31 22:00-06:00 UTC"
)
SINCE_WORDS = "PHASE: once that phase starts; PHASE.STEP: once that step has ended well; run: from the beginning"
UNTIL_WORDS = "PHASE: until that phase has ended; PHASE.STEP: until that step starts"
DUE_WORDS = "so long after its turn has come it should be through: 2h, 5d"
