"""The real program on a fed source, in a pseudo-terminal: `python -m tests.support.ui_program LOG [SAMPLE [COMMAND…]]`.

COMMAND is what a shell in a service is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from switchover.ui.app.opening import show


def main() -> int:
    os.environ["SAMPLES_NOW"] = str(time.time())  # rows that are older than they may be are unknown
    from tests.support.ui_samples import LIVE, SAMPLES, FakeSource
    from tests.support.ui_services import host

    log = Path(sys.argv[1])
    sample = sys.argv[2] if len(sys.argv) > 2 else "trouble"
    if sample == "crash":
        return show(lambda: FakeSource(LIVE, None), log)  # type: ignore[arg-type]
    source = FakeSource(LIVE, host() if sample == "services" else SAMPLES[sample]())
    source.answers["service.command"] = {"argv": sys.argv[3:], "text": " ".join(sys.argv[3:])}
    return show(lambda: source, log)


if __name__ == "__main__":
    sys.exit(main())
