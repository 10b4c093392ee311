"""Points as bytes and back, exact. Decimal numbers become differences of whole ones; what does not fit stays doubles.

A gap is NaN. `pack` proves each packing by unpacking it, so nothing is ever kept that is not what was measured.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Sequence

__all__ = ["pack", "unpack"]

_DOUBLES = 0
_MOST_DECIMALS = 4
_WIDTHS = ("b", "h", "i", "q")
_LARGEST = 1 << 53
_GAP_BIT = 64


def pack(points: Sequence[float]) -> tuple[int, bytes]:
    """Return the codec's number and the bytes. A number that is not finite is a gap."""
    clean = array("d", [p if math.isfinite(p) else math.nan for p in points])
    for decimals in range(_MOST_DECIMALS + 1):
        whole = _whole(clean, decimals)
        if whole is not None:
            return _pack_whole(whole, clean, decimals)
    return _DOUBLES, zlib.compress(clean.tobytes(), 1)


def unpack(codec: int, data: bytes, count: int) -> array[float]:
    """Return the points. Raise `ValueError` for bytes that are none."""
    try:
        raw = zlib.decompress(data)
        if codec == _DOUBLES:
            found = array("d")
            found.frombytes(raw)
        else:
            found = _unpack_whole(codec, raw, count)
    except (zlib.error, IndexError, OverflowError) as error:
        raise ValueError(f"a chunk is damaged: {error}") from None
    if len(found) != count:
        raise ValueError(f"a chunk has {len(found)} points and should have {count}")
    return found


def _whole(points: array[float], decimals: int) -> list[int] | None:
    """Return the points times a power of ten as whole numbers, where that loses nothing. A gap repeats the last."""
    factor, last, found = 10.0**decimals, 0, []
    for point in points:
        if point == point:  # noqa: PLR0124 - False for NaN alone, and faster than a call
            number = point * factor
            last = round(number) if abs(number) < _LARGEST else 0
            if last / factor != point or (last == 0 and math.copysign(1.0, point) < 0):
                return None
        found.append(last)
    return found


def _pack_whole(whole: list[int], points: array[float], decimals: int) -> tuple[int, bytes]:
    first = whole[0] if whole else 0
    deltas = [b - a for a, b in zip([first, *whole], whole, strict=False)]
    width = next(w for w in _WIDTHS if all(_fits(d, w) for d in (min(deltas, default=0), max(deltas, default=0))))
    gaps = [i for i, point in enumerate(points) if point != point]  # noqa: PLR0124 - NaN
    body = first.to_bytes(8, "little", signed=True) + array(width, deltas).tobytes()
    codec = 1 + decimals + 8 * _WIDTHS.index(width)
    if gaps:
        codec |= _GAP_BIT
        bits = bytearray((len(whole) + 7) // 8)
        for index in gaps:
            bits[index // 8] |= 1 << index % 8
        body += bytes(bits)
    return codec, zlib.compress(body, 1)


def _fits(number: int, width: str) -> bool:
    size = array(width).itemsize * 8 - 1
    return -(1 << size) <= number < 1 << size


def _unpack_whole(codec: int, raw: bytes, count: int) -> array[float]:
    has_gaps, plain = bool(codec & _GAP_BIT), (codec & ~_GAP_BIT) - 1
    decimals, width = plain % 8, _WIDTHS[plain // 8]
    deltas = array(width)
    end = 8 + count * deltas.itemsize
    deltas.frombytes(raw[8:end])
    number, factor = int.from_bytes(raw[:8], "little", signed=True), 10.0**decimals
    found = array("d")
    for delta in deltas:
        number += delta
        found.append(number / factor)
    bits = raw[end:]
    if has_gaps:
        for index in range(count):
            if bits[index // 8] >> index % 8 & 1:
                found[index] = math.nan
    return found
