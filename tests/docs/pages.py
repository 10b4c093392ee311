"""Which pages are written from the code, and whether they still say what the code says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.docs.cli_page import cli_reference
from tests.docs.keys_page import keys_reference
from tests.docs.plan_pages import checks_reference, metrics_reference, plan_reference
from tests.docs.protocol_page import MARK, method_lines

from switchover.cli.explain.explain_pages import page_lines

__all__ = ["COMMAND", "PAGES", "PARTS", "drifted", "write_pages"]

COMMAND = "python -m tests.docs"
PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "plan-reference": plan_reference,
    "checks-reference": checks_reference,
    "metrics-reference": metrics_reference,
    "expressions": lambda: page_lines("expressions"),
    "keys": keys_reference,
    "cli": cli_reference,
}
PARTS: Mapping[str, Callable[[], Iterator[str]]] = {"protocol": method_lines}  # the rest is written by hand
_HEAD = f"<!-- Written from the code by `{COMMAND}`; change the code, then run it (or `make docs`). -->"


def written(name: str) -> str:
    """Return the whole text of a page."""
    lines = [_HEAD, *(line.rstrip() for line in PAGES[name]())]
    return "\n".join(lines) + "\n"


def completed(name: str, text: str) -> str:
    """Return the text of a page of which the part below the mark is written from the code."""
    by_hand = text.partition(MARK)[0].rstrip()
    return "\n".join((by_hand, "", MARK, "", *PARTS[name]())) + "\n"


def write_pages(folder: Path) -> list[str]:
    """Write all pages; return the names of those that were different."""
    changed = drifted(folder)
    for name in changed:
        path = folder / f"{name}.md"
        text = completed(name, _read(path)) if name in PARTS else written(name)
        path.write_text(text, encoding="utf-8")
    return changed


def drifted(folder: Path) -> list[str]:
    """Return the names of the pages that do not say what the code says."""
    texts = {name: _read(folder / f"{name}.md") for name in (*PAGES, *PARTS)}
    pages = [name for name in PAGES if texts[name] != written(name)]
    return [*pages, *(name for name in PARTS if texts[name] != completed(name, texts[name]))]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
