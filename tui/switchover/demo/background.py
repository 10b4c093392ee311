"""How a demo's process leaves its terminal: after it listens, so that its starter knows that it answers."""

from __future__ import annotations

import os
import sys
import threading
import time

from switchover.demo.demo_marks import start_time
from switchover.demo.layout import Demo, Part, write_whole

__all__ = ["go_on_in_background"]

_LOOK_EVERY_S = 1.0


def go_on_in_background(demo: Demo, part: Part) -> bool:
    """Split in two. The starter records the other and returns False. The other returns True, in a session of its own.

    The one in the background ends by itself when the demo's folder is gone.
    """
    demo.log(part).parent.mkdir(parents=True, exist_ok=True)
    log = os.open(demo.log(part), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(read_end)
        write_whole(demo.record(part), f"{child} {start_time(child) or 0}\n")
        os.write(write_end, b".")
        return False
    os.close(write_end)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    if os.read(read_end, 1) != b".":  # the starter died before it could write us down: then we have not been started
        os._exit(1)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(read_end)
    os.chdir("/")
    threading.Thread(target=_end_with_folder, args=(demo,), daemon=True).start()
    return True


def _end_with_folder(demo: Demo) -> None:
    while demo.mark.exists():
        time.sleep(_LOOK_EVERY_S)
    sys.stderr.write("the demo's folder is gone: ending\n")
    os._exit(0)
