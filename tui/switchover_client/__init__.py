"""Tell switchover what an application does: its workflows, steps, tests, git operations and use of AI.

The standard library is all that it needs, so this one file may be copied into any project. A call puts a few words
into a queue and returns; a thread of its own sends them. A call never blocks and never raises. Where nobody listens,
the oldest words are dropped, and the agent is told how many.

The address comes from `SWITCHOVER_API` or from `connect`. It is the path of the agent's socket, which `switchover api`
prints. Or it is `http://127.0.0.1:PORT`, with the token's file in `SWITCHOVER_API_TOKEN_FILE`.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import itertools
import os
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

__all__ = [
    "connect",
    "flush",
    "log",
    "metric",
    "monitor_step",
    "track_ai_usage",
    "track_git_operation",
    "track_tests",
    "workflow_completed",
    "workflow_started",
]

Function = TypeVar("Function", bound=Callable[..., Any])
_MOST_WAITING = 10_000
_MOST_AT_ONCE = 500
_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 30.0
_ANSWER_WITHIN_S = 5.0
_FLUSH_AT_EXIT_S = 0.5

_Word = tuple[int, float, str, Any, Any, tuple[Any, ...]]


class _Done:
    """What a call returns: `await` on it does nothing, so that code that awaits its tracking goes on working."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


_DONE = _Done()


class _Sender:
    """One process's queue, and the thread that empties it."""

    def __init__(self) -> None:
        self.waiting: deque[_Word] = deque(maxlen=_MOST_WAITING)
        self.numbers = itertools.count(1)
        self.source = secrets.token_hex(8)
        self.address = ""
        self.token = ""
        self.app = ""
        self.thread: threading.Thread | None = None
        self.wake = threading.Event()
        self.stopping = False
        self.starting = threading.Lock()
        self.broken = 0  # words that could not even be queued
        self.unsent: list[_Word] = []  # taken from the queue, and not yet known to have arrived

    def start(self) -> None:
        with self.starting:
            if self.thread is None and not self.stopping:
                thread = threading.Thread(target=self.run, name="switchover-client", daemon=True)
                thread.start()
                self.thread = thread

    def run(self) -> None:
        failures = 0
        while True:
            self.wake.wait(min(_PAUSE_S * 2 ** min(failures, 10), _LONGEST_PAUSE_S) if failures else _PAUSE_S)
            self.wake.clear()
            try:
                sent = self.send_all()
            except Exception:
                sent = False
            failures = 0 if sent else failures + 1
            if self.stopping:
                with self.starting:
                    self.thread = None
                return

    def send_all(self) -> bool:
        """Send what waits, and tell whether all of it arrived."""
        while self.unsent or self.waiting:
            while self.waiting and len(self.unsent) < _MOST_AT_ONCE:
                self.unsent.append(self.waiting.popleft())
            if not self.post(_lines(self.unsent, self.source, self.app)):
                return False
            self.unsent.clear()
        return True

    def post(self, body: bytes) -> bool:
        import http.client
        import socket

        address = self.address or os.environ.get("SWITCHOVER_API", "")
        if not address:
            return False
        headers = {"Content-Type": "application/x-ndjson", "Connection": "close"}
        if address.startswith("http://"):
            line = http.client.HTTPConnection(address.removeprefix("http://").rstrip("/"), timeout=_ANSWER_WITHIN_S)
            headers["Authorization"] = f"Bearer {self.token or _token_of_file()}"
        else:
            line = http.client.HTTPConnection("localhost", timeout=_ANSWER_WITHIN_S)
            line.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.sock.settimeout(_ANSWER_WITHIN_S)
            line.sock.connect(address)
        try:
            line.request("POST", "/monitoring/events", body=body, headers=headers)
            answer = line.getresponse()
            answer.read()
        finally:
            line.close()
        return answer.status < 300 or answer.status in {400, 413, 422}  # what is refused will be refused again


def _token_of_file() -> str:
    path = os.environ.get("SWITCHOVER_API_TOKEN_FILE", "")
    if not path:
        return ""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - one line of the standard library
        return file.read().strip()


def _lines(words: list[_Word], source: str, app: str) -> bytes:
    """Return words as the lines of JSON that the agent reads."""
    import json

    app = app or os.path.basename(sys.argv[0] if sys.argv else "") or "python"  # noqa: PTH119 - light
    pid, lines = os.getpid(), []
    for number, at, kind, name, state, values in words:
        data = dict(zip(_FIELDS[kind], values, strict=False))
        if state is not None:
            data["workflow"] = state
        try:
            event = {"v": 1, "kind": kind, "name": str(name), "at": at, "seq": number, "app": app, "pid": pid}
            lines.append(json.dumps({**event, "source": source, "data": data}, default=str, allow_nan=False))
        except Exception:
            _sender.broken += 1  # what cannot be written is dropped; the agent sees that its number is missing
    return ("\n".join(lines) + "\n").encode()


_FIELDS = {
    "workflow": ("state", "task_type", "priority", "success"),
    "step": ("state", "seconds", "increment", "error"),
    "ai": ("prompt", "completion", "cost", "model", "currency"),
    "git": ("success", "changes"),
    "tests": ("passed", "failed", "seconds"),
    "log": ("level",),
    "metric": ("value", "type", "labels"),
}
_sender = _Sender()


