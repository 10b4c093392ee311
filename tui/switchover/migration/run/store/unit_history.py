"""What earlier attempts tell: how long each unit took, and of which nobody learned the end."""

from __future__ import annotations

from switchover.migration.facts import events as ev
from switchover.migration.rules.rollback_paths import measured_as

__all__ = ["UnitHistory"]


class UnitHistory:
    """Remembers, over all runs of a journal, what estimates and late results need."""

    def __init__(self) -> None:
        self.durations: dict[str, float] = {}  # in seconds, of each unit when it was done last
        self.never_learned: set[tuple[str, str, int]] = set()  # run, unit and attempt: nobody knows how it ended
        self._actions: dict[tuple[str, str], str] = {}  # run and unit of a rollback's action -> how it is measured

    def learn(self, record: ev.Record) -> None:
        """Take a record in."""
        match record.event:
            case ev.StepUnknown(unit=unit, attempt=number):
                self.never_learned.add((record.run_id, unit, number))
            case ev.StepEnded(unit=unit, attempt=number) | ev.StepEndedLate(unit=unit, attempt=number):
                self.never_learned.discard((record.run_id, unit, number))
        match record.event:
            case ev.RollbackStarted(items=items):
                for item in items:
                    self._actions[record.run_id, item.unit] = measured_as(item.run, item.undoes)
            case ev.StepEnded(unit=unit, outcome="done", duration_s=took):
                self.durations[self._actions.get((record.run_id, unit), unit)] = took
            case ev.StepReady(unit=unit, waited_s=waited) if unit in self.durations:
                self.durations[unit] += waited
