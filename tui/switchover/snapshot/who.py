"""Who drives, and what every screen's first line says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Header", "Holder"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who drives the run."""

    who: str
    host: str
    tty: str
    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class Header:
    """What every screen's first line says.

    `holder` has the run's lock now, in whatever process. `driver` is the screen that drives by way of the agent; `pid`
    is that of the screen. `asking` wants to take over, and has no answer after `asking_until`.
    """

    plan_id: str = ""
    title: str = ""
    plan_path: str = ""
    target: str = ""
    production: bool = False
    live_side: str = ""
    holder: Holder | None = None
    read_only: bool = False
    agent_pid: int = 0
    agent_version: str = ""
    host: str = ""
    plan_edited: bool = False
    driver: Holder | None = None
    asking: Holder | None = None
    asking_until: float | None = None
