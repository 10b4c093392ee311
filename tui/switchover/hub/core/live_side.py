"""Which side serves now. The URL of the plan is asked, and the answer counts while it is new."""

from __future__ import annotations

from switchover.clock import Clock
from switchover.costs.estimate import sides
from switchover.metrics.json_documents import JsonDocuments, NoValueError, dotted
from switchover.plan.model import LiveProbe, Plan
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render

__all__ = ["LiveSide"]


class LiveSide:
    """Remembers the answer. `last` is the newest side that was ever named; `why` says what is wrong with the answer."""

    def __init__(self, plan: Plan, probe: LiveProbe, documents: JsonDocuments, clock: Clock) -> None:
        self._plan = plan
        self._probe = probe
        self._documents = documents
        self._clock = clock
        self._side = ""
        self._answered: float | None = None
        self.last = ""
        self.why = "not asked yet"

    @property
    def side(self) -> str:
        """The side that serves now; empty when the last answer failed or is too old."""
        if self._answered is None or self._clock.monotonic() - self._answered > 3 * self._probe.every + 5.0:
            return ""
        return self._side

    async def ask(self, scope: Scope) -> bool:
        """Ask once; return whether anything changed."""
        before = (self._side, self.why)
        try:
            value = dotted(await self._documents.document(render(self._probe.url, scope)), self._probe.path)
            self._side, self.why = self._environment(value), ""
            self.last = self._side
        except MissingValueError as missing:
            self._side, self.why = "", f"waits for variable {missing.name}"
        except (NoValueError, TemplateError) as error:
            self._side, self.why = "", str(error)
        self._answered = self._clock.monotonic()
        return before != (self._side, self.why)

    def _environment(self, value: object) -> str:
        if not isinstance(value, str):
            raise NoValueError(f"names no side but {str(value)[:40]!r}")
        first, second = sides(self._plan)
        aliases = {"old": first, "new": second}
        side = value if value in self._plan.sides else aliases.get(value, "")
        if not side:
            names = ", ".join(self._plan.sides) or "none"
            raise NoValueError(f"names {value[:40]!r}, which is no side of the plan; it has {names}")
        return side
