"""A step of a plan: what it does, how its end is judged, how it is undone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from switchover.plan.command_model import ARGV_WORDS, RUN_WORDS, Argv, command_text
from switchover.plan.field_types import (
    DUE_WORDS,
    NOT_BEFORE_WORDS,
    WINDOW_WORDS,
    Env,
    ExactText,
    Flag,
    MemberName,
    Model,
    Name,
    Span,
    StepEffect,
    Text,
    Timeout,
    ValueType,
    WindowText,
)
from switchover.plan.people_model import ChecklistItem

__all__ = ["Confirm", "Output", "RollbackAction", "Step", "UndoneBy", "Verify"]


class Confirm(Model):
    """What must be typed before a step runs, and what must hold at that moment."""

    text: ExactText = Field(description="the text to type; it should name the target")
    require: tuple[str, ...] = Field((), description="checks that must be fine at that moment")
    cooldown: Span = Field(0.0, description="so long it waits after its turn has come: 10m, 24h")
    not_before: str | None = Field(
        None, description="the earliest moment: 2026-01-31T22:00Z, or `phase.NAME + 24h` after its end"
    )
    persons: Annotated[int, Field(strict=True, ge=1, le=2)] = Field(
        1, description="2 asks for the word of a second account"
    )


class RollbackAction(Model):
    """How one step is undone."""

    run: str | None = Field(None, description=RUN_WORDS)
    argv: Argv | None = Field(None, description=ARGV_WORDS)
    env: Env = Field(default_factory=dict, description="variables of the command; secrets belong here")
    cwd: str | None = Field(None, description="the folder in which it runs, else that of the step")
    timeout: Timeout = Field(600.0, description="it is ended after that time: 30s, 1h30m")
    expect_duration: Span | None = Field(None, description="how long it should take: 30s, 1h30m")
    effect: StepEffect = Field("changes", description="what it changes")
    run_on: Name | None = Field(None, description="the host on which it runs, else that of the step")

    @property
    def command(self) -> str:
        """The command as a person reads it."""
        return command_text(self.run, self.argv)


class UndoneBy(Model):
    """Another step whose rollback undoes this one too."""

    undone_by: str = Field(description="the step whose rollback undoes this one too")


class Verify(Model):
    """Checks that decide an unknown outcome: where all are fine, the step was done."""

    verify: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="checks that tell whether it was done; where all are fine, it counts as done"
    )


class Output(Model):
    """A value that a step prints for later steps and checks."""

    from_: str = Field(alias="from", description="stdout:/regex with one group/, or json:.path")
    secret: Flag = Field(False, description="nobody may read it, such as a new password; later steps get it")
    type: ValueType = Field("str", description="what kind of value it is; another is no output, and said so")


def _put_out_how(value: Any) -> str:
    return "(more)" if isinstance(value, Output | dict) else "(word)"


def _undone_how(value: Any) -> str:
    if isinstance(value, UndoneBy) or (isinstance(value, dict) and "undone_by" in value):
        return "(another)"
    return "(command)" if isinstance(value, RollbackAction | dict) else "(word)"


def _decided_how(value: Any) -> str:
    return "(checks)" if isinstance(value, Verify | dict) else "(word)"


Rollback = Annotated[
    Annotated[RollbackAction, Tag("(command)")]
    | Annotated[UndoneBy, Tag("(another)")]
    | Annotated[Literal["not_needed", "impossible"], Tag("(word)")],
    Discriminator(_undone_how),
]
AnyOutput = Annotated[Annotated[Output, Tag("(more)")] | Annotated[str, Tag("(word)")], Discriminator(_put_out_how)]
ExitCode = Annotated[int, Field(strict=True, ge=0, le=255)]
OnUnknown = Annotated[
    Annotated[Verify, Tag("(checks)")] | Annotated[Literal["ask", "rerun"], Tag("(word)")],
    Discriminator(_decided_how),
]


class Step(Model):
    """One thing to do: a command (`run` or `argv`) or items for a person to tick (`checklist`)."""

    id: MemberName = Field(description="its name, unique in the plan")
    title: Text | None = Field(None, description="how it is called on the screen")
    run: str | None = Field(None, description=RUN_WORDS)
    argv: Argv | None = Field(None, description=ARGV_WORDS)
    checklist: tuple[ChecklistItem, ...] = Field((), description="items for a person to tick")
    env: Env = Field(default_factory=dict, description="variables of the command; secrets belong here")
    cwd: str | None = Field(None, description="the folder in which it runs, else that of the plan")
    timeout: Timeout = Field(3600.0, description="it is ended after that time: 30s, 1h30m")
    expect_duration: Span | None = Field(
        None, description="how long it should take: 30s, 1h30m; a line `progress: 40 %` of its output says it better"
    )
    effect: StepEffect | None = Field(None, description="what it changes")
    confirm: Confirm | None = Field(None, description="what must be typed before it runs")
    on_unknown: OnUnknown = Field("ask", description="what a resume may do when the outcome is unknown")
    ok: tuple[ExitCode, ...] = Field((0,), min_length=1, description="exit codes that end it well")
    unknown: tuple[ExitCode, ...] | None = Field(
        None, description="exit codes that leave open what it did; 255 where ssh or the like is in it"
    )
    timeout_means: Literal["unknown", "failed"] | None = Field(
        None, description="what a timeout counts as; else failed, and unknown where ssh or the like is in it"
    )
    ready: tuple[str, ...] = Field((), description="checks that must be fine before it is done and the next one begins")
    ready_within: Timeout = Field(60.0, description="how long that may take after its end: 1m, 5m")
    only_if: str | None = Field(
        None,
        description="it runs only where this holds when its turn comes: variables, step.NAME.OUTPUT, CHECK == OK; "
        "judged once",
    )
    again: Flag = Field(False, description="it may be repeated after it is done, on a person's word")
    outputs: dict[Name, AnyOutput] = Field(
        default_factory=dict,
        description="what later steps and checks get of it, also where it fails: NAME: stdout:/regex with one group/, "
        "or NAME: json:.path",
    )
    rollback: Rollback | None = Field(
        None,
        description="how it is undone: a command; `not_needed`; `impossible`, which asks for `confirm` and a backup; "
        "or the step whose rollback undoes this one too",
    )
    parallel: Name | None = Field(
        None, description="steps that follow each other and say the same name run side by side"
    )
    files: tuple[str, ...] = Field(
        (),
        description="what it executes, such as migration/*.sh: frozen with the plan; not run when edited since",
    )
    keep: tuple[str, ...] = Field(
        (), description="what it leaves, such as results/*.xml: copied into the run's folder, and listed in the report"
    )
    blast_radius: Text | None = Field(None, description="what it may hurt, in words")
    not_before: str | None = Field(None, description=NOT_BEFORE_WORDS)
    window: WindowText | None = Field(None, description=WINDOW_WORDS)
    due: Span | None = Field(None, description=DUE_WORDS)
    max_output: Annotated[int, Field(strict=True, gt=0)] | None = Field(
        None, description="so many bytes of its output are kept"
    )
    uses: str | None = Field(
        None, description="a file in the plan's folder whose steps stand here; its names get this step's id in front"
    )
    with_: dict[Name, str | int | float | bool] = Field(
        default_factory=dict, alias="with", description="the inputs of the file that is used"
    )
    run_on: Name | None = Field(None, description="the host of `hosts` on which it runs, else this one")
    serial: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        1, description="on so many machines of a group at a time"
    )
    max_fail: Annotated[int, Field(strict=True, ge=0, le=1000)] = Field(
        0, description="no further machine begins once more than so many have failed"
    )

    @property
    def command(self) -> str:
        """The command as a person reads it; empty where there is none."""
        return command_text(self.run, self.argv)

    @property
    def undo(self) -> RollbackAction | None:
        """The command that undoes it, where it has one of its own."""
        return self.rollback if isinstance(self.rollback, RollbackAction) else None

    @property
    def undone_by(self) -> str:
        """The step whose rollback undoes this one too; empty where there is none."""
        return self.rollback.undone_by if isinstance(self.rollback, UndoneBy) else ""

    @property
    def irreversible(self) -> bool:
        """Whether it cannot be undone. Such a step needs a typed confirmation that rests on a backup."""
        return self.rollback == "impossible"

    @property
    def verify(self) -> tuple[str, ...]:
        """The checks that tell whether it was done, where they decide an unknown outcome."""
        return self.on_unknown.verify if isinstance(self.on_unknown, Verify) else ()

    @property
    def captures(self) -> dict[str, Output]:
        """Its outputs, each with all that may be said of it."""
        return {
            name: Output.model_validate({"from": output}) if isinstance(output, str) else output
            for name, output in self.outputs.items()
        }

    @property
    def undo_note(self) -> str:
        """What the plan says of its undo, where it has no command of its own; empty where it says nothing."""
        if self.undone_by:
            return f"undone with {self.undone_by}"
        return {"not_needed": "not needed", "impossible": "impossible"}.get(str(self.rollback), "")
