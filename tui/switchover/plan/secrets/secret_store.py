"""Secrets by reference: fetched when they are needed, kept in memory only, named but never shown."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from switchover.plan.complaints import did_you_mean
from switchover.plan.model import Plan
from switchover.plan.plan_bytes import read_file
from switchover.plan.secrets.fetch_ahead import FetchAhead
from switchover.plan.secrets.secret_managers import GoogleSecretManager, SecretError, from_aws
from switchover.redaction import SHORTEST

__all__ = ["SCHEMES", "SecretError", "SecretSource", "SecretStore", "check_reference", "why_held_back"]

SCHEMES = ("env", "file", "cmd", "aws-sm", "gcp-sm")
MAX_SECRET_BYTES = 64 * 1024
_PATIENCE_S = 5.0
_HOW = "write env:NAME, file:PATH, cmd:COMMAND, aws-sm:ID or gcp-sm:NAME"


class SecretSource(Protocol):
    """Gives the value of a secret by its name in the plan."""

    def get(self, name: str) -> str:
        """Return the value. Raise `SecretError`."""


def check_reference(ref: str) -> str | None:
    """Return what is wrong with a reference, or None. The message never repeats it: it may be the secret itself."""
    scheme, colon, rest = ref.partition(":")
    if not colon or scheme not in SCHEMES:
        near = did_you_mean(scheme, SCHEMES) if colon else ""
        return f"a secret itself never stands in a plan: {_HOW}{near}"
    if not rest.strip():
        return f"nothing follows `{scheme}:`; {_HOW}"
    if scheme == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rest):
        return "env: takes the name of an environment variable (letters, digits and _)"
    if scheme == "cmd":
        try:
            if not shlex.split(rest):
                return "cmd: takes a command"
        except ValueError:
            return "cmd: the command's quotes are not closed"
    return None


class SecretStore:
    """Fetches the plan's secrets one by one and remembers them for as long as this process lives."""

    def __init__(
        self,
        plan: Plan,
        base_dir: Path,
        *,
        environ: Mapping[str, str] | None = None,
        timeout_s: float = 20.0,
        fetchers: Mapping[str, Callable[[str], str]] | None = None,
    ) -> None:
        self._refs = {name: secret.ref for name, secret in plan.secrets.items()}
        self._base_dir = base_dir
        self._environ = os.environ if environ is None else environ
        self._timeout_s = timeout_s
        self._fetchers: dict[str, Callable[[str], str]] = {
            "env": self._from_env,
            "file": self._from_file,
            "cmd": self._from_command,
            "aws-sm": from_aws,
            "gcp-sm": GoogleSecretManager(),
            **(fetchers or {}),
        }
        self._values: Mapping[str, str] = {}
        self._all = threading.Lock()
        self._locks = {name: threading.Lock() for name in self._refs}
        local = {name: ref.startswith(("env:", "file:")) for name, ref in self._refs.items()}
        self.ahead = FetchAhead(self, local)

    def __repr__(self) -> str:
        return f"SecretStore({', '.join(self._refs)})"

    @property
    def fetched(self) -> Mapping[str, str]:
        """The values fetched so far by name, so that they can be kept out of all that is written."""
        return MappingProxyType(self._values)

    def get(self, name: str) -> str:
        """Return the secret's value, fetched at the first need. Raise `SecretError` that never holds the value."""
        if name not in self._refs:
            raise SecretError(f"the plan has no secret {name!r}{did_you_mean(name, self._refs)}")
        with self._locks[name]:  # asked for twice at once, a command must not ask for its passphrase twice
            if name not in self._values:
                value = self._fetch(name)
                with self._all:  # what another thread fetched meanwhile stays known
                    self._values = {**self._values, name: value}
            return self._values[name]

    def _fetch(self, name: str) -> str:
        scheme, _, rest = self._refs[name].partition(":")
        if scheme not in self._fetchers:
            raise SecretError(f"secret {name!r}: its reference cannot be used", _HOW)
        try:
            value = self._fetchers[scheme](rest)
        except SecretError as error:
            raise SecretError(f"secret {name!r}: {error.title}", error.hint) from None
        except Exception as error:
            # A provider's own text may quote what it was given, so only the kind of failure is passed on.
            raise SecretError(f"secret {name!r}: {scheme} failed ({type(error).__name__})") from None
        if not value or "\0" in value or len(value) > MAX_SECRET_BYTES:
            raise SecretError(f"secret {name!r}: what {scheme}: gives is empty, too long or not text")
        if not any(len(line.strip().encode("utf-8", "surrogateescape")) >= SHORTEST for line in value.splitlines()):
            # It could not be taken out of outputs and logs without blotting out ordinary text.
            raise SecretError(
                f"secret {name!r}: it is shorter than {SHORTEST} characters, so it could not be kept out of outputs",
                "use a longer one",
            )
        return value

    def _from_env(self, rest: str) -> str:
        value = self._environ.get(rest)
        if value is None:
            raise SecretError(f"the environment variable {rest} is not set", f"export {rest} and try again")
        return value

    def _from_file(self, rest: str) -> str:
        try:
            size, content = read_file(self._base_dir / Path(rest).expanduser(), MAX_SECRET_BYTES)
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be read"
            raise SecretError(f"the file {rest} cannot be read: {reason}") from None
        return _text(content) if size <= MAX_SECRET_BYTES else ""

    def _from_command(self, rest: str) -> str:
        argv = shlex.split(rest)
        try:
            process = subprocess.Popen(
                argv,
                cwd=self._base_dir,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be started"
            raise SecretError(f"the command {argv[0]!r} cannot be started: {reason}") from None
        return _text(_read_bounded(process, self._timeout_s, argv[0]))


async def why_held_back(secrets: object, within_s: float = _PATIENCE_S) -> str:
    """Fetch all secrets of a plan.

    Name those that cannot be kept out of a text because they are not known, else nothing.
    """
    ahead = getattr(secrets, "ahead", None)
    return await ahead.settle(within_s) if isinstance(ahead, FetchAhead) else ""


def _read_bounded(process: subprocess.Popen[bytes], timeout_s: float, name: str) -> bytes:
    """Return what the command writes until it ends. Kill its whole group when it takes too long or writes too much."""
    content = bytearray()
    ended = False
    deadline = time.monotonic() + timeout_s
    if process.stdout is None:
        return b""
    pipe = process.stdout.fileno()
    watch = os.pidfd_open(process.pid)
    os.set_blocking(pipe, False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(watch, selectors.EVENT_READ)
            # A background child may hold the pipe open for ever, so the command's own end ends the reading.
            while not ended and len(content) <= MAX_SECRET_BYTES:
                ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
                if not ready:
                    raise SecretError(
                        f"the command {name!r} gave no answer within {timeout_s:g} s",
                        "does it wait for a passphrase? run it once by hand",
                    )
                ended = watch in ready
                chunk = _read_what_is_there(pipe)
                content += chunk or b""
                if chunk == b"" and pipe in selector.get_map():
                    selector.unregister(pipe)
    finally:
        if not ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        os.close(watch)
    if ended and process.returncode:
        raise SecretError(f"the command {name!r} failed with exit code {process.returncode}", "run it once by hand")
    return bytes(content)


def _read_what_is_there(pipe: int) -> bytes | None:
    """Return what a pipe holds now, up to the limit. Return `b""` at its end, None where nothing is there yet."""
    try:
        return os.read(pipe, MAX_SECRET_BYTES + 1)
    except BlockingIOError:
        return None


def _text(content: bytes) -> str:
    if len(content) > MAX_SECRET_BYTES:
        return ""
    try:
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return ""
