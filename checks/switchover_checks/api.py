"""What a check module sees: the one page an operator reads before writing a kind of their own.

    from dataclasses import dataclass
    from switchover_checks.api import Context, Finding, Result, Status

    @dataclass(frozen=True)
    class QueueConfig:
        path: str
        "The file with a line for each that waits."
        most: int = 100
        "How many may wait."

    class QueueCheck:
        kind = "queue"
        effect = "read"
        config = QueueConfig

        async def probe(self, cfg: QueueConfig, ctx: Context) -> Result:
            waiting = len((ctx.base_dir / cfg.path).read_text().splitlines())
            return Result.of([Finding.compare("waiting", f"<= {cfg.most}", waiting, waiting <= cfg.most)])

Timeouts, retries, thresholds over time, dependencies, scheduling and alerting belong to the engine, never to a module.
"""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_args, runtime_checkable

__all__ = [
    "ChangesByConfig",
    "Check",
    "CommandOutput",
    "Context",
    "Effect",
    "Finding",
    "HttpReply",
    "Measured",
    "Measures",
    "Metric",
    "ProbeError",
    "Result",
    "Status",
    "StatusWord",
    "Streams",
    "TlsTrust",
    "worst",
]

Effect = Literal["read", "writes"]
TlsTrust = Literal["verified", "any"]
"""Whether the other side of a TLS handshake must prove who it is."""
Streams = tuple[StreamReader, StreamWriter]
StatusWord = Literal["ok", "warn", "crit", "unknown", "skipped", "pending"]
T = TypeVar("T")


class Status(IntEnum):
    """The outcome of a check. The first four are the exit codes of monitoring plugins."""

    OK = 0
    WARN = 1
    CRIT = 2
    UNKNOWN = 3
    SKIPPED = 4
    PENDING = 5

    @property
    def label(self) -> StatusWord:
        """The lower-case word for it."""
        return _LABELS[self]

    @property
    def severity(self) -> int:
        """Rank from harmless (0) to worst (5): ok, pending, skipped, warn, unknown, crit."""
        return _SEVERITY[self]


