"""A probe in a child process: whatever it does, and however long it works, costs only its own result.

Parent and child speak JSON lines. Request and answers go over the child's stdin. Questions and the result go over a
pipe of its own, so that what the module prints spoils nothing.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Mapping
from typing import Any

from switchover_checks.api import Context, ProbeError, Result
from switchover_checks.language.units import format_bytes, format_duration
from switchover_checks.runtime.commands import Child
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.local_code import LocalCode
from switchover_checks.runtime.registry import KindInfo
from switchover_checks.runtime.results import from_json
from switchover_checks.runtime.workers import MOST_LINE, Worker, Workers

__all__ = ["probe_isolated"]

_MOST_PHASE = 100


class _TooLongError(Exception):
    """The child sent a line that is longer than what is read of it."""


async def probe_isolated(info: KindInfo, config: Mapping[str, Any], ctx: Context, code: LocalCode) -> Result:
    """Run one probe in a child of its own. A late child is ended with all that it started.

    Of the files beside the plan nothing but `code` is executed.
    """
    budget = max(0.0, ctx.deadline - time.monotonic())
    again = info.source == "builtin"
    request = {
        "kind": info.kind,
        "source": info.source,
        "location": info.location,
        "config": config,
        "timeout_s": budget,
        "base_dir": str(ctx.base_dir),
        "again": again,
        "about": getattr(ctx, "about", ""),
        "memory": ctx.ports.memory.of(ctx.owner) if isinstance(ctx, LocalContext) else {},
        "code": {"files": dict(code.files), "roots": code.roots, "since": code.since}
        if info.source == "local"
        else None,
    }
    line = json.dumps(request, default=str).encode() + b"\n"
    local = ctx if isinstance(ctx, LocalContext) else None
    workers = local.workers if local is not None else Workers()
    sweeper = local.sweeper if local is not None else None
    worker = await workers.take(ctx.base_dir, sweeper, again=again)
    answer, trouble = await _ask(workers, worker, info.kind, line, ctx, keep=again and local is not None)
    if answer is None and not trouble and worker.used:  # it ended while it waited; that is nothing about this probe
        worker = await workers.take(ctx.base_dir, sweeper, again=False)
        answer, trouble = await _ask(workers, worker, info.kind, line, ctx, keep=local is not None)
    if answer is None:
        phase = str(getattr(ctx, "phase", ""))
        return Result.unknown(trouble or f"its process ended without an answer ({_ending(worker.child)})", phase=phase)
    return answer


async def _ask(
    workers: Workers, worker: Worker, kind: str, line: bytes, ctx: Context, *, keep: bool
) -> tuple[Result | None, str]:
    """Send a request and wait for the answer. Without one the process is closed, and the text says why."""
    budget = max(0.0, ctx.deadline - time.monotonic())
    answer: Result | None = None
    trouble = ""
    try:
        async with asyncio.timeout(budget):
            await worker.child.write(line)
            answer = await _converse(worker.child, worker.reader, ctx)
            if answer is None:
                await worker.child.exited()
                await worker.child.drain()
    except TimeoutError:
        trouble = f"no answer within {format_duration(budget)}"
    except _TooLongError:
        trouble = f"the result of the check {kind} is longer than {format_bytes(MOST_LINE)}; let it return less"
    except ValueError as error:
        trouble = f"its process answered nonsense: {error}"
    finally:
        if answer is not None and keep:
            await workers.give_back(worker)
        else:
            await worker.close()
    return answer, trouble


async def _converse(child: Child, reader: asyncio.StreamReader, ctx: Context) -> Result | None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # a line beyond the reader's limit
            raise _TooLongError from None
        if not line.endswith(b"\n"):
            return None
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("not an object")  # noqa: TRY004 - nonsense is nonsense, whatever its type
        if "result" in message:
            if isinstance(ctx, LocalContext):
                ctx.ports.memory.put(ctx.owner, message.get("memory"))
            return from_json(message["result"])
        if "enter" in message:
            ctx.enter(str(message["enter"])[:_MOST_PHASE])
            continue
        if "progress" in message:
            _take_progress(message, ctx)
            continue
        if message.get("ask") in ("service", "cloud", "costs"):
            await child.write(json.dumps(await _asked(message, ctx), default=str).encode() + b"\n")
            continue
        asks = functools.partial(_answer, message, ctx)
        answer = await ctx.in_thread(asks)  # a secret may take its time
        await child.write(json.dumps(answer, default=str).encode() + b"\n")


def _take_progress(message: Mapping[str, Any], ctx: Context) -> None:
    done, total, text = message["progress"]
    ctx.progress(float(done), float(total), str(text)[:_MOST_PHASE])
    if isinstance(ctx, LocalContext):
        ctx.ports.memory.put(ctx.owner, message.get("memory"))
        ctx.ports.memory.of(ctx.owner)


def _answer(message: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    name = str(message.get("name"))
    try:
        if message.get("ask") == "secret":
            return {"value": ctx.secret(name)}
        if message.get("ask") == "side":
            return {"value": dict(ctx.side(name))}
    except KeyError:
        return {"missing": name}
    except Exception as error:
        return {"error": str(error)}
    return {"error": "unknown question"}


async def _asked(message: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """Ask what only the program can, for the child."""
    name, more = str(message.get("name")), message.get("more")
    try:
        if message["ask"] == "service":
            return {"value": dict(await ctx.service(name))}
        if message["ask"] == "costs":
            return {"value": dict(await ctx.costs())}
        service, operation, params, region = more if isinstance(more, list) and len(more) == 4 else ("", "", {}, "")
        return {"value": dict(await ctx.cloud(name, service, operation, params, region=region))}
    except KeyError:
        return {"missing": name}
    except ProbeError as error:
        return {"refused": str(error), "phase": error.phase, "status": int(error.status)}
    except Exception as error:
        return {"error": str(error)}


def _ending(child: Child) -> str:
    code = child.exit_code
    text = f"exit code {code}" if code >= 0 else f"signal {-code}"
    said = child.stderr.text.strip().splitlines()
    return f"{text}: {said[-1][:200]}" if said else text
