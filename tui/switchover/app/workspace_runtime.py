"""All that watches and acts in one workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from switchover.app.current_plan import CurrentPlan
from switchover.app.known_secrets import KnownSecrets
from switchover.applications.applications import Applications
from switchover.clock import Clock
from switchover.health.probing import Evaluator
from switchover.hub import FollowingHub
from switchover.locations import Workspace
from switchover.migration.run.engine import Engine
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.secrets.secret_store import why_held_back

__all__ = ["WorkspaceRuntime"]


@dataclass(frozen=True, slots=True)
class WorkspaceRuntime:
    """All that was built. Where only the host is watched there is the hub alone. `await aclose()` at the end."""

    workspace: Workspace
    clock: Clock
    words: KnownSecrets
    hub: FollowingHub
    applications: Applications
    current: CurrentPlan | None = None

    @property
    def loaded(self) -> LoadedPlan | None:
        """The plan in force."""
        return self.current.loaded if self.current is not None else None

    @property
    def listeners(self) -> list[Callable[[], None]]:
        """Those who are called whenever the run moved."""
        return self.current.listeners if self.current is not None else []

    @property
    def evaluator(self) -> Evaluator | None:
        """What looks at checks."""
        return self.current.evaluator if self.current is not None else None

    @property
    def engine(self) -> Engine | None:
        """What acts."""
        return self.current.engine if self.current is not None else None

    async def know_secrets(self) -> None:
        """Fetch the plan's secrets, within seconds, so that what is written down from here on lacks them."""
        if self.current is not None:
            await why_held_back(self.current.secrets)

    async def aclose(self) -> None:
        """Let go of connections, processes and files; a step under its shim runs on."""
        if self.current is not None:
            await self.current.aclose()
