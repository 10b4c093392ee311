"""Alerts and problems as they stand, silences and acknowledgements."""

from __future__ import annotations

from typing import ClassVar

from switchover.commands.command import Command, CommandContext, Question, Who
from switchover.snapshot import AlertRow, Problem, SilenceRecord

__all__ = ["AcknowledgeAlert", "EndSilence", "ListAlerts", "ListProblems", "ListSilences", "SilenceAlerts"]

_LONGEST_S = 366 * 86400.0
_DAY_S = 86400.0


class ListAlerts(Question[tuple[AlertRow, ...]], frozen=True):
    """List the alerts that fire."""

    name: ClassVar[str] = "alert.list"

    async def apply(self, at: CommandContext) -> tuple[AlertRow, ...]:
        return at.hub.snapshot.alerts


class ListProblems(Question[tuple[Problem, ...]], frozen=True):
    """List what is wrong, worst first."""

    name: ClassVar[str] = "problem.list"

    async def apply(self, at: CommandContext) -> tuple[Problem, ...]:
        return at.hub.snapshot.problems


class ListSilences(Question[tuple[SilenceRecord, ...]], frozen=True):
    """List the silences that are not over."""

    name: ClassVar[str] = "alert.silences"

    async def apply(self, at: CommandContext) -> tuple[SilenceRecord, ...]:
        return await at.hub.alarms.silencing.all()


class SilenceAlerts(Command[SilenceRecord], frozen=True):
    """Tell nobody of the alerts that match, for a while."""

    name: ClassVar[str] = "alert.silence"
    who: ClassVar[Who] = Who.ANYONE
    matchers: tuple[str, ...] = ()
    seconds: float = 3600.0
    why: str = ""

    async def apply(self, at: CommandContext) -> SilenceRecord:
        seconds = max(1.0, min(self.seconds, _LONGEST_S))
        return await at.hub.alarms.silencing.silence(self.matchers, seconds, at.operator.who, self.why)


class AcknowledgeAlert(Command[SilenceRecord], frozen=True):
    """Take an alert on: it is neither repeated nor escalated until it ends, or the time is over."""

    name: ClassVar[str] = "alert.acknowledge"
    who: ClassVar[Who] = Who.ANYONE
    alert: str = ""
    seconds: float = _DAY_S
    why: str = ""

    async def apply(self, at: CommandContext) -> SilenceRecord:
        seconds = max(1.0, min(self.seconds, _LONGEST_S))
        return await at.hub.alarms.silencing.acknowledge(self.alert, seconds, at.operator.who, self.why)


class EndSilence(Command[SilenceRecord], frozen=True):
    """End a silence or an acknowledgement now."""

    name: ClassVar[str] = "alert.unsilence"
    who: ClassVar[Who] = Who.ANYONE
    silence: str = ""

    async def apply(self, at: CommandContext) -> SilenceRecord:
        return await at.hub.alarms.silencing.end(self.silence, at.operator.who)
