"""`python -m tests.bench [NAME]…`."""

from __future__ import annotations

import sys
from importlib import import_module

from tests.bench.support.table import print_heading

_NAMES = (
    "line",
    "first_frame",
    "steps",
    "resume",
    "output",
    "journal",
    "http_checks",
    "events",
    "agent_rows",
    "many_rows",
    "log_screen",
    "docker_events",
    "process_events",
    "unit_events",
    "log_reader",
    "compared_tables",
    "alert_rules",
    "numbers.kept_points",
    "numbers.computed_costs",
)


def main(arguments: list[str]) -> int:
    """Run the measurements that are named, or all."""
    for name in arguments:
        if name not in _NAMES:
            sys.stderr.write(f"there is no {name}; there are {', '.join(_NAMES)}\n")
            return 2
    print_heading()
    for name in arguments or _NAMES:
        import_module(f"tests.bench.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
