"""The real program on a fed source, for tests in a pseudo-terminal: `python -m tests.ui_program LOG [SAMPLE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from switchover.ui.app import show


def main() -> int:
    from tests.ui_samples import LIVE, SAMPLES, FakeSource

    log = Path(sys.argv[1])
    sample = sys.argv[2] if len(sys.argv) > 2 else "trouble"
    if sample == "crash":
        return show(lambda: FakeSource(LIVE, None), log)  # type: ignore[arg-type]
    return show(lambda: FakeSource(LIVE, SAMPLES[sample]()), log)


if __name__ == "__main__":
    sys.exit(main())
