"""Which share of the time a check was fine. Pieces of five minutes cover a day, those of an hour a week."""

from __future__ import annotations

import sys
import zlib
from array import array

__all__ = ["SPANS", "Uptime"]

SPANS = (3600.0, 86_400.0, 7 * 86_400.0)
"""The spans that are told: an hour, a day, a week."""
_TENTHS = 10
_LAYOUT = ((300, 288), (3600, 168))  # seconds of a piece, and how many of them
_MOST_BYTES = 1 << 16


class _Ring:
    """The newest pieces of one length. Each holds tenths of a second: fine, and known at all."""

    def __init__(self, piece_s: int, pieces: int) -> None:
        self.piece_s, self.pieces, self.newest = piece_s, pieces, 0
        self.fine = array("H", bytes(2 * pieces))
        self.known = array("H", bytes(2 * pieces))

    def forward(self, piece: int) -> None:
        """Go on to a piece; those between are not known."""
        for passed in range(max(self.newest + 1, piece - self.pieces + 1), piece + 1):
            self.fine[passed % self.pieces] = self.known[passed % self.pieces] = 0
        self.newest = max(self.newest, piece)

    def add(self, piece: int, tenths: int, *, fine: bool) -> None:
        """Add to a piece, one that is still kept."""
        if piece <= self.newest - self.pieces:
            return
        place, most = piece % self.pieces, self.piece_s * _TENTHS
        self.known[place] = min(self.known[place] + tenths, most)
        if fine:
            self.fine[place] = min(self.fine[place] + tenths, most)

    def sums(self, span_s: float, now: float) -> tuple[int, int]:
        """Return the tenths that were fine, and that are known, of the newest pieces."""
        last = int(now // self.piece_s)
        wanted = range(max(last - int(span_s // self.piece_s) + 1, self.newest - self.pieces + 1, 0), self.newest + 1)
        return sum(self.fine[p % self.pieces] for p in wanted), sum(self.known[p % self.pieces] for p in wanted)


class Uptime:
    """The time of one check. What nobody looked at counts neither way."""

    def __init__(self) -> None:
        self._rings = tuple(_Ring(*layout) for layout in _LAYOUT)
        self._rest = 0.0

    def add(self, until: float, seconds: float, *, fine: bool) -> None:
        """Add the stretch that ended at `until` (epoch seconds), through which it stood so."""
        exact = seconds * _TENTHS + self._rest
        tenths = int(exact)
        self._rest = exact - tenths
        for ring in self._rings:
            self._spread(ring, until, tenths, fine=fine)

    @staticmethod
    def _spread(ring: _Ring, until: float, tenths: int, *, fine: bool) -> None:
        until = max(until, float(ring.newest * ring.piece_s))  # a clock that was set back
        piece = int(until // ring.piece_s)
        ring.forward(piece)
        left, inside = tenths, int((until - piece * ring.piece_s) * _TENTHS)
        while left > 0 and piece > ring.newest - ring.pieces:
            here = min(left, inside)
            ring.add(piece, here, fine=fine)
            left, piece, inside = left - here, piece - 1, ring.piece_s * _TENTHS

    def share(self, span_s: float, now: float) -> tuple[float | None, float]:
        """Return which share of the span it was fine (None where nothing is known), and how many seconds are known."""
        ring = self._rings[0] if span_s <= _LAYOUT[0][0] * _LAYOUT[0][1] else self._rings[1]
        fine, known = ring.sums(span_s, now)
        return (fine / known if known else None), known / _TENTHS

    def shares(self, now: float) -> tuple[float | None, ...]:
        """Return the share of each span that is told."""
        return tuple(self.share(span, now)[0] for span in SPANS)

    def to_bytes(self) -> bytes:
        """Return all of it."""
        data = array("q", [ring.newest for ring in self._rings]).tobytes()
        data += b"".join(ring.fine.tobytes() + ring.known.tobytes() for ring in self._rings)
        return zlib.compress(sys.byteorder[:1].encode() + data, 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Uptime:
        """Read what `to_bytes` wrote. Raise `ValueError` for anything else."""
        found = cls()
        try:
            raw = zlib.decompressobj().decompress(data, _MOST_BYTES)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        size = 1 + 8 * len(_LAYOUT) + sum(4 * pieces for _, pieces in _LAYOUT)
        if len(raw) != size or raw[:1] != sys.byteorder[:1].encode():
            raise ValueError("this is no uptime")
        newest = array("q", raw[1 : 1 + 8 * len(_LAYOUT)])
        at = 1 + 8 * len(_LAYOUT)
        for ring, piece in zip(found._rings, newest, strict=True):
            ring.newest = piece
            ring.fine = array("H", raw[at : at + 2 * ring.pieces])
            ring.known = array("H", raw[at + 2 * ring.pieces : at + 4 * ring.pieces])
            at += 4 * ring.pieces
        return found
