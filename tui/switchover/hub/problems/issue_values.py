"""What a command of a troubleshooting entry is about, as values of its environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from switchover.services.provider_api import ServiceTarget
from switchover.snapshot import ServiceRow
from switchover.triage.evidence import ProblemEvidence
from switchover.triage.matching import valid_values

__all__ = ["values_of"]

_PUBLISHED = re.compile(r":(\d{1,5})->|^(\d{1,5})(?:/|$|->)|:(\d{1,5})(?:/|$)")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:\\/-]{0,255}")


def values_of(
    evidence: ProblemEvidence, told: Mapping[str, str], target: ServiceTarget | None = None, path: str = ""
) -> dict[str, str]:
    """Return SERVICE, CONTAINER, UNIT, PID, PORT, HOST, PATH_ and DOCKER_HOST as far as they are known.

    `told` are the values that the signs of the entry gave, `path` what a check of a disk looks at. A value that could
    be taken for an option, or is not what its name says, is left out.
    """
    row, check = evidence.service, evidence.check
    values: dict[str, str | None] = {}
    if row is not None:
        values |= _of_service(row, target)
    url = urlsplit(_url(row, target, check.evidence if check is not None else ()))
    try:
        port = url.port or ({"http": 80, "https": 443}.get(url.scheme) if url.hostname else None)
    except ValueError:
        port = None
    values["HOST"] = url.hostname or ("127.0.0.1" if values.get("PORT") else None)
    values["PORT"] = str(port) if port else values.get("PORT")
    values["PATH_"] = path or None
    kept = {name: value for name, value in values.items() if value and name not in {"HOST", "PORT", "PATH_"}}
    kept |= valid_values({name: values[name] for name in ("HOST", "PORT", "PATH_")})
    kept |= valid_values(told)
    kept["SERVICE"] = row.name if row is not None else check.name if check is not None else ""
    return {name: value for name, value in kept.items() if value}


def _of_service(row: ServiceRow, target: ServiceTarget | None) -> dict[str, str | None]:
    values: dict[str, str | None] = {"PID": str(row.pid) if row.pid else None}
    ref = target.ref if target is not None and target.ref else row.id.partition(":")[2] if ":" in row.id else ""
    if row.kind == "docker":
        values["CONTAINER"] = _safe((target.container if target is not None else "") or ref or row.name)
        values["DOCKER_HOST"] = target.docker_host if target is not None else None
    elif row.kind == "systemd":
        values["UNIT"] = _safe((target.unit if target is not None else "") or ref or row.name)
    listen = target.listen if target is not None else None
    values["PORT"] = str(listen) if listen else _published(row)
    return values


def _safe(ref: str) -> str | None:
    return ref if _REF.fullmatch(ref) else None


def _published(row: ServiceRow) -> str | None:
    for text in row.ports:
        if found := _PUBLISHED.search(text):
            return next(group for group in found.groups() if group)
    return None


def _url(row: ServiceRow | None, target: ServiceTarget | None, facts: tuple[tuple[str, str], ...]) -> str:
    """Return the address that was seen, else the one that is asked: nothing need have answered yet."""
    seen = row.url if row is not None else ""
    return seen or (target.url if target is not None else "") or dict(facts).get("url", "")
