"""Text that comes in pieces: what looks like a secret is found though a piece ends in it."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_search import MARK, unknown_spans

__all__ = ["UnknownSecrets"]

_HELD = 1024  # characters that are held back of a line without an end: so long are a name and what stands around it
_MOST = 1 << 16


class UnknownSecrets:
    """Takes secrets out of text that comes in pieces. Whole lines are let go, of a long line all but its end."""

    def __init__(self) -> None:
        self._text = ""  # what is held, and before it some of what was let go
        self._base = 0  # where that what is held begins
        self._covered = 0  # characters at the start of what is held that belong to a secret whose mark was written

    def feed(self, text: str) -> str:
        """Take the next piece; return what can be let go."""
        self._text += text
        return self._release(max(self._base, self._text.rfind("\n") + 1, len(self._text) - _HELD))

    def finish(self) -> str:
        """Return what is still held; the text has ended."""
        rest = self._release(len(self._text), ended=True)
        self._text, self._base, self._covered = "", 0, 0
        return rest

    def _release(self, cut: int, *, ended: bool = False) -> str:
        spans = [(max(start, self._base), end) for start, end in unknown_spans(self._text) if end > self._base]
        reach = self._base + self._covered
        out, position = "", reach
        goes_on = 0 if ended else len(self._text)
        for start, end in spans:
            if (start < cut < end or end == goes_on) and end - start < _MOST:
                cut = min(cut, max(start, position))  # a secret is waited for to its end
                break
            if start >= max(cut, reach):
                break
            if start >= reach:
                out += self._text[position:start] + MARK
            reach = max(reach, end)
            position = max(position, reach)
        out += self._text[position:cut]
        behind = max(0, cut - _HELD)
        self._covered = max(0, reach - cut)
        self._text, self._base = self._text[behind:], cut - behind
        return out
