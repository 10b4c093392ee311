"""Adds up a bill in the format FOCUS, in a process of its own.

Called with a file, a column and a month it writes one JSON object, or the `error`. It needs the standard library alone.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

__all__ = ["UnreadableBillError", "read_bill"]

_NEEDED = ("ServiceName", "BillingCurrency", "ChargePeriodStart")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_MOST_FIELD = 1 << 20

Key = tuple[str, str, str, bool]  # month, service, currency, paid once


class UnreadableBillError(Exception):
    """It is no bill that can be added up; the text says where."""


def read_bill(path: str, column: str, month: str = "") -> dict[str, Any]:
    """Return the sums of one month by service and currency. Without `month`: the last that is over, else the newest.

    One wrong row makes all of it unknown: a sum that leaves out a row would be a lie.
    """
    sums, newest = _sums(path, column)
    months = sorted({key[0] for key in sums})
    if not months:
        raise UnreadableBillError("it has no rows")
    chosen = month or (months[-2] if len(months) > 1 else months[-1])
    if chosen not in months:
        raise UnreadableBillError(f"it has nothing of {chosen}; it has {months[0]} to {months[-1]}")
    rows = [(*key[1:], f"{amount:f}") for key, amount in sums.items() if key[0] == chosen]
    return {"month": chosen, "newest": newest, "rows": rows}


def _sums(path: str, column: str) -> tuple[dict[Key, Decimal], str]:
    csv.field_size_limit(_MOST_FIELD)
    sums: dict[Key, Decimal] = {}
    newest = ""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows, [])]
        missing = [name for name in (*_NEEDED, column) if name not in header]
        if missing:
            raise UnreadableBillError(f"it has no column {', '.join(missing)}")
        service, currency, start, cost = (header.index(name) for name in (*_NEEDED, column))
        frequency = header.index("ChargeFrequency") if "ChargeFrequency" in header else None
        width = len(header)
        for row in rows:
            if len(row) != width:
                if not row:
                    continue
                raise UnreadableBillError(f"line {rows.line_num}: {len(row)} fields, the heading has {width}")
            begin = row[start]
            try:
                amount = Decimal(row[cost])
            except InvalidOperation:
                amount = Decimal("NaN")
            if not amount.is_finite():
                raise UnreadableBillError(f"line {rows.line_num}: {column} is {row[cost][:40]!r}, which is no amount")
            once = frequency is not None and row[frequency] == "One-Time"
            key = (begin[:7], row[service], row[currency], once)
            if key in sums:
                sums[key] += amount
            elif not row[currency].strip():
                raise UnreadableBillError(f"line {rows.line_num}: it has no BillingCurrency")
            elif not _MONTH.fullmatch(key[0]):
                raise UnreadableBillError(f"line {rows.line_num}: ChargePeriodStart is {begin[:40]!r}, which is no day")
            else:
                sums[key] = amount
            newest = max(newest, begin)
    return sums, newest


def main() -> None:
    """Read it, and write what it came to."""
    try:
        answer = read_bill(*sys.argv[1:4])
    except UnreadableBillError as error:
        answer = {"error": str(error)}
    except UnicodeDecodeError:
        answer = {"error": "it is not UTF-8"}
    except csv.Error as error:
        answer = {"error": f"it is no CSV: {error}"}
    except OSError as error:
        answer = {"error": error.strerror or str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
