"""What a source of log lines is, and what it is given. Light on purpose: the log reader loads this before all else.

A module for a kind has one function:

    def open_source(spec: SourceSpec) -> Source

It is called cheaply, without I/O and without importing an SDK; both belong into `read`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

__all__ = ["Feed", "LineSource", "LogTimeSpan", "RawLine", "SourceSpec"]


class RawLine(NamedTuple):
    """One line as it was read, without its line end.

    `at` is when its source says that it was written (epoch seconds); None where only the text may tell. `level` is one
    of `logview.LEVELS` where the source knows it, else empty: then the text decides. `goes_on` is a further line of one
    entry. `writer` tells those apart that write into one log, and `own` is where its own words begin in the text.
    `latest` is the latest possible time of writing, for a text without a time.
    """

    at: float | None
    text: bytes
    level: str = ""
    goes_on: bool = False
    writer: str = ""
    own: int = 0
    latest: float | None = None


class LogTimeSpan(NamedTuple):
    """Which part is read: the last `tail` lines between `since` and `until` (epoch seconds), then what comes."""

    tail: int = 1000
    since: float | None = None
    until: float | None = None
    follow: bool = True


class SourceSpec(NamedTuple):
    """Where lines come from: the same as `services.api.LogSource`, which says what each field means."""

    name: str
    kind: str
    path: str = ""
    argv: Sequence[str] = ()
    parse: str = "text"
    ref: str = ""
    docker_host: str = ""
    options: Mapping[str, str] = {}


class Feed(Protocol):
    """What a source gives its lines to. All of it is called in the loop's own thread."""

    async def push(self, lines: Sequence[RawLine], /) -> None:
        """Hand over lines, oldest first. Returns once there is room for more, so wait for it before reading on."""

    def begun(self, text: bytes, /) -> None:
        """Show what stands at the end without a line end yet, empty where nothing does; once whole it is pushed."""

    def caught_up(self) -> None:
        """Say that all older lines have been pushed and only new ones follow; several sources then begin together."""

    def reading(self, why: str = "") -> None:
        """Say that lines come, or will come again by themselves; `why` says what it waits for, or what was lost."""

    def off(self, why: str) -> None:
        """Say in one line why nothing comes for now, and what to do about it. The source may go on trying."""


class LineSource(Protocol):
    """Reads one log."""

    async def read(self, feed: Feed, span: LogTimeSpan, /) -> None:
        """Push lines until the log has ended (without `follow`) or this is cancelled; then let go of everything.

        A lost connection is tried again without end, with growing pauses. Where the source makes it possible, no line
        is pushed twice or left out. An exception that leaves this turns the source off, with its text as why.
        """
