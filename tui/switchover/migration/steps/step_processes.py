"""A step's processes: the command becomes one, what fled from it is found, who holds its output is known.

Standard library only, and as Python 3.6 reads it: it is sent to other hosts with the shim.
"""

from __future__ import annotations

import errno
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

from switchover.migration.steps.shim_records import MARK


def descendants(root: int) -> Iterator[int]:
    """Find all processes below `root`."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib here
        if name.isdigit():
            with suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                fields = file.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    parents[int(name)] = int(fields[1])
    for pid in parents:
        above, steps = parents.get(pid, 0), 0
        while above not in (0, 1, root) and steps < 10_000:
            above, steps = parents.get(above, 0), steps + 1
        if above == root:
            yield pid


def become(
    request: dict[str, Any], environment: dict[str, str], release: int, failure: int, out: int, err: int
) -> NoReturn:
    """Turn into the command: own session, closed standard input, output to the pipes; held until released."""
    doing = "cannot prepare to run"
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        environment[MARK] = f"{request['started']}:{os.getpid()}"
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.umask(request["umask"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        if os.read(release, 1) != b"!":
            os._exit(0)  # the shim is gone: nothing was released
        doing = f"cannot enter the working directory {request['cwd']}"
        os.chdir(request["cwd"])
        doing = f"cannot execute {request['argv'][0]}"
        os.execvpe(request["argv"][0], request["argv"], environment)  # noqa: S606
    except OSError as error:
        text = (
            "the command or its environment is too long"
            if error.errno == errno.E2BIG
            else os.strerror(error.errno or 0)
        )
        os.write(failure, f"{doing}: {text}".encode()[:256])
    finally:
        os._exit(127)


def somebody_holds(descriptors: list[int]) -> bool:
    """Whether the other end of any of these pipes is open."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, 0)
    return len([1 for _, event in poll.poll(0) if event & select.POLLHUP]) < len(descriptors)
