"""Which lines were read already, when a source starts again and repeats some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from switchover.logs.sources.source_api import RawLine

__all__ = ["AlreadyRead"]

_MOST = 5000  # texts of one moment


class AlreadyRead:
    """Remembers the last moment and the lines that came at it. Lines have to come in the order of their times."""

    def __init__(self) -> None:
        self.last: float | None = None
        self._texts: set[bytes] = set()

    def note(self, lines: Iterable[RawLine]) -> None:
        """Take notice of lines that were pushed."""
        for at, text, *_ in lines:
            if at is None:
                continue
            if self.last is None or at > self.last:
                self.last = at
                self._texts = {text}
            elif at == self.last and len(self._texts) < _MOST:
                self._texts.add(text)

    def only_new(self, lines: Sequence[RawLine]) -> list[RawLine]:
        """Return those that were not read already; lines without a time are taken for new."""
        last = self.last
        if last is None:
            return list(lines)
        return [
            line
            for line in lines
            if line.at is None or line.at > last or (line.at == last and line.text not in self._texts)
        ]
