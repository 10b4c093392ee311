"""Takes the secrets that a plan names out of streams and texts, whatever stands between their letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchover.redaction.index import NeedleIndex, Span, index_of, order

__all__ = ["Redactor"]

_MOST_HELD = 1 << 16  # bytes beside twice the longest secret: so much that is not seen may stand between its letters
_MOST_BEHIND = 1024
_LEAST_BEHIND = 16


class Redactor:
    """Replaces secrets in a stream by `(secret NAME)`, whatever the chunks it comes in.

    Only a possible beginning of a secret is held back. So a prompt without a line end shows at once.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._index: NeedleIndex | None = index_of(tuple(sorted(secrets.items()))) if secrets else None
        self._data = b""  # what is held, and before it some of what was let go
        self._base = 0  # where that what is held begins
        self._covered = 0  # bytes at the start of what is held that belong to a secret already replaced

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the stream; return what can be let go."""
        if self._index is None:
            return chunk
        self._data += chunk
        most = len(self._data) - _MOST_HELD - 2 * self._index.longest
        return self._release(self._index, max(self._base, most, self._index.begun(self._data)))

    def rest(self) -> bytes:
        """Return what nobody should wait for: a line that ends with the first few letters of a secret.

        To be called when nothing has come for a while. Should the rest of a secret follow, that is still taken out.
        """
        if self._index is None or self._base == len(self._data):
            return b""
        return self._release(self._index, max(self._base, self._index.begun(self._data, rests=True)))

    @property
    def holds(self) -> bool:
        """Tell whether something is held back."""
        return self._base < len(self._data)

    def finish(self, *, cut: bool = True) -> bytes:
        """Return what is still held; the stream has ended.

        With `cut`, it may have ended in the middle of a secret, whose larger part is taken out.
        """
        if self._index is None:
            return b""
        rest = self._release(self._index, len(self._data), cut_off=cut)
        self._data, self._base, self._covered = b"", 0, 0
        return rest

    def redact(self, text: str) -> str:
        """Return a whole text without secrets, and without the larger part of one that was cut off.

        The stream is not touched.
        """
        if self._index is None:
            return text
        data = text.encode("utf-8", "surrogateescape")
        spans = self._index.spans(data, cut=True)
        return _replaced(data, spans, 0, len(data)).decode("utf-8", "surrogateescape") if spans else text

    def redact_lines(self, lines: Sequence[str]) -> list[str]:
        """Return lines that follow one another without secrets, also those that go over several lines.

        All lines that a secret goes over bear its mark.
        """
        parts = [line.encode("utf-8", "surrogateescape") for line in lines]
        spans = self._index.spans(b"\n".join(parts), cut=True) if self._index is not None else []
        if not spans:
            return list(lines)
        out, begin = [], 0
        for part in parts:
            here = [(start - begin, end - begin, mark) for start, end, mark in spans]
            touching = [(max(0, start), end, mark) for start, end, mark in here if start < len(part) and end > 0]
            out.append(_replaced(part, touching, 0, len(part)).decode("utf-8", "surrogateescape"))
            begin += len(part) + 1
        return out

    def _release(self, index: NeedleIndex, cut: int, *, cut_off: bool = False) -> bytes:
        data, base = self._data, self._base
        found = index.spans(data)
        if cut_off:
            found = sorted((*found, *(span for span in index.spans(data, cut=True) if span[1] == len(data))), key=order)
        spans = [(max(start, base), end, mark) for start, end, mark in found if end > base]
        out = _replaced(data, spans, base, cut, self._covered)
        reach = base + self._covered
        for start, end, _ in spans:
            if start < max(cut, reach):
                reach = max(reach, end)
        behind = max(cut - _MOST_BEHIND, 0, min(_two_lines_before(data, cut), cut - _LEAST_BEHIND))
        self._data, self._base, self._covered = data[behind:], cut - behind, max(0, reach - cut)
        return out


def _replaced(data: bytes, spans: Sequence[Span], begin: int, cut: int, covered: int = 0) -> bytes:
    """Return the data from `begin` to `cut` with marks in place of spans. Of overlapping spans the first has its mark.

    The first `covered` bytes belong to a span whose mark was written before.
    """
    out = bytearray()
    position = reach = begin + covered
    for start, end, mark in spans:
        if start >= max(cut, reach):
            break
        if start >= reach:
            out += data[position:start]
            out += mark
        reach = max(reach, end)
        position = max(position, reach)
    return bytes(out + data[position:cut])


def _two_lines_before(data: bytes, cut: int) -> int:
    line = data.rfind(b"\n", 0, max(cut - 1, 0))
    return data.rfind(b"\n", 0, line) + 1 if line > 0 else 0
