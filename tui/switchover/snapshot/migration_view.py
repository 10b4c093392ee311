"""The run as the wizard shows it."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.gate_view import GateView, Requirement
from switchover.snapshot.rollback_paths_view import RollbackRun, RollbackView
from switchover.snapshot.states import ActionKind, EvidenceWord, PromiseWord, StageWord, StatedEffect

__all__ = ["ActionView", "ChecklistItemView", "MachineView", "MigrationView", "PhaseView", "PromiseView", "StepView"]


@dataclass(frozen=True, slots=True)
class ChecklistItemView:
    """An item that a human ticks. `asks`: none, text, file, url; `lost`: what is wrong with the kept file."""

    text: str
    done: bool = False
    who: str = ""
    at: float | None = None
    evidence: str = ""
    asks: EvidenceWord = "none"
    check: str = ""
    owner: str = ""
    optional: bool = False
    file: str = ""
    sha256: str = ""
    lost: str = ""


@dataclass(frozen=True, slots=True)
class MachineView:
    """What became of a step on one machine of its group. `unit` is the name under which its output is read."""

    name: str
    unit: str
    state: StageWord
    attempts: int = 0
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as the wizard shows it. `command` is the exact text; `env` is what it gets, never values of secrets.

    It runs on the host `run_on`; where that is a group, on each of its `machines`. `rollback` is the command that
    undoes it. Where it has none of its own, `undo_note` says what the plan says of that. While it runs, `progress` is
    the share of it, from 0 to 1, that its own output tells.
    """

    id: str
    title: str
    state: StageWord
    effect: StatedEffect
    command: str = ""
    env: tuple[tuple[str, str], ...] = ()
    irreversible: bool = False
    confirm_text: str = ""
    confirm_require: tuple[str, ...] = ()
    attempts: int = 0
    exit_code: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    expect_s: float | None = None
    timeout_s: float | None = None
    reason: str = ""
    blast_radius: str = ""
    rollback: str = ""
    undo_note: str = ""
    rollback_expect_s: float | None = None
    checklist: tuple[ChecklistItemView, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    persons: int = 1
    confirmed_by: tuple[str, ...] = ()
    ready_at: float | None = None
    due_at: float | None = None
    requirements: tuple[Requirement, ...] = ()
    run_on: str = ""
    machines: tuple[MachineView, ...] = ()
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase with its steps and its gate. `group` is a heading over it and those beside it."""

    id: str
    title: str
    state: StageWord
    steps: tuple[StepView, ...] = ()
    gate: GateView | None = None
    started_at: float | None = None
    ended_at: float | None = None
    group: str = ""
    due_at: float | None = None
    window: str = ""


@dataclass(frozen=True, slots=True)
class ActionView:
    """What enter would do now.

    `kind`: start, step, checklist, confirm, gate, human, decide, resolve, failed, done, wait, later, none.
    """

    kind: ActionKind = "none"
    target: str = ""
    text: str = ""
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class PromiseView:
    """A promised improvement. `state`: pending, met, missed, unknown."""

    name: str
    title: str
    unit: str
    before: float | None
    after: float | None
    target: str
    state: PromiseWord


@dataclass(frozen=True, slots=True)
class MigrationView:
    """The run as the wizard shows it. `state`: pending running waiting done failed unknown rolled_back aborted.

    `not_believed` says what stands in the journal that no run wrote; nothing here rests on that, and nothing is done.
    `journal_refused` says why, since when and what shows more; nothing of the run is known then, and nothing is done.
    `put_off` says until when the run waits to go on by itself, or what came of that.
    `held_elsewhere` says who holds the target from another workspace of this host; none begins here meanwhile.
    """

    run_id: str = ""
    state: StageWord = "pending"
    phases: tuple[PhaseView, ...] = ()
    current_phase: str = ""
    current_step: str = ""
    action: ActionView = ActionView()
    rollbacks: tuple[RollbackView, ...] = ()
    promises: tuple[PromiseView, ...] = ()
    started_at: float | None = None
    ended_at: float | None = None
    remaining_s: float | None = None
    output_step: str = ""
    output_attempt: int = 0
    output: tuple[str, ...] = ()
    output_bytes: int = 0
    rolling_back: str = ""
    started_by: str = ""
    variables_needed: tuple[tuple[str, str, str], ...] = ()
    rollback: RollbackRun | None = None
    not_believed: str = ""
    held_elsewhere: str = ""
    put_off: str = ""
    journal_refused: str = ""
    to_gate: bool = False  # the next step begins by itself, up to the next gate
