"""Runs one probe of a kind that is not built in: `python -m switchover_checks.runtime.worker FD`.

Reads the request from stdin, writes questions and the result to the pipe FD. What the module prints goes to stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from switchover_checks.api import Check, ProbeError, Result, Status
from switchover_checks.runtime.code_guard import CodeGuard
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.process_tree import MARKER, survivors
from switchover_checks.runtime.results import failure, sound, to_json

__all__ = ["main"]

_PASSES = 200


class _Line:
    """The line to the parent: one question at a time, answered before the next."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink
        self.memory: dict[str, Any] = {}
        """What the check that is asked for remembers."""
        self._one = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message."""
        self._sink.write(json.dumps(message, default=str).encode() + b"\n")
        self._sink.flush()

    def receive(self) -> dict[str, Any]:
        """Read one message. Raise `EOFError` when the parent has gone."""
        line = self._source.readline()
        if not line:
            raise EOFError("the parent has gone")
        message: dict[str, Any] = json.loads(line)
        return message

    def ask(self, what: str, name: str, *more: object) -> Any:
        """Ask the parent for what only the program knows. Raise `KeyError` when the plan has none."""
        with self._one:
            self.send({"ask": what, "name": name, "more": list(more)})
            answer = self.receive()
        if "value" in answer:
            return answer["value"]
        if "missing" in answer:
            raise KeyError(name)
        if "refused" in answer:
            raise ProbeError(answer["refused"], phase=answer["phase"], status=Status(answer["status"]))
        raise RuntimeError(str(answer.get("error")))


class _AskingContext(LocalContext):
    """A context whose secrets and sides stay with the parent until they are asked for."""

    def __init__(self, deadline: float, base_dir: Path, line: _Line, resources: Resources) -> None:
        super().__init__(deadline, base_dir, resources=resources)
        self._line = line
        self.ports.memory.put("", line.memory)

    def enter(self, phase: str) -> None:
        """Tell the parent what the probe does now; if it is cut off, the parent names it."""
        super().enter(phase)
        self._line.send({"enter": phase})

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Tell the parent how far the probe is, and what it remembers."""
        self._line.send({"progress": [done, total, text], "memory": self._line.memory})

    async def service(self, name: str) -> Mapping[str, Any]:
        """Ask the provider of the plan's service `name`. Raise `KeyError`."""
        value: Mapping[str, Any] = await self.in_thread(lambda: self._line.ask("service", name))
        return value

    async def cloud(
        self, provider: str, service: str, operation: str, params: Mapping[str, Any] | None = None, *, region: str = ""
    ) -> Mapping[str, Any]:
        """Ask a cloud. Raise `ProbeError`."""
        asked = (provider, service, operation, dict(params or {}), region)
        value: Mapping[str, Any] = await self.in_thread(lambda: self._line.ask("cloud", *asked))
        return value

    async def costs(self) -> Mapping[str, Any]:
        """Return what the plan costs a month. Raise `ProbeError`."""
        value: Mapping[str, Any] = await self.in_thread(lambda: self._line.ask("costs", ""))
        return value

    def side(self, name: str) -> Mapping[str, Any]:
        """Return the plan's side `name`. Raise `KeyError`."""
        value: Mapping[str, Any] = self._line.ask("side", name)
        return value

    def secret(self, name: str) -> str:
        """Return the value of the plan's secret `name`. Raise `KeyError`."""
        return str(self._line.ask("secret", name))


def main() -> int:
    """Serve one request, or of built-in kinds one after the other."""
    sink = os.fdopen(int(sys.argv[1]), "wb", 0)
    os.set_inheritable(sink.fileno(), False)
    source = os.fdopen(os.dup(0), "rb", 0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_the_parent, args=(source.fileno(),), daemon=True).start()
    line = _Line(source, sink)
    request = line.receive()
    while True:
        line.memory = request.get("memory") or {}
        line.send({"result": _result(request, line), "memory": line.memory})
        if not request.get("again"):
            os._exit(0)  # a module's threads and exit handlers are not waited for
        try:
            request = line.receive()
        except EOFError:
            os._exit(0)


def _end_with_the_parent(line: int) -> None:
    """Wait until nobody holds the other end of `line`; then nobody keeps the deadline either, so end it all here."""
    hung_up = select.poll()
    hung_up.register(line, 0)  # a hang-up is told without being asked for, and nothing is read
    hung_up.poll()
    marker = [MARKER, *(name for name in os.environ if name.startswith(MARKER))][-1]
    known: frozenset[int] = frozenset()
    for _ in range(_PASSES):
        known = frozenset(survivors(os.getpid(), marker, known))
        for pid in known:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not known:
            break
    os.killpg(0, signal.SIGKILL)


def _result(request: Mapping[str, Any], line: _Line) -> dict[str, Any]:
    try:
        data = to_json(_looked(request, line))
        json.dumps(data)
    except (TypeError, ValueError, AttributeError) as error:
        return to_json(Result.unknown(f"the check returned a Result that is none: {type(error).__name__}: {error}"))
    return data


def _looked(request: Mapping[str, Any], line: _Line) -> Result:
    guard = CodeGuard(request["code"]) if request["source"] == "local" else None
    result = _answer(request, line, guard)
    if guard is not None and guard.refused:  # also where the module went on without it
        return Result.unknown(f"the check cannot be used: {guard.refused[0]}")
    return result


def _answer(request: Mapping[str, Any], line: _Line, guard: CodeGuard | None) -> Result:
    try:
        check = _load(request, guard)
        config = build_config(check.config, request["config"])
        return sound(asyncio.run(_probe(check, config, request, line)))
    except ProbeError as error:
        return failure(str(error), error.status, error.phase)
    except ConfigError as error:
        return Result.unknown(f"the check cannot be used: {error}")
    except BaseException as error:
        if isinstance(error, SystemExit):
            return Result.unknown(f"the check module called exit({error.code!r})")
        return Result.unknown(f"the check itself failed: {type(error).__name__}: {error}")


async def _probe(check: Check[Any], config: Any, request: Mapping[str, Any], line: _Line) -> object:
    resources = Resources()
    ctx = _AskingContext(time.monotonic() + request["timeout_s"], Path(request["base_dir"]), line, resources)
    ctx.about = str(request.get("about", ""))
    try:
        return await check.probe(config, ctx)
    finally:
        line.memory = ctx.ports.memory.of("")
        await resources.aclose()


def _load(request: Mapping[str, Any], guard: CodeGuard | None) -> Check[Any]:
    place, _, name = str(request["location"]).rpartition(":")
    module = _from_file(Path(place), guard) if guard is not None else importlib.import_module(place)
    check: Check[Any] = getattr(module, name)()
    return check


def _from_file(path: Path, guard: CodeGuard) -> ModuleType:
    guard.install()
    sys.path.append(str(path.parent))  # last: what lies beside a module never stands for what is installed
    name = f"switchover_local_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    raise SystemExit(main())