def _put(kind: str, name: Any, state: Any, values: tuple[Any, ...]) -> _Done:
    """Queue a word. Whatever is wrong with it, the application goes on."""
    sender = _sender
    try:
        sender.waiting.append((next(sender.numbers), time.time(), kind, name, _workflow(state), values))
        if sender.thread is None:
            sender.start()
    except Exception:
        sender.broken += 1
    return _DONE


def _workflow(state: Any) -> Any:
    """Return the workflow's name: the state itself where that is one, else what its `workflow_id` says."""
    if state is None or type(state) is str:
        return state
    try:
        if type(state) is dict:
            return state.get("workflow_id")
        return state.get("workflow_id") if isinstance(state, Mapping) else getattr(state, "workflow_id", None)
    except Exception:
        return None


def _words_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:200]
    except Exception:  # an application's own classes may do anything
        return type(error).__name__


def connect(address: str, *, token: str = "", app: str = "") -> None:
    """Say where the agent's API is, and what this application is called. Nothing is opened yet."""
    _sender.address, _sender.token, _sender.app = address, token, app


def workflow_started(workflow: Any, task_type: str = "", priority: str = "") -> _Done:
    """Tell that a workflow has begun."""
    return _put("workflow", _workflow(workflow), workflow, ("started", task_type, priority))


def workflow_completed(workflow: Any, success: bool = True) -> _Done:
    """Tell that a workflow has ended, and how."""
    return _put("workflow", _workflow(workflow), workflow, ("completed", "", "", success is True))


def track_ai_usage(
    state: Any,
    provider: str,
    prompt_tokens: int,
    completion_tokens: int,
    cost: float | str,
    model: str = "",
    currency: str = "USD",
) -> _Done:
    """Tell of one call to a model: tokens in and out, and what it cost."""
    try:
        name = state if type(state) is str else state.get("workflow_id") if type(state) is dict else _workflow(state)
        sender = _sender
        values = (prompt_tokens, completion_tokens, cost, model, currency)
        sender.waiting.append((next(sender.numbers), time.time(), "ai", provider, name, values))
        if sender.thread is None:
            sender.start()
    except Exception:
        _sender.broken += 1
    return _DONE


def track_git_operation(state: Any, operation: str, success: bool, changes: int = 0) -> _Done:
    """Tell of a git operation (`clone`, `push`), whether it succeeded, and how many files it changed."""
    return _put("git", operation, state, (success is True, changes))


def track_tests(state: Any, test_type: str, passed: int, failed: int, seconds: float = 0.0) -> _Done:
    """Tell of tests that ran."""
    return _put("tests", test_type, state, (passed, failed, seconds))


def log(state: Any, text: str, level: str = "info") -> _Done:
    """Tell a line of a workflow's log."""
    return _put("log", text, state, (level,))


def metric(name: str, value: float, kind: str = "gauge", labels: Mapping[str, str] | None = None) -> _Done:
    """Tell a number of your own. `kind`: `gauge` (what it is), `counter` (what is added), `histogram` (one sample)."""
    return _put("metric", name, None, (value, kind, labels))


def monitor_step(name: str, progress_increment: float = 0) -> Callable[[Function], Function]:
    """Tell when a function begins and ends, how long it took and whether it raised. For `def` and `async def`.

    The workflow is the `workflow_id` of the function's first argument, or that argument itself where it is a text.
    """

    def decorate(function: Function) -> Function:
        def begin(values: tuple[Any, ...]) -> tuple[Any, float]:
            workflow = _workflow(values[0]) if values else None
            _put("step", name, workflow, ("started",))
            return workflow, time.perf_counter()

        def end(begun: tuple[Any, float], error: BaseException | None) -> None:
            workflow, since = begun
            words = "" if error is None else _words_of(error)
            state = "failed" if error is not None else "ok"
            _put("step", name, workflow, (state, time.perf_counter() - since, progress_increment, words))

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def asynchronous(*values: Any, **named: Any) -> Any:
                begun = begin(values)
                try:
                    result = await function(*values, **named)
                except BaseException as error:
                    end(begun, error)
                    raise
                end(begun, None)
                return result

            return asynchronous  # type: ignore[return-value]

        @functools.wraps(function)
        def synchronous(*values: Any, **named: Any) -> Any:
            begun = begin(values)
            try:
                result = function(*values, **named)
            except BaseException as error:
                end(begun, error)
                raise
            end(begun, None)
            return result

        return synchronous  # type: ignore[return-value]

    return decorate


def flush(within_s: float = _FLUSH_AT_EXIT_S) -> None:
    """Give the thread this long to send what waits, and end it. Called by itself when the process ends."""
    sender = _sender
    sender.stopping = True
    sender.wake.set()
    thread = sender.thread
    if thread is not None:
        thread.join(within_s)  # where that is too short it goes on, alone
    sender.stopping = False


def _after_fork() -> None:
    """Begin anew in a child: what waited belongs to its parent."""
    global _sender
    before, _sender = _sender, _Sender()
    _sender.address, _sender.token, _sender.app = before.address, before.token, before.app


os.register_at_fork(after_in_child=_after_fork)
atexit.register(flush)
