"""A JSON document written as PostgreSQL's `jsonb` writes it: keys by length and then by bytes, numbers as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["document_writer"]

_MOST_ORDERS = 4096
_TRUSTED = 200
_LOOK_AGAIN = 50


def document_writer() -> Callable[[str], str]:
    """Return a function that writes a document with its length, and `?` for what is none.

    After many that were in this form already, most are taken as they are. A wrong guess costs only time, because such
    a row is read again by values.
    """
    import msgspec

    orders: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def as_written(number: str) -> msgspec.Raw:
        return msgspec.Raw(number.encode())

    def order_of(keys: tuple[str, ...]) -> tuple[str, ...] | None:
        wanted = tuple(sorted(keys, key=_rank))
        if len(orders) >= _MOST_ORDERS:
            orders.clear()
        orders[keys] = found = None if wanted == keys else wanted
        return found

    def ordered(value: Any) -> Any:
        if type(value) is dict:
            keys = tuple(value)
            order = orders[keys] if keys in orders else order_of(keys)
            if order is not None:
                value = {key: value[key] for key in order}
            for key, item in value.items():
                if type(item) is dict or type(item) is list:
                    value[key] = ordered(item)
        elif type(value) is list:
            for place, item in enumerate(value):
                if type(item) is dict or type(item) is list:
                    value[place] = ordered(item)
        return value

    decode = msgspec.json.Decoder(float_hook=as_written).decode
    encode = msgspec.json.Encoder().encode
    spread = msgspec.json.format

    as_it_is = 0

    def write(text: str) -> str:
        nonlocal as_it_is
        as_it_is += as_it_is >= _TRUSTED
        if as_it_is % _LOOK_AGAIN and as_it_is > _TRUSTED and text.isascii():
            return f"{len(text)}:{text}"
        try:
            data = spread(encode(ordered(decode(text))), indent=0)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return "?"
        written = data.decode()
        as_it_is = as_it_is + (as_it_is < _TRUSTED) if written == text else 0
        return f"{len(data)}:{written}"

    return write


def _rank(key: str) -> tuple[int, bytes]:
    data = key.encode("utf-8", "surrogatepass")
    return len(data), data
