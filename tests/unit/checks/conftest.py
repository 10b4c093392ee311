"""A way to probe a kind in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Result
from switchover_checks.runtime.config import build_config
from switchover_checks.runtime.context import LocalContext, Resources, no_secret
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Any]


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """Return a function that probes a kind once, with relative paths in the test's folder."""

    async def once(
        kind: str,
        sides: Mapping[str, Mapping[str, Any]] | None = None,
        secrets: Callable[[str], str] = no_secret,
        ports: ProbePorts | None = None,
        about: str = "",
        over_there: bool = False,
        **config: Any,
    ) -> Result:
        check = Registry().load(kind)
        resources = Resources()
        ctx = LocalContext(
            time.monotonic() + 30, tmp_path, sides=sides, secrets=secrets, ports=ports, resources=resources
        )
        ctx.owner, ctx.about = "mine", about
        if over_there:  # the other machine is this one, by a shell
            ctx.ports = replace(ctx.ports, elsewhere=lambda _machine, argv, *_: LocalContext.run(here, argv))
            ctx.machine, here = "there", LocalContext(time.monotonic() + 30, tmp_path, resources=resources)
        try:
            return await check.probe(build_config(check.config, config), ctx)
        finally:
            await resources.aclose()

    return once
