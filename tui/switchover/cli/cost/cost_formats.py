"""The forms in which `switchover cost` writes what it computed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from switchover.pricing.money import display, display_change, display_percent, plain

__all__ = ["FORMATS"]

Document = Mapping[str, Any]
_FOCUS = ("BillingCurrency", "ChargeCategory", "ChargeFrequency", "EffectiveCost", "ServiceName", "x_Side", "x_State")


def _table(document: Document) -> str:
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    """Yield the sum first, then the lines, the choices and what is doubtful."""
    currency, rows = document["currency"], _rows(document)
    sides = [document["scenarios"][side] for side in ("before", _new_side(document))]
    before, after = (side["total"] for side in sides)
    least = ["at least " if side["unpriced"] else "" for side in sides]
    change = Decimal(document["difference"]["amount"])
    percent = display_percent(change, Decimal(before))
    shown = [f"{word}{display(Decimal(total), currency)}" for word, total in zip(least, (before, after), strict=True)]
    told = f", {display_change(change, currency)}" + (f" ({percent})" if percent else "")
    yield f"{shown[0]} → {shown[1]} {currency} a month" + ("" if any(least) else told) + _chosen(document)
    if document["budget"] is not None:
        fits = {True: "within", False: "over", None: "perhaps over"}[document["within_budget"]]
        yield f"{fits} the budget of {display(Decimal(document['budget']), currency)} {currency}"
    yield ""
    width = max((len(name) for name, *_ in rows), default=4)
    yield f"{'a month':{width}}  {'before':>10}  {'after':>10}  {'difference':>10}"
    for name, old, new, difference, note in rows:
        yield f"{name:{width}}  {old:>10}  {new:>10}  {difference:>10}" + (f"  {note}" if note else "")
    for one in document["once"]["items"]:
        yield f"{one['line']:{width}}  {display(Decimal(one['amount']), currency):>10} {currency} once, in no sum above"
    if document["break_even_months"] is not None:
        yield f"what is paid once has paid itself after {_short(document['break_even_months'])} months"
    for choice in document["choices"]:
        saving = choice["saving"]
        words = (
            f"{display_change(-Decimal(saving), currency)} {currency} a month" if saving is not None else "not known"
        )
        yield f"what if {choice['name']}: {words}" + "".join(f"; {warning}" for warning in choice["warnings"])
    for warning in document["warnings"]:
        place = f"line {warning['line']}: " if warning["line"] else ""
        yield f"warning: {place}{warning['message']}"


def _new_side(document: Document) -> str:
    return "what_if" if document["what_if"] else "after"


def _chosen(document: Document) -> str:
    return f" with {', '.join(document['what_if'])}" if document["what_if"] else ""


def _rows(document: Document) -> list[tuple[str, str, str, str, str]]:
    currency = document["currency"]
    sides = [{i["line"]: i for i in document["scenarios"][s]["items"]} for s in ("before", _new_side(document))]
    return [
        _row(name, sides[0].get(name), sides[1].get(name), currency) for name in dict.fromkeys([*sides[0], *sides[1]])
    ]


def _row(
    name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, currency: str
) -> tuple[str, str, str, str, str]:
    items = [item for item in (old, new) if item is not None]
    note = "; ".join(dict.fromkeys(i["note"] for i in items if i["note"]))
    difference = ""
    if all(item["amount"] is not None for item in items):
        amounts = [Decimal(item["amount"]) if item is not None else Decimal(0) for item in (old, new)]
        difference = display_change(amounts[1] - amounts[0], currency)
    return name, _cell(old, currency), _cell(new, currency), difference, note


def _cell(item: Mapping[str, Any] | None, currency: str) -> str:
    if item is None:
        return "–"
    if item["amount"] is None:
        return "?"
    return ("~" if item["low"] != item["high"] else "") + display(Decimal(item["amount"]), currency)


def _short(number: str) -> str:
    return plain(round(Decimal(number), 1))


def _json(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _csv(document: Document) -> str:
    rows: list[tuple[str, ...]] = [("side", "line", "amount", "low", "high", "currency", "state", "note")]
    for side, scenario in document["scenarios"].items():
        for item in scenario["items"]:
            amounts = [item[key] or "" for key in ("amount", "low", "high")]
            rows.append((side, item["line"], *amounts, document["currency"], item["state"], item["note"]))
    return _written(rows)


def _focus(document: Document) -> str:
    """Write estimates under the names of FOCUS: what is known of no bill stays out, and `x_` marks our own."""
    rows: list[tuple[str, ...]] = [_FOCUS]
    currency = document["currency"]
    for side, scenario in document["scenarios"].items():
        known = [item for item in scenario["items"] if item["amount"] is not None]
        rows += [(currency, "Usage", "Recurring", i["amount"], i["line"], side, i["state"]) for i in known]
    once = document["once"]["items"]
    rows += [(currency, "Purchase", "One-Time", one["amount"], one["line"], "once", "stated") for one in once]
    return _written(rows)


def _written(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_safe(cell) for cell in row] for row in rows])
    return text.getvalue()


def _safe(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "@"} or (cell[:1] == "-" and not _is_number(cell)) else cell


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _markdown(document: Document) -> str:
    first, *_ = _lines(document)
    lines = [f"**{first}**", "", "| a month | before | after | difference | |", "|---|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in _rows(document)]
    lines += [""] + [f"- {warning['message']}" for warning in document["warnings"]]
    return "\n".join(lines)


FORMATS: Mapping[str, Callable[[Document], str]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "focus": _focus,
    "markdown": _markdown,
}
