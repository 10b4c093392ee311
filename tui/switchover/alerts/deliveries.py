"""Carries notifications to the notifiers of a plan: each by itself, in time, and again where one failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchover.alerts.notifier_api import Notification, Notifier, NotSentError
from switchover.errors import SwitchoverError
from switchover.plan.config_filler import ConfigFiller
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError
from switchover_checks.api import ProbeError
from switchover_checks.language.declared import load_declared
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.context import LocalContext, Resources

__all__ = ["Deliveries"]


class Deliveries:
    """Sends in tasks of its own, so a slow receiver delays nobody. `failures` says what reached nobody, until read."""

    def __init__(self, notifiers: Mapping[str, NotifierSpec], filler: ConfigFiller, base_dir: Path) -> None:
        self._specs = notifiers
        self._filler = filler
        self._base_dir = base_dir
        self._resources = Resources()
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[str] = []

    def _spec(self, name: str) -> NotifierSpec:
        return self._specs.get(name) or NotifierSpec(type=name)

    def _notifier(self, name: str) -> Notifier[Any]:
        notifier: Notifier[Any] = load_declared(NOTIFIERS, self._spec(name).type)()
        return notifier

    def rings(self, names: Sequence[str]) -> bool:
        """Tell whether the screens ring for one of these."""
        return any(self._notifier(name).rings for name in names)

    def send(self, names: Sequence[str], notification: Notification) -> None:
        """Begin to tell each of these notifiers."""
        for name in names:
            task = asyncio.get_running_loop().create_task(self._deliver(name, notification), name=f"notify {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, name: str, notification: Notification) -> None:
        notifier = self._notifier(name)
        for pause in (*notifier.pauses_s, None):
            try:
                await self._try(notifier, self._spec(name).config, notification)
            except NotSentError as error:
                if pause is None or not error.again:
                    self.failures.append(f"{name} was not told: {error}")
                    return
                await asyncio.sleep(max(pause, error.retry_after_s))
            else:
                return

    async def _try(self, notifier: Notifier[Any], keys: Mapping[str, Any], notification: Notification) -> None:
        """Send once. Raise `NotSentError`, whatever goes wrong: a notifier costs only itself."""
        try:
            config = build_config(notifier.config, await self._filler.filled(keys))
            deadline = time.monotonic() + notifier.timeout_s
            ctx = LocalContext(deadline, self._base_dir, resources=self._resources)
            async with asyncio.timeout(notifier.timeout_s):
                await notifier.send(notification, config, ctx)
        except NotSentError:
            raise
        except TimeoutError:
            raise NotSentError(f"no answer within {notifier.timeout_s:g} s") from None
        except MissingValueError as missing:
            raise NotSentError(f"waits for variable {missing.name}") from None
        except (TemplateError, ConfigError, ProbeError) as error:
            raise NotSentError(str(error)) from None
        except SwitchoverError as error:
            raise NotSentError(error.title) from None
        except Exception as error:
            raise NotSentError(f"the notifier itself failed: {type(error).__name__}", again=False) from error

    async def aclose(self) -> None:
        """Give up what is under way, and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._resources.aclose()
