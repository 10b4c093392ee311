"""What happened to a step, or to an action of a rollback."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from switchover.migration.facts.gate_events import Evidence
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.outcome_rules import OutcomeRules
from switchover.snapshot.states import ResolvedAs

__all__ = [
    "ConfirmationGiven",
    "EvidenceFile",
    "FarPlace",
    "Outcome",
    "Place",
    "StepEnded",
    "StepEndedLate",
    "StepNotReady",
    "StepNotStarted",
    "StepReady",
    "StepResolved",
    "StepRetried",
    "StepSkipped",
    "StepStarted",
    "StepUnknown",
    "Ticked",
]

Outcome = Literal["done", "failed", "timeout", "aborted", "unknown"]


@dataclass(frozen=True, slots=True)
class ConfirmationGiven:
    """A person typed the text that a step demands."""

    step: str
    by: Operator
    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit's process, records and output are, and can be judged: `machine` is a digest of the machine's id.

    `workspace` is the id of the folder, by which clones of a machine are told apart.
    """

    host: str
    machine: str
    directory: str
    workspace: str = ""

    def __str__(self) -> str:
        own = f", workspace {self.workspace[:8]}" if self.workspace else ""
        return f"{self.host} (its records are in {self.directory}{own})"

    def may_be(self, other: Place) -> bool:
        """Whether it is the same place, or could be: a missing id proves nothing."""
        same = (self.host, self.machine, self.directory) == (other.host, other.machine, other.directory)
        return same and (not self.workspace or not other.workspace or self.workspace == other.workspace)


@dataclass(frozen=True, slots=True)
class FarPlace:
    """Where a unit runs on another machine, by the plan and for ssh, and the folder of its records there.

    `prepared` tells the files that were set aside there from all others; `boot_id` is that of the machine then.
    """

    host: str
    ssh: str
    directory: str
    prepared: str
    boot_id: str

    @property
    def name(self) -> str:
        """The last part of the folder's name."""
        return self.directory.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Written before anything runs. `rollback` is the command that would undo it; `place` None is where it is read.

    `prepared` tells the files that were set aside for its records from all others: while they stand, nothing ran.
    `far` is where it runs, if that is another machine. `members` are its parts, one for each machine of a group.
    """

    unit: str
    attempt: int
    by: Operator
    argv: tuple[str, ...]
    argv_digest: str
    env_names: tuple[str, ...]
    cwd: str
    plan_digest: str
    timeout_s: float
    rollback: str = ""
    confirmed: str = ""
    evidence: tuple[Evidence, ...] = ()
    place: Place | None = None
    prepared: str = ""
    rules: OutcomeRules = field(default_factory=OutcomeRules)
    condition: str = ""
    beside: tuple[str, ...] = ()
    far: FarPlace | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepEnded:
    """Written before any screen says how it ended. `exit_code`: negative for a signal, None if nothing was executed.

    `output_sha256` vouches for the output that was kept; empty where there is none. `remote` are the programs in it
    that handed work to another machine or a server. Where one of them was cut off, the outcome is unknown.
    Everybody may read `outputs`. `sealed` holds, encrypted, what later steps get instead where one holds a secret.
    """

    unit: str
    attempt: int
    outcome: Outcome
    exit_code: int | None
    duration_s: float
    reason: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    output_bytes: int = 0
    output_sha256: str = ""
    remote: tuple[str, ...] = ()
    sealed: dict[str, str] = field(default_factory=dict)
    kept: tuple[EvidenceFile, ...] = ()


@dataclass(frozen=True, slots=True)
class StepReady:
    """What a step that ended well is to bring about was there after `waited_s`: only now it is done."""

    unit: str
    attempt: int
    waited_s: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class StepNotReady:
    """A step ended well, and what it is to bring about was not there in time, or nobody waited on."""

    unit: str
    attempt: int
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step's `only_if` did not hold when its turn came; `found` says what was looked at. It is judged once."""

    unit: str
    condition: str
    found: str
    by: Operator


@dataclass(frozen=True, slots=True)
class StepUnknown:
    """It started, and nobody can say how it ended. `remote`: see `StepEnded`."""

    unit: str
    attempt: int
    reason: str
    remote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepEndedLate:
    """How an attempt ended, known only after its outcome was on record as unknown. What followed stays."""

    unit: str
    attempt: int
    outcome: Outcome
    exit_code: int | None
    duration_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepNotStarted:
    """It was announced but proved never to have begun; it may run without being run twice."""

    unit: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class StepResolved:
    """Somebody decided what an unknown outcome counts as; where `policy` is set, the plan's `on_unknown` did."""

    unit: str
    attempt: int
    choice: ResolvedAs
    reason: str
    by: Operator
    evidence: tuple[Evidence, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A person let a unit run again that failed, or a done step whose gate is not passed yet.

    `gate` is the phase of such a step: what its gate saw up to now no longer counts. With `again`, the plan lets it run
    again whenever it is done.
    """

    unit: str
    by: Operator
    gate: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that was copied into the run's folder, as it was then: `kept` is its place there."""

    name: str
    kept: str
    sha256: str
    size: int
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Ticked:
    """A person did one item of a checklist; `complete` when nothing more has to be. `seen` is the check it rests on."""

    step: str
    item: int
    evidence: str
    by: Operator
    complete: bool
    file: EvidenceFile | None = None
    seen: tuple[Evidence, ...] = ()
