"""Takes the fenced blocks out of the pages, and the commands out of the blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["DOCS", "ROOT", "Block", "Command", "blocks_of", "hand_written_pages", "inline_commands", "pages"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(?P<language>[a-z]+)(?P<mark>[^\n`]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:switchover|make) [^`\n]+)`(?!`)")
_CODE = re.compile(r"# exit code (\d+)")
_SHELLS = ("sh", "console")


class Command(NamedTuple):
    """A line to type, and the exit code that the page promises."""

    page: str
    line: str
    code: int


class Block(NamedTuple):
    """A fenced block. `mark` follows the language: `shown` is not run, a file name says where the text belongs."""

    page: str
    language: str
    mark: str
    text: str

    @property
    def is_commands(self) -> bool:
        """Whether it holds lines to type."""
        return self.language in _SHELLS

    def commands(self) -> Iterator[Command]:
        """Yield its lines to type."""
        for line in self.text.splitlines() if self.is_commands else ():
            typed = line.removeprefix("$ ")
            if typed.strip() and not typed.startswith("#"):
                promised = _CODE.search(typed)
                yield Command(self.page, typed.partition("  #")[0].strip(), int(promised[1]) if promised else 0)


def pages() -> list[Path]:
    """Return every page: of `docs/`, the README and CONTRIBUTING."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def hand_written_pages() -> list[Path]:
    """Return the pages that no program writes."""
    return [page for page in pages() if not page.read_text("utf-8").startswith("<!-- Written from the code")]


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    name = page.relative_to(ROOT).as_posix()
    text = page.read_text(encoding="utf-8")
    return [Block(name, m["language"], m["mark"].strip(), m["text"]) for m in _BLOCK.finditer(text)]


def inline_commands(page: Path) -> list[Command]:
    """Return the commands that stand inside of sentences and tables."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [Command(page.relative_to(ROOT).as_posix(), found, 0) for found in _INLINE.findall(text)]
