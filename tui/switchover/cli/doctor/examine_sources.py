"""Where services are looked for, for `doctor`: which source is on, and why another is off. Nothing is contacted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from switchover.errors import UsageError
from switchover.services.examination import Examination
from switchover.services.service_kind import service_kinds
from switchover.settings import load_settings, settings_path

__all__ = ["examine_sources"]


def examine_sources(environ: Mapping[str, str], system: Path) -> Iterator[Examination]:
    """Look at each source of services. `system` is where the machine's own files begin."""
    path = settings_path(environ)
    off: frozenset[str] = frozenset()
    with suppress(UsageError):  # what is wrong with the settings is said where they are used
        off = load_settings(path).sources_off
    for kind in service_kinds():
        if kind.doctor_name and kind.kind in off:
            yield Examination(kind.doctor_name, "off", f"switched off in {path}")
        elif kind.doctor_name:
            yield kind.examine(environ, system)
