"""A source whose agent keeps a log in memory: it answers `logs.*` as the reader does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from tests.support import ui_samples as samples
from tests.support.ui_samples import LIVE, NOW, FakeSource, StillClock, all_params
from tests.support.ui_screen import THEMES, screen_text, settle

from switchover.commands.command import Command
from switchover.errors import AgentError
from switchover.snapshot import Snapshot
from switchover.snapshot.logview import LEVELS, LogLine, LogQuery, LogSourceState, LogWindow
from switchover.snapshot.states import LevelWord
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.logs.log_screen import LogScreen

__all__ = ["IDS", "LogDesk", "LogSource", "log_app", "open_log", "play_log", "sample_lines"]

_CUT = 2000
IDS = ("docker:shop-api-1", "docker:shop-postgres-1")


def log_app(theme: str = "dark") -> SwitchoverApp:
    """An app in which nothing happens by itself, on an agent with the sample log."""
    lines = sample_lines()
    source = LogSource(samples.trouble(), lines)
    long = replace(lines[-4], text="dump " + "0123456789" * 40)
    source.lines[-4] = long
    source.whole[long.seq] = long.text + "x" * 9_900_000
    return SwitchoverApp(source, THEMES, theme, clock=StillClock(), ticks=False)


async def open_log(app: SwitchoverApp, pilot: Any) -> LogScreen:
    """Open the log of both services, as it stands once it was read."""
    await settle(pilot)
    app.does.opener.logs(("docker:shop-api-1", "docker:shop-postgres-1"))
    await settle(pilot)
    screen = app.screen
    assert isinstance(screen, LogScreen)
    for _ in range(2):
        screen.tick()
        await settle(pilot)
    return screen


def sample_lines(count: int = 400) -> list[LogLine]:
    """The log of an API and its database around an incident."""
    said: list[tuple[LevelWord, str]] = [
        ("info", 'GET /api/transactions?page=3 200 {"took_ms": 31, "user": "u-1042"}'),
        ("info", "GET /health 200"),
        ("debug", "cache hit transactions:u-1042"),
        ("info", "checkpoint complete: wrote 42 buffers (0.3%)"),
        ("warn", "slow query: SELECT * FROM transactions WHERE account = $1 took 1240 ms"),
        ("info", "GET /api/accounts 200"),
        ("error", "connection to 10.0.0.7:5432 refused: timeout after 5 s"),
    ]
    lines = []
    at = NOW
    times = []
    for number in range(count):
        at -= 0.3 if number // 20 % 3 == 1 else 2.4 if number < count // 2 else 1.7
        times.append(at)
    for number, at in enumerate(reversed(times)):
        kind = number % 6 if number < count * 3 // 4 or number % 5 else 6
        level, text = said[kind]
        source = "docker:shop-postgres-1" if kind in {3, 4} else "docker:shop-api-1"
        lines.append(LogLine(number + 1, at, source, text, level))
    return lines


class LogSource(FakeSource):
    """`lines` is the log; `kept` of them at most. `held` stops all answers until it is released."""

    def __init__(self, snapshot: Snapshot, lines: Sequence[LogLine] = (), sources: Sequence[str] = ()) -> None:
        super().__init__(LIVE, snapshot)
        self.lines = list(lines)
        self.sources = list(sources or dict.fromkeys(line.source for line in lines))
        self.states: dict[str, LogSourceState] = {}
        self.given_up = 0
        self.refuse = ""
        self.per_second = 0.0
        self.stream = 0
        self.open_error: AgentError | None = None
        self.go = asyncio.Event()
        self.go.set()
        self.whole: dict[int, str] = {}
        self.tail: int | None = None  # how many lines are read without a begin; then each stream counts anew
        self.everything = list(lines)

    def _read(self, since: float | None, until: float | None) -> None:
        if self.tail is None:
            return
        within = [
            line
            for line in self.everything
            if (since is None or line.at >= since) and (until is None or line.at <= until)
        ]
        cut = within if since is not None else within[-self.tail :]
        self.lines = [replace(line, seq=number) for number, line in enumerate(cut, 1)]
        older = LogSourceState("", "reading", older=len(cut) < len(within))
        self.states = {name: replace(older, name=name) for name in self.sources}

    def say(self, *texts: str, level: LevelWord = "info", source: str = "") -> None:
        for text in texts:
            seq = self.lines[-1].seq + 1 if self.lines else 1
            self.lines.append(LogLine(seq, NOW + seq * 0.001, source or self.sources[0], text, level))

    def give_up(self, count: int) -> None:
        del self.lines[:count]
        self.given_up += count

    def params_of(self, command: Command[Any]) -> dict[str, Any]:
        return all_params(command)

    async def answer(self, command: Command[Any]) -> Any:
        method, params = command.name, all_params(command)
        if not method.startswith("logs."):
            return await super().answer(command)
        await self.go.wait()
        if method == "logs.open":
            if self.open_error is not None:
                raise self.open_error
            self.stream += 1
            self._read(params["since"], params["until"])
            return {"stream": self.stream}
        if params["stream"] != self.stream:
            raise AgentError(f"there is no log {params['stream']}")
        if method == "logs.line":
            line = next(line for line in self.lines if line.seq == params["seq"])
            text = self.whole.get(line.seq, line.text)
            return {"text": text[params["offset"] : params["offset"] + params["limit"]], "total": len(text)}
        if method == "logs.close":
            return None
        query = LogQuery(**params["query"])
        if method == "logs.save":
            return {"path": "/srv/state/logs/shop-20260128-150231.log", "lines": len(self._fitting(query))}
        if method == "logs.seek":
            return {"seq": self._seek(query, params["seq"], params["what"], params["by"])}
        return asdict(self._window(query, params["anchor"], params["before"], params["after"]))

    def _fitting(self, query: LogQuery) -> list[LogLine]:
        least = LEVELS.index(query.least) if query.least else -1
        return [
            line
            for line in self.lines
            if (not query.show or re.search(query.show, line.text))
            and (not query.hide or not re.search(query.hide, line.text))
            and (least < 0 or (line.level and LEVELS.index(line.level) >= least))
            and (query.since is None or line.at >= query.since)
            and (query.until is None or line.at <= query.until)
            and (not query.sources or line.source in query.sources)
        ]

    def _seek(self, query: LogQuery, seq: int, what: str, by: int) -> int | None:
        lines = self._fitting(query)
        for line in lines if by > 0 else reversed(lines):
            hit = line.level in {"error", "fatal"} if what == "error" else re.search(query.find, line.text)
            if hit and (line.seq > seq if by > 0 else line.seq < seq):
                return line.seq
        return None

    def _window(self, query: LogQuery, anchor: int | None, before: int, after: int) -> LogWindow:
        if query.show and query.show == self.refuse:
            return LogWindow(problem=f"{query.show} takes too long to match")
        lines = self._fitting(query)
        at = len(lines) if anchor is None else next((i for i, one in enumerate(lines) if one.seq >= anchor), len(lines))
        low, high = max(at - before, 0), min(at + after, len(lines))
        flags = 0 if query.find.lower() != query.find else re.IGNORECASE
        shown = tuple(self._shown(line, query.find, flags) for line in lines[low:high])
        begin, end = (lines[0].at, lines[-1].at) if lines else (0.0, 0.0)
        buckets = [[0, 0, 0] for _ in range(60)]
        for line in lines:
            bucket = buckets[int((line.at - begin) / ((end - begin) or 1) * 59.999)]
            bucket[0] += 1
            bucket[1] += line.level == "warn"
            bucket[2] += line.level in {"error", "fatal"}
        states = tuple(self.states.get(name, LogSourceState(name, "reading")) for name in self.sources)
        return LogWindow(
            shown, low, len(lines) - high, len(self.lines), self.given_up,
            sum(bool(re.search(query.find, line.text, flags)) for line in lines) if query.find else 0,
            self.per_second, tuple((a, b, c) for a, b, c in buckets) if lines else (), begin, end, states,
            newest=self.lines[-1].seq if self.lines else -1,
        )  # fmt: skip

    def _shown(self, line: LogLine, find: str, flags: int) -> LogLine:
        text = line.text[:_CUT]
        marks = tuple((m.start(), m.end()) for m in re.finditer(find, text, flags)) if find else ()
        return replace(line, text=text, more=len(self.whole.get(line.seq, line.text)) - len(text), marks=marks)


class LogDesk:
    """The app with its log screen open, and the hands that press its keys."""

    def __init__(self, pilot: Any, app: SwitchoverApp, source: LogSource, clock: StillClock) -> None:
        self.pilot, self.app, self.source, self.clock = pilot, app, source, clock

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await settle(self.pilot)

    async def type(self, key: str, text: str) -> None:
        await self.press(key, *("ctrl+u",), *text, "enter")

    async def tick(self) -> None:
        self.clock.move(1.1)
        self.screen.tick()
        await settle(self.pilot)

    @property
    def screen(self) -> LogScreen:
        assert isinstance(self.app.screen, LogScreen)
        return self.app.screen

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def at(self) -> int:
        line = self.screen.view.at_cursor
        assert line is not None
        return line.seq

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.source.requests if name == method]


async def play_log(
    story: Callable[[LogDesk], Awaitable[None]],
    lines: Sequence[LogLine] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    sources: Sequence[str] = (),
    tail: int | None = None,
) -> LogSource:
    """Open the log screen on an agent in memory and let `story` press its keys."""
    source = LogSource(samples.healthy(), sample_lines() if lines is None else lines, sources)
    source.tail = tail
    clock = StillClock()
    app = SwitchoverApp(source, THEMES, "dark", clock=clock, ticks=False)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        app.does.opener.logs(IDS)
        await settle(pilot)
        desk = LogDesk(pilot, app, source, clock)
        await desk.tick()
        await desk.tick()
        await story(desk)
    return source
