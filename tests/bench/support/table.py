"""Print a measurement as a table, with what it is compared to and the aim."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence

__all__ = ["print_heading", "print_table"]


def print_heading() -> None:
    """Say what was measured on."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    sys.stdout.write(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs, load before: {load}\n"
    )
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print rows under columns, the first flush left, the others flush right."""
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    lines = ["", title, "-" * len(title)]
    for row in (columns, *rows):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    if note:
        lines.append(note)
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
