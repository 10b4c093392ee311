"""The context of a probe in this process: its deadline, and ways to reach the world that end with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from switchover_checks.api import CommandOutput, HttpReply, Streams, TlsTrust
from switchover_checks.runtime.commands import run_command
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.process_tree import Sweeper
from switchover_checks.runtime.threads import Threads

if TYPE_CHECKING:
    from switchover_checks.runtime.http_client import HttpPool
    from switchover_checks.runtime.workers import Workers

__all__ = ["LocalContext", "Resources", "no_secret"]

T = TypeVar("T")


def no_secret(name: str) -> str:
    """Stand for a plan without secrets."""
    raise KeyError(name)


class Resources:
    """What probes share: kept-alive connections, threads for blocking work, what ends processes. One a runner."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.sweeper = Sweeper()
        self._http: HttpPool | None = None
        self._workers: Workers | None = None

    @property
    def workers(self) -> Workers:
        """The processes that probe apart, made when first needed."""
        if self._workers is None:
            from switchover_checks.runtime.workers import Workers

            self._workers = Workers()
        return self._workers

    @property
    def http(self) -> HttpPool:
        """The shared HTTP connections, made when first needed."""
        if self._http is None:
            from switchover_checks.runtime.http_client import HttpPool

            self._http = HttpPool()
        return self._http

    async def aclose(self) -> None:
        """Close the connections, end the processes."""
        if self._workers is not None:
            await self._workers.aclose()
        if self._http is not None:
            await self._http.aclose()


class LocalContext:
    """The `Context` of a probe in this process. Relative paths and the working directory of commands are `base_dir`.

    `owner` is the check that is probed: what hangs of it in threads holds up no other.
    """

    def __init__(
        self,
        deadline: float,
        base_dir: Path,
        *,
        sides: Mapping[str, Mapping[str, Any]] | None = None,
        secrets: Callable[[str], str] = no_secret,
        resources: Resources | None = None,
        ports: ProbePorts | None = None,
    ) -> None:
        self.deadline = deadline
        self.base_dir = base_dir
        self.phase = ""
        self.owner = ""
        self.about = ""
        self.machine = ""
        self._sides = sides or {}
        self._secrets = secrets
        self._resources = resources or Resources()
        self.ports = ports or ProbePorts()

    @property
    def workers(self) -> Workers:
        """The processes that probe apart."""
        return self._resources.workers

    @property
    def sweeper(self) -> Sweeper:
        """What ends the processes of probes with all that they started."""
        return self._resources.sweeper

    def enter(self, phase: str) -> None:
        """Note what the probe does now."""
        self.phase = phase

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread of its own."""
        return await self._resources.threads.run(work, self.owner)

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
    ) -> CommandOutput:
        """Run a command to its end, its whole process tree ended at the deadline; on `machine`, if one is set."""
        if self.machine:
            left = max(self.deadline - time.monotonic(), 0.1)
            return await self.ports.elsewhere(self.machine, argv, env or {}, str(cwd or ""), left)
        return await run_command(argv, env=env, cwd=cwd or self.base_dir, stdin=stdin, sweeper=self.sweeper)

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = False,
        verify: bool = True,
        max_body: int = 1 << 20,
        connect: str = "",
    ) -> HttpReply:
        """Make an HTTP request. Raise `ProbeError` with the phase that failed."""
        return await self._resources.http.request(
            method,
            url,
            headers=headers,
            body=body,
            follow_redirects=follow_redirects,
            verify=verify,
            max_body=max_body,
            connect=connect,
            enter=self.enter,
        )

    async def sql(self, url: str, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a read-only query and return its rows."""
        from switchover_checks.data.database import query_rows

        return await query_rows(self, url, query, params)

    async def connect(self, host: str, port: int, *, tls: TlsTrust | None = None, server_name: str = "") -> Streams:
        """Open a connection. Raise `ProbeError` with the phase that failed."""
        from switchover_checks.runtime.network.connecting import connected

        return await connected(host, port, self.enter, tls=tls, server_name=server_name)

    async def service(self, name: str) -> Mapping[str, Any]:
        """Ask the provider of the plan's service `name`. Raise `KeyError`."""
        return await self.ports.service(name)

    async def cloud(
        self, provider: str, service: str, operation: str, params: Mapping[str, Any] | None = None, *, region: str = ""
    ) -> Mapping[str, Any]:
        """Ask a cloud. Raise `ProbeError`."""
        self.enter("api")
        return await self.ports.cloud(provider, service, operation, params or {}, region)

    async def costs(self) -> Mapping[str, Any]:
        """Return what the plan costs a month. Raise `ProbeError`."""
        return await self.ports.costs()

    def pushed(self) -> Mapping[str, Any]:
        """Return what was last reported for this check."""
        return self.ports.pushed(self.owner)

    def since(self, name: str) -> dict[str, Any]:
        """Return what this check remembers under `name`."""
        found = self.ports.memory.of(self.owner).setdefault(name, {})
        assert isinstance(found, dict)
        return found

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far the probe is."""
        self.ports.progress.put(self.owner, done, total, text, time.monotonic())

    def side(self, name: str) -> Mapping[str, Any]:
        """Return the plan's side `name`. Raise `KeyError`."""
        return self._sides[name]

    def secret(self, name: str) -> str:
        """Return the value of the plan's secret `name`. Raise `KeyError`."""
        return self._secrets(name)
