"""A check kind that gives its secret away in all the ways that it can."""

from __future__ import annotations

import base64
import os
import sys
import traceback
from dataclasses import dataclass

from switchover_checks.api import Context, Finding, Result


@dataclass(frozen=True)
class LeakyConfig:
    which: str
    how: str = "raise"


class LeakyCheck:
    kind = "leaky"
    effect = "read"
    config = LeakyConfig

    async def probe(self, cfg: LeakyConfig, ctx: Context) -> Result:
        value = ctx.secret(cfg.which)
        print(value, file=sys.stderr, flush=True)
        if cfg.how == "crash":
            try:
                self._connect(value)
            except RuntimeError:
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(9)
        if cfg.how == "find":
            coded = base64.b64encode(value.encode()).decode()
            return Result.of([Finding.compare("login", value, coded, passed=False, hint=f"is it {value}?")])
        return self._connect(value)

    def _connect(self, value: str) -> Result:
        raise RuntimeError(f"password authentication failed for {value!r}")
