"""Collects what goes into the bundle for a colleague: bounded in time and size, each part by itself."""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from switchover import __version__
from switchover.hub.problems.problem_report import problems_markdown, timeline_markdown
from switchover.hub.services.log_tail import read_tail
from switchover.locations import Workspace
from switchover.migration.journal.checkpoints import CHECKPOINTS, read_checkpoints
from switchover.plan.loader.load import LoadedPlan
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot import Snapshot
from switchover.triage.bundle_file import bundle_name, write_bundle
from switchover_checks.runtime.commands import run_command

__all__ = ["BUNDLES", "Bundler"]

BUNDLES = "bundles"  # the folder, beside the journal
_LINES = 500
_MOST_SERVICES = 12
_DOCTOR_S = 25.0
_LOGS_S = 15.0
_OPERATION_HEADS = "operations.heads"

LogSources = Callable[[Sequence[str], LogSpan], Awaitable[Sequence[LogSource | tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class Bundler:
    """Makes bundles of a workspace."""

    workspace: Workspace
    loaded: LoadedPlan | None
    log_sources: LogSources
    redact: Callable[[str], str]

    async def make(self, snapshot: Snapshot) -> tuple[Path, int]:
        """Write a bundle of how things stand; return its path and its size in bytes. Raise `StateError`."""
        doctor, logs = await asyncio.gather(self._doctor(), self._logs(snapshot))
        parts = {
            "README.md": self._readme(snapshot, logs),
            "problems.md": problems_markdown(snapshot),
            "timeline.md": timeline_markdown(snapshot),
            "snapshot.json": _as_json(snapshot),
            "doctor.txt": doctor,
            "journal.txt": self._checkpoints(),
            **({"plan.yaml": self.loaded.text} if self.loaded is not None else {}),
            **{f"logs/{_safe(name)}.log": text for name, text in logs.items()},
        }
        name = bundle_name(snapshot.header.host or platform.node(), snapshot.at)
        folder = self.workspace.directory / BUNDLES
        return await asyncio.to_thread(write_bundle, folder, name, parts, self.redact, snapshot.at)

    def _readme(self, snapshot: Snapshot, logs: Mapping[str, str]) -> str:
        counts = (
            f"{len(snapshot.problems)} problems, {len(snapshot.services)} services of the plan, "
            f"{len(snapshot.found)} others, {len(snapshot.checks)} checks"
        )
        return "\n".join(
            [
                f"# switchover {__version__} on {snapshot.header.host}",
                "",
                f"- Python {platform.python_version()}, {platform.system()} {platform.release()}",
                f"- plan: {self.workspace.plan or 'none, the host alone'}",
                f"- {counts}",
                f"- logs of: {', '.join(logs) or 'nothing'}",
                "",
                "Secrets, and what looks like one, are left out. Read problems.md first, then timeline.md.",
                "",
            ]
        )

    async def _doctor(self) -> str:
        command = [sys.executable, "-P", "-m", "switchover", "doctor", "--state", str(self.workspace.root)]
        try:
            async with asyncio.timeout(_DOCTOR_S):
                output = await run_command(command)
        except (TimeoutError, OSError) as error:
            return f"it gave no answer: {error or 'too late'}\n"
        return output.stdout + output.stderr

    async def _logs(self, snapshot: Snapshot) -> dict[str, str]:
        names = list(dict.fromkeys(problem.service for problem in snapshot.problems if problem.service))
        names = names[:_MOST_SERVICES]
        texts = dict.fromkeys(names, "(not read in time)\n")

        async def one(name: str) -> None:
            texts[name] = await self._log(name)

        try:
            async with asyncio.timeout(_LOGS_S):
                await asyncio.gather(*(one(name) for name in names))
        except TimeoutError:
            pass
        return texts

    async def _log(self, name: str) -> str:
        parts = []
        try:
            sources = await self.log_sources([name], LogSpan(_LINES, follow=False))
        except Exception as error:  # one log that cannot be found must not keep the bundle from being made
            return f"({error})\n"
        for source in sources:
            if isinstance(source, LogSource):
                lines, why = await read_tail(source, _LINES, self.redact)
                parts += [f"== {source.name} ==", *lines, *([f"({why})"] if why else [])]
            else:
                parts.append(f"({': '.join(source)})")
        return "\n".join(parts) + "\n"

    def _checkpoints(self) -> str:
        lines = []
        for label, name in (("runs", CHECKPOINTS), ("operations", _OPERATION_HEADS)):
            try:
                checkpoints = read_checkpoints(self.workspace.directory / name)
            except ValueError as error:
                lines.append(f"{label}: {error}")
                continue
            newest = checkpoints[-1] if checkpoints else None
            lines.append(f"{label}: record {newest.seq}, {newest.hash}" if newest else f"{label}: nothing is on record")
        return "\n".join(lines) + "\n"


def _as_json(snapshot: Snapshot) -> str:
    return json.dumps(msgspec.to_builtins(snapshot), indent=1, ensure_ascii=False)


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:80].lstrip(".") or "service"
