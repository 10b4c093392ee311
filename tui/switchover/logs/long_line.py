"""A very long line without secrets, made piece by piece. Only the piece that is asked for is made."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence

from switchover.redaction import Redactor
from switchover_checks.unknown_secrets import UnknownSecrets

__all__ = ["LONG", "LongLine"]

LONG = 1 << 18  # characters from which on a line is long
_PIECE = 1 << 16
_TAB = 8


class LongLine:
    """A line between its neighbours, which a secret may come from or go on in. `text` is what was made of it so far."""

    def __init__(self, secrets: Mapping[str, str], before: Sequence[str], raw: str, after: Sequence[str]) -> None:
        self._redactor = Redactor(secrets)
        self._unknown = UnknownSecrets()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._raw = raw
        self._after = "".join(f"\n{line}" for line in after)
        self._at = 0
        self._parts: list[str] = []
        self._made = 0
        self.is_whole = False
        self._take(self._feed("".join(f"{line}\n" for line in before)))

    @property
    def total(self) -> int:
        """How many characters it has, as far as that is known by now."""
        return self._made + max(len(self._raw) - self._at, 0)

    def make(self, wanted: int) -> bool:
        """Make one more piece, unless there are as many characters as are wanted; return whether that may go on."""
        if self.is_whole or self._made >= wanted:
            return False
        piece, self._at = self._raw[self._at : self._at + _PIECE], self._at + _PIECE
        said = self._feed(piece)
        if self._at < len(self._raw):
            self._take(said)
            return True
        self._take(said)
        rest = self._decoder.decode(self._redactor.finish(), True)
        self._take((self._feed(self._after) + self._unknown.feed(rest) + self._unknown.finish()).partition("\n")[0])
        self.is_whole = True
        return False

    def text(self, offset: int, limit: int) -> str:
        """Return a part of what was made."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0][offset : offset + limit] if self._parts else ""

    def _feed(self, text: str) -> str:
        return self._unknown.feed(self._decoder.decode(self._redactor.feed(text.encode("utf-8", "replace"))))

    def _take(self, said: str) -> None:
        said = said.rpartition("\n")[2].expandtabs(_TAB)  # what stands before is of the line before
        self._parts.append(said)
        self._made += len(said)
