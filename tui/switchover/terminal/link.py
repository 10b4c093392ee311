"""The state of the line to the terminal: round-trip time, bytes under way, speed.

A question that every terminal answers (where is the cursor) rides on a frame now and then. The answer proves that
everything before it has arrived. While more than `WINDOW` bytes are under way, frames wait, so that the screen is never
far behind the keys. A terminal that does not answer is not waited for.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

__all__ = ["QUESTION", "TerminalLink"]

QUESTION = "\x1b[6n"
WINDOW = 2048  # bytes under way above which frames wait: a tenth of a second on a line of 20 KB/s
PATIENCE = 3.0  # seconds after which an answer is taken as lost
_ASK_EVERY = 2.0
_ASK_ABOVE = 1024
_POOR_ROUND_TRIP = 0.25
_QUICK_ROUND_TRIP = 0.08  # a burst that has to wait on a line this quick is nothing to tell
_RATE_OVER = 5.0
_USUAL_ANSWER = 1.0
_LONGEST_ANSWER = 1.5


class TerminalLink:
    """The state of the line. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way = 0
        self._before_question = 0
        self._asked_at: float | None = None
        self._last_asked = float("-inf")
        self._answers: bool | None = None
        self._written: deque[tuple[float, int]] = deque()
        self._held_until = float("-inf")
        self.round_trip: float | None = None

    def sent(self, count: int) -> None:
        """Note that `count` bytes were written."""
        self._under_way += count
        self._written.append((self._clock(), count))
        self._forget_old()

    def wants_question(self) -> bool:
        """Tell whether the next frame should carry the question."""
        if self._asked_at is not None:
            return False
        waited = self._clock() - self._last_asked
        if self._answers is False:
            return waited >= 30.0
        return waited >= _ASK_EVERY or self._under_way >= _ASK_ABOVE

    def asked(self) -> None:
        """Note that the question was written, after everything counted so far."""
        self._asked_at = self._last_asked = self._clock()
        self._before_question = self._under_way

    def answered(self) -> None:
        """Note that the answer came: all before the question has arrived."""
        if self._asked_at is None:
            return
        took = self._clock() - self._asked_at
        self.round_trip = took if self.round_trip is None else 0.5 * self.round_trip + 0.5 * took
        self._under_way -= self._before_question
        self._asked_at = None
        self._answers = True

    def may_send(self) -> bool:
        """Tell whether a frame may be written now."""
        if self._asked_at is None:
            return True
        if self._clock() - self._asked_at >= PATIENCE:
            self._asked_at = None
            self._under_way = 0
            self._answers = self._answers or False
            return True
        if self._answers and self._under_way > WINDOW:
            self._held_until = self._clock() + _RATE_OVER
            return False
        return True

    @property
    def answer_due_in(self) -> float:
        """How many seconds an answer that is under way may still take; 0 where none is expected."""
        if self._asked_at is None or self._answers is False:
            return 0.0
        usual = max(_USUAL_ANSWER, 3 * (self.round_trip or 0.0))
        return max(min(self._asked_at + usual - self._clock(), _LONGEST_ANSWER), 0.0)

    @property
    def poor(self) -> bool:
        """Tell whether the operator should know: round trips are long, or frames had to wait lately for slow ones."""
        now = self._clock()
        late = self._answers is True and self._asked_at is not None and now - self._asked_at > 2 * _POOR_ROUND_TRIP
        trip = self.round_trip or 0.0
        return late or trip > _POOR_ROUND_TRIP or (now < self._held_until and trip > _QUICK_ROUND_TRIP)

    @property
    def bytes_per_second(self) -> float:
        """What was written lately, in bytes a second."""
        self._forget_old()
        return sum(count for _, count in self._written) / _RATE_OVER

    @property
    def text(self) -> str:
        """The line in a few words, such as `link 420 ms 3.1 KB/s`; empty while it is good."""
        if not self.poor:
            return ""
        trip = "slow" if self.round_trip is None else f"{self.round_trip * 1000:.0f} ms"
        return f"link {trip} {self.bytes_per_second / 1000:.1f} KB/s"

    def _forget_old(self) -> None:
        oldest = self._clock() - _RATE_OVER
        while self._written and self._written[0][0] < oldest:
            self._written.popleft()
