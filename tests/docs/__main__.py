"""`python -m tests.docs`: write the pages that come from the code. `python -m tests.house` says which have drifted."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.pages import write_pages

FOLDER = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Write all pages, and name those that were different."""
    for name in write_pages(FOLDER):
        sys.stderr.write(f"wrote docs/{name}.md\n")


if __name__ == "__main__":
    main()
