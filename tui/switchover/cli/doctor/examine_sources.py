"""Where services are looked for, for `doctor`: which source is on, and why another is off. Nothing is contacted."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from switchover.cli.doctor.examination import Examination
from switchover.errors import UsageError
from switchover.settings import load_settings, settings_path

__all__ = ["examine_sources"]


def examine_sources(environ: Mapping[str, str], system: Path) -> Iterator[Examination]:
    """Look at each source of services. `system` is where the machine's own files begin."""
    path = settings_path(environ)
    off: frozenset[str] = frozenset()
    with suppress(UsageError):  # what is wrong with the settings is said where they are used
        off = load_settings(path).sources_off
    looks: Mapping[str, Callable[[], Examination]] = {
        "process": lambda: _processes(system),
        "docker": lambda: _docker(environ, system),
        "systemd": lambda: _systemd(environ, system),
        "kubernetes": lambda: _kubectl(environ),
        "aws": lambda: _aws(environ),
        "gcp": lambda: _google(environ),
    }
    for kind, look in looks.items():
        if kind in off:
            yield Examination(_NAMES.get(kind, kind), "off", f"switched off in {path}")
        else:
            yield look()


_NAMES = {"process": "processes", "kubernetes": "kubectl", "gcp": "google"}


def _processes(system: Path) -> Examination:
    folders = [entry.name for entry in (system / "proc").glob("[0-9]*")]
    if "1" not in folders:
        return Examination(
            "processes", "warn", f"only {len(folders)} of your own are seen (hidepid)", "root sees all of them"
        )
    return Examination("processes", "ok", f"{len(folders)} are seen")


def _docker_context(environ: Mapping[str, str]) -> str:
    """Return the context that the docker command would use; empty for the usual daemon."""
    name = environ.get("DOCKER_CONTEXT", "")
    if not name:
        folder = Path(environ.get("DOCKER_CONFIG") or _home(environ) / ".docker")
        with suppress(OSError, ValueError):
            said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            name = str(said.get("currentContext", "")) if isinstance(said, dict) else ""
    return "" if name == "default" else name


def _docker(environ: Mapping[str, str], system: Path) -> Examination:
    place = environ.get("DOCKER_HOST", "")
    if not place and (context := _docker_context(environ)):
        return Examination("docker", "ok", f"context {context} (not contacted)")
    if place and not place.startswith("unix://"):
        return Examination("docker", "ok", f"{place} (named by DOCKER_HOST, not contacted)")
    path = Path(place.removeprefix("unix://")) if place else system / "var/run/docker.sock"
    if not path.exists():
        return Examination(
            "docker", "off", f"no socket at {path}", "start Docker or set DOCKER_HOST, where it is wanted"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(0.3)
        try:
            line.connect(str(path))
        except OSError as error:
            hint = "join the group docker" if isinstance(error, PermissionError) else "start the Docker daemon"
            return Examination("docker", "off", f"{path}: {error.strerror or error}", hint)
    return Examination("docker", "ok", f"answers at {path}")


def _aws(environ: Mapping[str, str]) -> Examination:
    if environ.get("AWS_ACCESS_KEY_ID"):
        return Examination("aws", "ok", "credentials in the environment (not tried)")
    for name in ("AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        if environ.get(name):
            return Examination("aws", "ok", f"credentials named by {name} (not tried)")
    path = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or _home(environ) / ".aws/credentials")
    if path.exists():
        return Examination("aws", "ok", f"credentials in {path} (not tried)")
    return Examination(
        "aws", "off", "no credentials found", "run `aws configure` or set AWS_PROFILE, where it is wanted"
    )


def _google(environ: Mapping[str, str]) -> Examination:
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    path = Path(named or _home(environ) / ".config/gcloud/application_default_credentials.json")
    if path.exists():
        return Examination("google", "ok", f"credentials in {path} (not tried)")
    text = f"GOOGLE_APPLICATION_CREDENTIALS names {path}, which is not there" if named else "no credentials found"
    return Examination("google", "off", text, "run `gcloud auth application-default login`, where it is wanted")


def _kubectl(environ: Mapping[str, str]) -> Examination:
    program = shutil.which("kubectl", path=environ.get("PATH"))
    if program is None:
        return Examination("kubectl", "off", "kubectl is not installed", "install it, where Kubernetes is wanted")
    config = environ.get("KUBECONFIG") or str(_home(environ) / ".kube/config")
    if not any(Path(part).exists() for part in config.split(":") if part):
        return Examination("kubectl", "off", f"{program}, but no configuration at {config}", "set KUBECONFIG")
    return Examination("kubectl", "ok", f"{program} with {config} (not tried)")


def _systemd(environ: Mapping[str, str], system: Path) -> Examination:
    if not (system / "run/systemd/system").is_dir():
        return Examination("systemd", "off", "this machine was not started by systemd")
    if shutil.which("journalctl", path=environ.get("PATH")) is None:
        return Examination("systemd", "warn", "runs this machine, but logs cannot be read", "install journalctl")
    return Examination("systemd", "ok", "runs this machine")


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())
