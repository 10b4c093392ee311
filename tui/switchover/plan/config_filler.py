"""Fills templates into the keys of a kind, when they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from switchover.plan.secrets.secret_store import SecretSource
from switchover.plan.variables import Scope, render_tree

__all__ = ["ConfigFiller"]


@dataclass(frozen=True, slots=True)
class ConfigFiller:
    """Knows the values of a plan. Without `scope` there is no plan, and keys stay as they are."""

    scope: Callable[[], Scope] | None = None
    secrets: SecretSource | None = None

    async def filled(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keys with their values. Raise what `render_tree` raises."""
        if self.scope is None:
            return config
        scope = self.scope()
        if self.secrets is not None and "secret." in repr(config):  # fetching one may run a command
            with_secrets: Mapping[str, Any] = await asyncio.to_thread(render_tree, dict(config), scope, self.secrets)
            return with_secrets
        plain: Mapping[str, Any] = render_tree(config, scope)
        return plain
