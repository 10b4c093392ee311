"""`csv`: amounts from a file, as a spreadsheet or another program writes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import ClassVar

from switchover.costs.cost_source_api import CostLine, CostSource
from switchover.plan.kind_calls import UnavailableError
from switchover_checks.api import Context

__all__ = ["CsvCosts", "CsvCostsConfig"]

_MOST_BYTES = 1 << 20
_COLUMNS = ("side", "line", "amount")


@dataclass(frozen=True)
class CsvCostsConfig:
    """A file with a heading: `side` (before, after), `line`, `amount` a month; `currency` and `note` where you like."""

    path: str
    """The file, from the folder of the plan."""


class CsvCosts(CostSource[CsvCostsConfig]):
    """Reads the file anew each time."""

    kind: ClassVar[str] = "csv"
    config: ClassVar[type] = CsvCostsConfig
    example: ClassVar[str] = """
    kind: csv
    path: costs.csv
    """

    async def lines(self, cfg: CsvCostsConfig, ctx: Context) -> Sequence[CostLine]:
        """Read it, in a thread. One wrong row makes all of it unknown: a sum that leaves out a row would be a lie."""
        text = await ctx.in_thread(lambda: _text(ctx.base_dir / cfg.path))
        rows = csv.DictReader(io.StringIO(text))
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise UnavailableError(f"{cfg.path} has no column {', '.join(missing)}")
        return [_line(row, f"{cfg.path}, line {rows.line_num}") for row in rows]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UnavailableError(f"{path.name} is larger than 1 MiB")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UnavailableError(f"{path.name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UnavailableError(f"{path.name} is not UTF-8") from None


def _line(row: dict[str, str | None], place: str) -> CostLine:
    side, name, amount = ((row[column] or "").strip() for column in _COLUMNS)
    if side not in ("before", "after"):
        raise UnavailableError(f"{place}: side is before or after, not {side!r}")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UnavailableError(f"{place}: {amount!r} is no amount")
    return CostLine(name, side, value, (row.get("currency") or "").strip(), (row.get("note") or "").strip())  # type: ignore[arg-type]
