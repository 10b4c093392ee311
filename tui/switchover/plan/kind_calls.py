"""Calls what a plan names by its kind: with keys filled in, in time, every failure in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from switchover.errors import SwitchoverError
from switchover.plan.secrets.secret_store import SecretSource
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render_tree
from switchover_checks.api import Context, ProbeError
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.context import LocalContext, Resources

__all__ = ["KindCalls", "UnavailableError"]

T = TypeVar("T")


class UnavailableError(Exception):
    """It could not be had or done; the text says why, in a few words and without a secret."""


@dataclass(frozen=True, slots=True)
class KindCalls:
    """Knows the values of a plan. Without `scope` there is no plan, and keys stay as they are."""

    scope: Callable[[], Scope] | None = None
    secrets: SecretSource | None = None
    base_dir: Path = field(default_factory=Path)
    resources: Resources = field(default_factory=Resources)

    async def config(self, config: type, keys: Mapping[str, Any]) -> Any:
        """Return the configuration that these keys make. Raise `UnavailableError`."""
        try:
            return build_config(config, await self._filled(keys))
        except MissingValueError as missing:
            raise UnavailableError(f"waits for variable {missing.name}") from None
        except SwitchoverError as error:
            raise UnavailableError(error.title) from None
        except (TemplateError, ConfigError) as error:
            raise UnavailableError(str(error)) from None

    async def _filled(self, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.scope is None:
            return keys
        scope = self.scope()
        if self.secrets is not None and "secret." in repr(keys):  # fetching one may run a command
            with_secrets: Mapping[str, Any] = await asyncio.to_thread(render_tree, dict(keys), scope, self.secrets)
            return with_secrets
        plain: Mapping[str, Any] = render_tree(keys, scope)
        return plain

    async def call(
        self, config: type, keys: Mapping[str, Any], timeout_s: float, work: Callable[[Any, Context], Awaitable[T]]
    ) -> T:
        """Do `work` with the configuration and a context that ends in time. Raise nothing but `UnavailableError`."""
        made = await self.config(config, keys)
        try:
            async with asyncio.timeout(timeout_s):
                ctx = LocalContext(time.monotonic() + timeout_s, self.base_dir, resources=self.resources)
                return await work(made, ctx)
        except UnavailableError:
            raise
        except TimeoutError:
            raise UnavailableError(f"no answer within {timeout_s:g} s") from None
        except ProbeError as error:
            raise UnavailableError(str(error)) from None
        except Exception as error:
            raise UnavailableError(f"it failed by itself: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self.resources.aclose()
