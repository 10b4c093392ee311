"""The keys of rows, out of the bytes in which both sides write them."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from switchover_checks.data.database.database_api import KeyValue

__all__ = ["BINARY_KEYS", "BinaryKeys", "FieldReader", "KeyReader", "OddKeyError", "RowKey"]


class OddKeyError(Exception):
    """A key whose place in the order is not known here."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """A key: `order` sorts as the servers do, `values` are what a query takes."""

    order: tuple[Any, ...]
    values: tuple[KeyValue, ...]


class KeyReader(Protocol):
    """Reads keys out of rows."""

    def read(self, line: bytes) -> RowKey:
        """Read the key of one row. Raise `OddKeyError`."""


FieldReader = Callable[[bytes], tuple[Any, KeyValue]]


def _whole(data: bytes) -> tuple[Any, KeyValue]:
    number = int.from_bytes(data, "big", signed=True)
    return number, number


def _text(data: bytes) -> tuple[Any, KeyValue]:
    return data, data.decode("utf-8", "surrogateescape")


def _bytes(data: bytes) -> tuple[Any, KeyValue]:
    return data, data


def _number(data: bytes) -> tuple[Any, KeyValue]:
    try:
        number = Decimal(data.decode())
    except (InvalidOperation, ValueError):
        raise OddKeyError from None
    if not number.is_finite():
        raise OddKeyError
    return number, number


def _uuid(data: bytes) -> tuple[Any, KeyValue]:
    return data, str(uuid.UUID(bytes=data))


def _day(data: bytes) -> tuple[Any, KeyValue]:
    number = int.from_bytes(data, "big", signed=True)
    try:
        return number, (date(2000, 1, 1) + timedelta(number)).isoformat()
    except OverflowError:
        raise OddKeyError from None


def _moment(data: bytes) -> tuple[Any, KeyValue]:
    number = int.from_bytes(data, "big", signed=True)
    try:
        return number, (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)).isoformat()
    except OverflowError:
        raise OddKeyError from None


BINARY_KEYS: dict[str, FieldReader] = {
    "smallint": _whole,
    "integer": _whole,
    "bigint": _whole,
    "text": _text,
    "character varying": _text,
    "name": _text,
    "bytea": _bytes,
    "numeric": _number,
    "uuid": _uuid,
    "date": _day,
    "timestamp without time zone": _moment,
    "timestamp with time zone": _moment,
}
"""How a key of each type is read. Numbers of any length come as text."""


@dataclass(frozen=True, slots=True)
class BinaryKeys:
    """Reads rows as binary COPY writes them, with the key's columns first."""

    fields: Sequence[FieldReader]

    def read(self, line: bytes) -> RowKey:
        """Read the key of one row. Raise `OddKeyError`."""
        order, values, place = [], [], 2
        for reader in self.fields:
            (length,) = struct.unpack_from(">i", line, place)
            if length < 0:
                raise OddKeyError
            place += 4
            sortable, value = reader(line[place : place + length])
            place += length
            order.append(sortable)
            values.append(value)
        return RowKey(tuple(order), tuple(values))
