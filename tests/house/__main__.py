"""`python -m tests.house`: say what breaks the rules of the house, and exit with 1 where something does."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.pages import COMMAND, drifted
from tests.house.rules import broken_rules

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Check the whole checkout."""
    broken = broken_rules(ROOT)
    broken += [
        f"docs/{name}.md does not say what the code says: `{COMMAND}` mends it" for name in drifted(ROOT / "docs")
    ]
    for line in broken:
        sys.stderr.write(f"{line}\n")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
