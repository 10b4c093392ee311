"""Which lines are one event: an error with its stack trace, PostgreSQL's ERROR with its DETAIL and STATEMENT.

Errors are counted by event. A line that does not look like a continuation begins an event of its own. So an error is
never hidden in another event.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from switchover.logs.reading.levels import ERROR, EXCEPTION, WARN

__all__ = ["Events"]

_HEAD = 200  # characters that are looked at
_MOST_SESSIONS = 64
_REACH, _OPEN_REACH = 5, 50  # lines of others that may stand within a stack trace, within one that has no end yet
_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(rf"(?:Uncaught )?{EXCEPTION}")
_RAISED = re.compile(r"[A-Za-z_][\w.<>]*(?:: |:?$)")  # the last line of a traceback
_CHAINED = re.compile(r"During handling of the above|The above exception was")
_PANIC = re.compile(r"panic: |fatal error: |SIG[A-Z]+: |.{0,100}\bpanic serving |(?:thread '.*' panicked at)")
_RUST = re.compile(r"\bthread '.*' panicked at [^']*:\d+:\d+:$")
_FRAME = re.compile(
    r'[ \t]+(?:at |File "|from |\.\.\. \d+ )|#\d+ |Caused by: |Suppressed: |\.\.\. \d+ (?:more|common)|goroutine \d+ \['
)
_FOLLOWS = re.compile(
    r"Caused by: |Suppressed: |Wrapped by: |\.\.\. \d+ (?:more|common)|During handling of|The above exception was"
    r"|(?:PHP )?Stack trace:|stack backtrace:|#\d+ |Next [A-Z\\]|PHP +\d+\. |goroutine \d+ |created by |\[signal "
    r"|exit status \d|[}\])]+[;,]?$|Node\.js v\d|note: |LINE \d+: |(?:DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT):  "
    r"|\[SQL: |\[parameters: |\(Background on this error|\^+$|--- End of "
)
_GO_ON = re.compile(
    r"$|goroutine |created by |\[|exit status \d|[\w./*()·$\[\]-]+\(.*\)(?: in goroutine \d+)?$|r\w+ +0x"
)
_COMPANION = re.compile(
    r".{0,180}?(?:\b(?:DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT|BACKTRACE):  |PHP Stack trace:|PHP +\d+\. )"
    r"|.{0,100}?\[\d+-(?:[2-9]|\d\d+)\] "
)
_SESSION = re.compile(r".{0,150}?\[(\d+)[\]-]")
_LEVEL_FIRST = re.compile(
    r"[\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|FATAL|CRIT(?:ICAL)?|ALERT|EMERG|PANIC|SEVERE)\b"
)


class _Event:
    """An event as far as it was read. `number` is 0 where it is nothing bad."""

    __slots__ = ("ended", "form", "level", "number", "raised")

    def __init__(self, number: int, level: int, form: str, *, raised: bool) -> None:
        self.number = number
        self.level = level
        self.form = form
        self.raised = raised  # the line with the exception's name was there
        self.ended = False  # a Python traceback had its last line


_QUIET = tuple(_Event(0, level, "", raised=False) for level in range(WARN))


class Events:
    """Gives the lines of one writer to events, in their order. Several writers of a log take numbers from one count."""

    def __init__(self, next_number: Callable[[], int]) -> None:
        self._next_number = next_number
        self._now = _QUIET[0]
        self._worst: _Event | None = None  # the last error, and how many lines ago it was
        self._ago = 0
        self._sessions: dict[str, _Event] = {}

    def place(self, text: str, level: int, *, timed: bool, told: bool, goes_on: bool = False) -> tuple[int, int]:
        """Return the number of a line's event (0: nothing bad) and the level that the line has in it.

        `timed` lines carry their own time; `told` says that others of this log do.
        """
        now = self._now
        if goes_on:
            return self._join(now, text, level)
        self._ago += 1
        if timed:
            head = text[:_HEAD]
            if (":  " in head or "PHP " in head or "-" in head) and _COMPANION.match(head) is not None:
                return self._join(self._of_session(head), text, level)
            return self._begin(text, level)
        if not level and now.level < WARN and self._worst is None:
            return self._begin(text, level or (now.level if told or text[:1] in " \t" else 0))
        if now.level < WARN and self._worst is not None and (joined := self._of_trace(text)) is not None:
            return self._join(joined, text, level)
        if self._is_new(now, text, level, told):
            return self._begin(text, level)
        return self._join(now, text, level)

    def _is_new(self, now: _Event, text: str, level: int, told: bool) -> bool:
        """Tell whether a line without a time begins an event."""
        if text[:1] in (" ", "\t", ""):
            return bool(text.strip()) and level >= ERROR > now.level
        if text.startswith(_TRACEBACK):
            return now.level < ERROR or now.ended
        if _FOLLOWS.match(text) is not None:
            return now.level < WARN
        if now.form == "python" and not now.ended and _RAISED.match(text) is not None:
            return False
        if now.form == "rust" and not now.raised:
            return False  # the message stands in a line of its own
        if _EXCEPTION.match(text) is not None:
            return now.level < ERROR or now.raised
        if _PANIC.match(text) is not None:
            return now.level < ERROR or bool(now.form)
        if now.form == "go":
            return _GO_ON.match(text) is None
        if not told or _LEVEL_FIRST.match(text) is not None:
            return True
        return level >= ERROR > now.level

    def _of_trace(self, text: str) -> _Event | None:
        """Return the error to which a part of a stack trace belongs, though lines of others stand between."""
        worst = self._worst
        open_trace = worst is not None and worst.form == "python" and not worst.ended
        if worst is None or self._ago > (_OPEN_REACH if open_trace else _REACH):
            self._worst = None
            return None
        if _FRAME.match(text) or _CHAINED.match(text) or (open_trace and (text[:4] == "    " or _RAISED.match(text))):
            return worst
        return None

    def _begin(self, text: str, level: int) -> tuple[int, int]:
        if level < WARN:
            self._now = _QUIET[level]
            return 0, level
        number = self._next_number()
        form, raised = "", _EXCEPTION.match(text) is not None
        if level >= ERROR:
            if _TRACEBACK in text:
                form = "python"
            elif _RUST.search(text) is not None:
                form = "rust"
            elif "anic" in text or "SIG" in text or text.startswith("fatal error: "):
                form = "go" if _PANIC.match(text) is not None else ""
            form = form or ("stack" if raised else "")
        self._now = _Event(number, level, form, raised=raised)
        if level >= ERROR:
            self._worst, self._ago = self._now, 0
        if ":  " in text[:_HEAD] and (session := _SESSION.match(text)) is not None:
            self._sessions[session[1]] = self._now
            if len(self._sessions) > _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return number, level

    def _join(self, now: _Event, text: str, level: int) -> tuple[int, int]:
        if now.level < WARN:
            return (0, level or now.level) if level < WARN else self._begin(text, level)
        self._now, self._ago = now, 0
        if text.startswith(_TRACEBACK):
            now.form, now.ended, now.raised = "python", False, False
        elif _CHAINED.match(text) is not None:
            now.ended = False
        elif now.form == "python" and not now.ended:
            now.ended = now.raised = _RAISED.match(text) is not None
        elif now.form == "rust":
            now.raised = True
        elif _EXCEPTION.match(text) is not None:
            now.raised, now.form = True, now.form or "stack"
        return now.number, now.level

    def _of_session(self, head: str) -> _Event:
        session = _SESSION.match(head)
        return self._now if session is None else self._sessions.get(session[1], self._now)