_LABELS: tuple[StatusWord, ...] = get_args(StatusWord)
_SEVERITY = {
    Status.OK: 0,
    Status.PENDING: 1,
    Status.SKIPPED: 2,
    Status.WARN: 3,
    Status.UNKNOWN: 4,
    Status.CRIT: 5,
}


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of `statuses`; of none at all `UNKNOWN`, because nothing was proved."""
    return max(statuses, key=lambda s: s.severity, default=Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that was observed: what it is, what was expected, and what was observed instead (or as expected)."""

    what: str
    expected: str
    observed: str
    status: Status
    hint: str = ""

    @classmethod
    def compare(cls, what: str, expected: object, observed: object, passed: bool, hint: str = "") -> Finding:
        """Make a finding that is OK when `passed`, else CRIT."""
        return cls(what, str(expected), str(observed), Status.OK if passed else Status.CRIT, hint)


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured number, with thresholds as Nagios ranges where the check has some."""

    name: str
    value: float
    unit: str = ""
    warn: str = ""
    crit: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that a kind declares to measure. `where` names keys of the check of which one must be set for it."""

    name: str
    unit: str
    doc: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What one probe found. Make it with `Result.of`: OK is believed only with findings, and never over a worse one.

    `phase` names how far a network probe came: dns connect tls send first_byte body parse assert.
    `evidence` is short text to keep with the run (a body's start, a command's last lines), never a secret.
    """

    status: Status
    summary: str
    findings: tuple[Finding, ...] = ()
    metrics: tuple[Metric, ...] = ()
    phase: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        findings: Sequence[Finding],
        *,
        metrics: Sequence[Metric] = (),
        phase: str = "",
        evidence: Mapping[str, str] | None = None,
        ok: str = "",
    ) -> Result:
        """Derive status and summary from `findings`; none at all are UNKNOWN. `ok` is the summary when all pass."""
        status = worst(f.status for f in findings)
        if not findings:
            summary = "nothing was looked at"
        elif status is Status.OK:
            summary = ok or f"{len(findings)} as expected"
        else:
            first = max(findings, key=lambda f: f.status.severity)
            summary = f"{first.what}: expected {first.expected}, observed {first.observed}"
        return cls(status, summary, tuple(findings), tuple(metrics), phase, dict(evidence or {}))

    @classmethod
    def unknown(cls, summary: str, *, phase: str = "", hint: str = "") -> Result:
        """Make the result of a probe that could not find out."""
        return cls(Status.UNKNOWN, summary, (Finding("probe", "an answer", summary, Status.UNKNOWN, hint),), (), phase)


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """How a command ended. `exit_code` is negative for a signal, as in `subprocess`.

    Output is decoded, and capped: then `truncated`.
    """

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP answer, its body capped, with seconds spent per phase (`dns`, `connect`, `tls`, `first_byte`, `body`)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    phases: Mapping[str, float]
    url: str = ""
    truncated: bool = False
    certificate: bytes | None = None
    """What the server showed in the TLS handshake, as DER."""

    @property
    def seconds(self) -> float:
        """The whole time of the exchange in seconds."""
        return sum(self.phases.values())


@runtime_checkable
class Context(Protocol):
    """What a probe may use. Everything with an effect on the world comes through here and ends at `deadline`."""

    @property
    def deadline(self) -> float:
        """The monotonic time (`time.monotonic()`) at which this probe is cut off."""

    @property
    def base_dir(self) -> Path:
        """The folder of the plan; relative paths of a config start here."""

    @property
    def about(self) -> str:
        """The plan's service that the check is about (its key `service`); empty where it names none."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
    ) -> CommandOutput:
        """Run a command to its end, its whole tree ended at the deadline. Raise `FileNotFoundError` if not there."""

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = False,
        verify: bool = True,
        max_body: int = 1 << 20,
        connect: str = "",
    ) -> HttpReply:
        """Make an HTTP request, at the address `connect` where given. Raise `ProbeError` with the phase that failed."""

    async def sql(self, url: str, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a read-only query against `sqlite:///path` or `postgresql://…` and return its rows."""

    async def connect(self, host: str, port: int, *, tls: TlsTrust | None = None, server_name: str = "") -> Streams:
        """Open a connection, with `tls` as far as the end of the handshake. Raise `ProbeError` with the phase.

        The other side proves that it is `server_name`, without it `host`.
        """

    async def service(self, name: str) -> Mapping[str, Any]:
        """Ask the provider of the plan's service `name` now. Raise `KeyError` if the plan has none.

        Returns `state`, `health` and `detail` as words. What it knows besides is there under its name; what it does
        not know is left out.
        """

    async def cloud(
        self, provider: str, service: str, operation: str, params: Mapping[str, Any] | None = None, *, region: str = ""
    ) -> Mapping[str, Any]:
        """Ask `aws` or `google` by the login that is configured here. Raise `ProbeError` in words.

        Of AWS the operation is that of the SDK (`describe_instances`). Of Google it is `GET /path` of the service's
        API.
        """

    async def costs(self) -> Mapping[str, Any]:
        """Return what the plan costs a month. Raise `ProbeError` where that is not known here.

        `currency`, its `digits`, `budget`; `before_`, `after_` and `both_` with `low`, `expected`, `high`: decimal
        text. `unknown` names what is in no sum.
        """

    def pushed(self) -> Mapping[str, Any]:
        """Return what a job reported last for this check by `switchover push`: `at`, `status`, `text`.

        Empty where nothing was reported yet.
        """

    def since(self, name: str) -> dict[str, Any]:
        """Return a small mapping of plain values, which the next look gets as this one leaves it.

        It outlives the agent. Empty where nothing is remembered.
        """

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far a long probe is, in any unit; `text` says what is done now. It stands on the screen.

        What `since` gives is kept as it is then, so that the next look can go on from there.
        """

    def side(self, name: str) -> Mapping[str, Any]:
        """Return the plan's side `name`, with variables filled in. Raise `KeyError` if the plan has none."""

    def secret(self, name: str) -> str:
        """Return the value of the plan's secret `name`. Raise `KeyError` if the plan has none."""

    def enter(self, phase: str) -> None:
        """Note what the probe does now, in the words of `Result.phase`; a probe that is cut off names it."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work away from the event loop. It cannot be ended from outside, so it must end by itself."""


ConfigT_contra = TypeVar("ConfigT_contra", contravariant=True)


class Check(Protocol[ConfigT_contra]):
    """A check kind. `config` is a frozen dataclass; its fields are the keys that a plan may set.

    The text below a field documents its key. `effect` is `read` where looking changes nothing, else `writes`. A kind
    that can be configured to change something is a `ChangesByConfig` besides.

    A built-in kind is one file in `kinds/` or below, which is found by itself. It declares besides, as class variables:

    * `example: str`: a check of this kind in YAML, for the reference; a test validates it.
    * `metrics: tuple[Measured, ...]`: the numbers it measures. Left out where only a probe can tell.
    * `timeout_s: float`: how long its probes may take where the plan says nothing, other than 10 seconds.
    * `apart: bool`: it works for long in Python, so its probes run in a process of their own.
    * `runs_a_process: bool`: it starts a command, of which fewer run at once.
    * `about_a_service: bool`: it needs the check's own key `service`, which it gets as `Context.about`.
    """

    kind: ClassVar[str]
    effect: ClassVar[Effect]
    config: ClassVar[type]

    async def probe(self, cfg: ConfigT_contra, ctx: Context) -> Result:
        """Look once, and say what was expected and observed. Must not retry, sleep or keep state."""


@runtime_checkable
class ChangesByConfig(Protocol[ConfigT_contra]):
    """A check kind whose configuration decides whether probing changes anything."""

    def changes(self, cfg: ConfigT_contra) -> str:
        """Say in a few words what looking may change; empty where it only reads. Must look at nothing but `cfg`."""


@runtime_checkable
class Measures(Protocol):
    """A check kind that measures more than it declares: what the keys in the plan name."""

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the metrics that these keys ask for. Values may still be templates."""


class ProbeError(Exception):
    """A probe could not get its answer; `phase` says how far it came. The runner turns it into a result."""

    def __init__(self, message: str, *, phase: str = "", status: Status = Status.CRIT) -> None:
        super().__init__(message)
        self.phase = phase
        self.status = status
