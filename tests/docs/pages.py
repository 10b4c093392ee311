"""Which pages are written from the code, and whether they still say what the code says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.docs.cli_page import cli_reference
from tests.docs.keys_page import keys_reference
from tests.docs.plan_pages import checks_reference, metrics_reference, plan_reference

from switchover.cli.explain.explain_pages import page_lines

__all__ = ["COMMAND", "PAGES", "drifted", "write_pages"]

COMMAND = "python -m tests.docs"
PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "plan-reference": plan_reference,
    "checks-reference": checks_reference,
    "metrics-reference": metrics_reference,
    "expressions": lambda: page_lines("expressions"),
    "keys": keys_reference,
    "cli": cli_reference,
}
_HEAD = f"<!-- Written from the code by `{COMMAND}`; change the code, then run it (or `make docs`). -->"


def written(name: str) -> str:
    """Return the whole text of a page."""
    lines = [_HEAD, *(line.rstrip() for line in PAGES[name]())]
    return "\n".join(lines) + "\n"


def write_pages(folder: Path) -> list[str]:
    """Write all pages; return the names of those that were different."""
    changed = drifted(folder)
    for name in changed:
        (folder / f"{name}.md").write_text(written(name), encoding="utf-8")
    return changed


def drifted(folder: Path) -> list[str]:
    """Return the names of the pages that do not say what the code says."""
    return [name for name in PAGES if _read(folder / f"{name}.md") != written(name)]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
