"""The checksum that Redis puts under its snapshots: CRC-64 of Jones, as fast as plain Python can.

A checksum is linear, so the data is cut into lanes of equal length. All lanes are worked on side by side, one byte of
each at a time, with `bytes.translate` as the table. The checksums of the lanes are joined at the end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

__all__ = ["crc64"]

_POLYNOMIAL = 0x95AC9329AC4BC9B5
_LANE = 512


def crc64(data: bytes, crc: int = 0) -> int:
    """Return the checksum of `data`, going on from that of what came before."""
    lanes = len(data) // _LANE
    advance = _advance()
    for lane in _lanes(data[: lanes * _LANE], lanes):
        crc = advance(crc) ^ lane
    single = _single()
    for byte in data[lanes * _LANE :]:
        crc = single[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def _lanes(data: bytes, lanes: int) -> list[int]:
    """Return the checksum of each lane. All are computed at once: the state is kept as eight planes of bytes."""
    if not lanes:
        return []
    tables = _planes()
    planes = [bytes(lanes)] * 8
    for place in range(_LANE):
        index = _xor(planes[0], data[place::_LANE])
        planes = [
            _xor(after, index.translate(table))
            for after, table in zip([*planes[1:], bytes(lanes)], tables, strict=True)
        ]
    return [int.from_bytes(state, "little") for state in zip(*planes, strict=True)]


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "little") ^ int.from_bytes(right, "little")).to_bytes(len(left), "little")


@functools.cache
def _single() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1  # noqa: PLW2901
        table.append(value)
    return table


@functools.cache
def _planes() -> list[bytes]:
    """Return byte 0 to 7 of each entry of the table."""
    return [bytes((value >> (8 * plane)) & 0xFF for value in _single()) for plane in range(8)]


@functools.cache
def _advance() -> Callable[[int], int]:
    """Make the function that says what a checksum becomes after a lane of zeros."""
    single = _single()

    def zeros(crc: int) -> int:
        for _ in range(_LANE):
            crc = single[crc & 0xFF] ^ (crc >> 8)
        return crc

    bits = [zeros(1 << bit) for bit in range(64)]
    tables = []
    for plane in range(8):
        table = [0] * 256
        for value in range(1, 256):
            low = value & -value
            table[value] = table[value ^ low] ^ bits[8 * plane + low.bit_length() - 1]
        tables.append(table)
    a, b, c, d, e, f, g, h = tables

    def advance(crc: int) -> int:
        return (
            a[crc & 0xFF] ^ b[(crc >> 8) & 0xFF] ^ c[(crc >> 16) & 0xFF] ^ d[(crc >> 24) & 0xFF]
            ^ e[(crc >> 32) & 0xFF] ^ f[(crc >> 40) & 0xFF] ^ g[(crc >> 48) & 0xFF] ^ h[crc >> 56]
        )  # fmt: skip

    return advance
