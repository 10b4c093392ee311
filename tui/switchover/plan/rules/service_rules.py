"""Rules for services. A name must be possible for its kind, and no two services of a side may be the same thing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from switchover.plan.complaints import Complaint, did_you_mean
from switchover.plan.model import Service
from switchover.plan.rules.draft import Draft

__all__ = ["live_probe", "places_of_services", "services_are_told_apart"]

_UNIT_KINDS = ("service", "socket", "timer", "target", "mount", "automount", "path", "slice", "scope", "device", "swap")
_UNIT = re.compile(r"(?:user[:/])?[A-Za-z0-9:_.\\@-]{1,250}")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_OBJECT = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")  # as Kubernetes names deployments and namespaces
_DOCKER_SCHEMES = ("unix", "tcp", "ssh", "http", "https")
_IDENTIFYING = (
    "kind", "side", "url", "container", "docker_host", "project", "compose_service", "unit", "deployment", "namespace",
    "context", "resource", "id", "region", "pattern", "pid_file", "listen",
)  # fmt: skip


def places_of_services(draft: Draft) -> Iterator[Complaint]:
    """Complain about names of units, containers, projects and deployments, hosts and ports that cannot be any."""
    for name, service in draft.plan.services.items():
        for key, message in _complaints(service):
            yield Complaint(("services", name, key), message)


def _complaints(service: Service) -> Iterator[tuple[str, str]]:
    unit = _literal(service.unit)
    if unit is not None:
        if _UNIT.fullmatch(unit) is None:
            yield "unit", f"{unit!r} is no name of a systemd unit; write it as `systemctl list-units` does"
        elif "." in unit and (suffix := unit.rpartition(".")[2]) not in _UNIT_KINDS:
            hint = did_you_mean(suffix, _UNIT_KINDS) or f"; write {unit + '.service'!r} where that is meant"
            yield "unit", f"a systemd unit does not end in {'.' + suffix!r}{hint}"
    for key, pattern, what in (
        ("container", _CONTAINER, "a container"),
        ("project", _PROJECT if service.kind == "compose" else None, "a Compose project"),
        ("deployment", _OBJECT, "a deployment"),
        ("namespace", _OBJECT, "a namespace"),
    ):
        text = _literal(getattr(service, key))
        if text is not None and pattern is not None and pattern.fullmatch(text) is None:
            yield key, f"{text!r} is no name of {what}"
    host = _literal(service.docker_host)
    if host is not None:
        scheme, separator, rest = host.partition("://")
        if not separator or not rest:
            yield "docker_host", f"{host!r} is no address of a Docker daemon; write ssh://USER@HOST, tcp:// or unix://"
        elif scheme not in _DOCKER_SCHEMES:
            hint = did_you_mean(scheme, _DOCKER_SCHEMES) or "; it is unix, tcp or ssh"
            yield "docker_host", f"a Docker daemon is not reached by {scheme!r}{hint}"
    port = _literal(str(service.listen)) if service.listen is not None else None
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        yield "listen", f"{port!r} is no port: that is a number from 1 to 65535"


def _literal(text: str | None) -> str | None:
    """Return a text that has no template in it."""
    return text if text is not None and "{{" not in text else None


def services_are_told_apart(draft: Draft) -> Iterator[Complaint]:
    """Complain about two services of one side that are the same thing. An action on one would act on the other."""
    known: dict[tuple[object, ...], str] = {}
    for name, service in draft.plan.services.items():
        key = (*(getattr(service, field) for field in _IDENTIFYING), *sorted((service.model_extra or {}).items()))
        first = known.setdefault(key, name)
        if first != name and service.kind != "http":
            yield Complaint(("services", name), f"this is the same as {first!r}: leave one of them out", at_key=True)


def live_probe(draft: Draft) -> Iterator[Complaint]:
    """Complain about a live side that is asked of nothing, or of several things, or whose records tell nothing."""
    live = draft.plan.live
    if live is None:
        return
    asked = [key for key in ("url", "file", "symlink", "run", "dns") if not draft.lacks(("live", key))]
    if len(asked) != 1:
        yield Complaint(("live",), "the live side is asked of one thing: `url`, `file`, `symlink`, `run` or `dns`")
    if live.dns is not None and not live.answers:
        yield Complaint(("live",), "say which records each side has: `answers: {before: 192.0.2.1, after: 192.0.2.2}`")
    for key in ("record", "server", "answers"):
        if live.dns is None and not draft.lacks(("live", key)):
            yield Complaint(("live", key), f"`{key}` is for a live side that DNS tells", at_key=True)
    seen: dict[tuple[str, ...], str] = {}
    for side, records in live.answers.items():
        yield from draft.unknown(("live", "answers", side), "side", side, draft.names.sides)
        own = tuple(sorted([records] if isinstance(records, str) else records))
        if not own or seen.setdefault(own, side) != side:
            why = "no record" if not own else f"the records of {seen[own]!r}: they tell nothing apart"
            yield Complaint(("live", "answers", side), f"{side!r} has {why}")
