"""Runs `kubectl`: bounded, in a session of its own, and with its errors in an operator's words."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from switchover.redaction import sanitize

__all__ = ["ClusterScope", "Kubectl", "KubectlOutput", "in_words"]

_TIMEOUT_S = 5.0
_REQUEST_S = 4
_LONGEST = 64 << 20
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class ClusterScope:
    """The scope: a context (empty: the one in use) and a namespace (empty: all of them)."""

    context: str = ""
    namespace: str = ""

    def words(self) -> tuple[str, ...]:
        """Return it as kubectl takes it."""
        context = (f"--context={self.context}",) if self.context else ()
        return (*context, f"--namespace={self.namespace}" if self.namespace else "--all-namespaces")


@dataclass(frozen=True, slots=True)
class KubectlOutput:
    """How one call ended. `why` says in words what went wrong, empty where nothing did."""

    output: bytes
    why: str = ""


class Kubectl:
    """The program, found on PATH. `environment` (None: this process's own) says where its configuration is."""

    def __init__(self, environment: Mapping[str, str] | None = None, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._environment = environment
        self._timeout_s = timeout_s

    def missing(self) -> str:
        """Say why nothing can be asked: not installed, not configured; else return nothing. Asks nobody."""
        known = os.environ if self._environment is None else self._environment
        if shutil.which("kubectl", path=known.get("PATH", "")) is None:
            return "Kubernetes: kubectl is not installed"
        named = [path for path in known.get("KUBECONFIG", "").split(os.pathsep) if path]
        paths = [Path(path) for path in named] or [Path(known.get("HOME", "/")) / ".kube/config"]
        if any(path.is_file() for path in paths) or known.get("KUBERNETES_SERVICE_HOST"):
            return ""
        where = "KUBECONFIG names no file that is there" if named else "no ~/.kube/config, and KUBECONFIG is not set"
        return f"Kubernetes: {where}"

    async def run(self, words: Sequence[str]) -> KubectlOutput:
        """Run it to its end, or end it with all that it started. Never raises."""
        asked = [f"--request-timeout={_REQUEST_S}s", *words]
        try:
            child = await self._start(asked)
        except OSError as error:
            return KubectlOutput(b"", f"kubectl cannot be started: {(error.strerror or 'unknown error').lower()}")
        try:
            async with asyncio.timeout(self._timeout_s):
                output, said = await child.communicate()
        except TimeoutError:
            return KubectlOutput(b"", f"kubectl did not answer within {self._timeout_s:g} s")
        finally:
            await _end(child)
        return KubectlOutput(output, "" if child.returncode == 0 else in_words(said, child.returncode))

    async def follow(self, words: Sequence[str], on_line: Callable[[bytes], None]) -> str:
        """Hand on each line that it writes until it ends; return why it ended, empty where it just did."""
        try:
            child = await self._start(words, limit=_LONGEST, with_us=True)
        except OSError as error:
            return f"kubectl cannot be started: {(error.strerror or 'unknown error').lower()}"
        assert child.stdout is not None
        assert child.stderr is not None
        errors = asyncio.ensure_future(_last_of(child.stderr))
        try:
            with suppress(ValueError):  # a line longer than any object may be: begin anew
                while line := await child.stdout.readline():
                    on_line(line)
            await _end(child)
            said = await errors
            return "" if child.returncode == 0 else in_words(said, child.returncode)
        finally:
            errors.cancel()
            await _end(child)

    async def _start(
        self, words: Sequence[str], *, limit: int = 1 << 16, with_us: bool = False
    ) -> asyncio.subprocess.Process:
        """Start it; `with_us` so that it ends when this process does, however that ends."""
        known = None if self._environment is None else dict(self._environment)
        program = shutil.which("kubectl", path=(known or os.environ).get("PATH", "")) or "kubectl"
        before = (guard, "--pdeathsig", "TERM", "--") if with_us and (guard := shutil.which("setpriv")) else ()
        return await asyncio.create_subprocess_exec(
            *before,
            program,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=known,
            limit=limit,
            start_new_session=True,  # so that the plugins it logs in with end with it
        )

    async def own_namespace(self, context: str) -> tuple[str, str]:
        """Return the context in use (or the one asked for) and its namespace. Reads files only."""
        chosen = (f"--context={context}",) if context else ()
        template = "{.current-context}{'\\n'}{.contexts[0].context.namespace}"
        answer = await self.run(("config", "view", "--minify", *chosen, "-o", f"jsonpath={template}"))
        if answer.why:
            return context, _of_service_account()
        name, _, namespace = answer.output.decode("utf-8", "replace").partition("\n")
        return context or name.strip(), namespace.strip() or "default"


def _of_service_account() -> str:
    """Return the namespace of the pod that this runs in, if it runs in one."""
    try:
        return _SERVICE_ACCOUNT.read_text().strip() or "default"
    except OSError:
        return "default"


async def _last_of(stream: asyncio.StreamReader) -> bytes:
    last = b""
    while chunk := await stream.read(4096):
        last = (last + chunk)[-8192:]
    return last


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


_FORBIDDEN = re.compile(r'User "([^"]*)" cannot (\w+) resource "([^"]*)".*?(?:in the namespace "([^"]*)"|$)')
_NOT_FOUND = re.compile(r'\(NotFound\): ([\w.]+) "([^"]*)" not found')
_PHRASES = (
    (re.compile(r'context was not found for specified context: (.*)|context "(.*)" does not exist'), "context"),
    (
        re.compile(r"The connection to the server (\S+) was refused|dial tcp (\S+): connect: connection refused"),
        "refused",
    ),
    (re.compile(r"lookup (\S+)(?: on \S+)?: no such host"), "name"),
    (re.compile(r"deadline exceeded|i/o timeout|Client\.Timeout|TLS handshake timeout"), "silent"),
    (re.compile(r"\(Unauthorized\)|must be logged in to the server|getting credentials"), "login"),
    (re.compile(r"x509: (.*)"), "tls"),
    (re.compile(r"error loading config file"), "config"),
    (re.compile(r"\(Too ?ManyRequests\)|429"), "throttled"),
)


def in_words(said: bytes, code: int | None) -> str:
    """Return what kubectl complained of, in one line that says what to do where that is known."""
    lines = [line.strip() for line in sanitize(said).splitlines()]
    text = next((line for line in reversed(lines) if line and not re.match(r"[EWI]\d{4} ", line)), "")
    if denied := [found.groups() for line in lines if (found := _FORBIDDEN.search(line))]:  # one for each kind
        return "; ".join(
            f"user {user} may not {verb} {what} " + (f"in namespace {where}" if where else "in all namespaces")
            for user, verb, what, where in denied
        )
    if found := _NOT_FOUND.search(text):
        return f"there is no {found[1].split('.')[0].removesuffix('s')} {found[2]}"
    for pattern, kind in _PHRASES:
        if found := pattern.search(text):
            return _PUT[kind](next((group for group in found.groups() if group), ""))
    if code is not None and code < 0:
        return f"kubectl was ended by signal {-code}"
    text = re.sub(r"^(error|Error from server[^:]*): *", "", text, flags=re.IGNORECASE)
    return text[:160] or f"kubectl ended with exit code {code}"


_PUT: dict[str, Callable[[str], str]] = {
    "context": lambda name: f"kubectl has no context {name.strip()}; `kubectl config get-contexts` lists them",
    "refused": lambda where: f"the cluster at {where} does not answer (connection refused)",
    "name": lambda name: f"the cluster's name {name} does not resolve",
    "silent": lambda _: "the cluster does not answer in time",
    "login": lambda _: "the login to the cluster is not valid any more; log in again",
    "tls": lambda why: f"TLS with the cluster: {why[:100]}",
    "config": lambda _: "the kubeconfig cannot be read; `kubectl config view` says where",
    "throttled": lambda _: "the cluster asks to be asked less often",
}
