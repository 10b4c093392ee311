"""Load goes to what the plan describes, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from switchover.plan.model import Service
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render

__all__ = ["why_not_loaded"]


def why_not_loaded(config: Mapping[str, Any], services: Iterable[Service], scope: Scope) -> str:
    """Say why an address is not put under load; empty where it is that of a service of the plan."""
    address = str(config.get("url") or "")
    if not address:
        return ""
    known = {_place(found) for service in services if service.url and (found := _filled(service.url, scope))}
    if _place(address) in known:
        return ""
    return f"no service of the plan has its url at {_place(address)}: load goes to the plan's own services only"


def _filled(text: str, scope: Scope) -> str:
    try:
        return render(text, scope)
    except (MissingValueError, TemplateError):
        return ""


def _place(address: str) -> str:
    return urlsplit(address).netloc.rpartition("@")[2].lower()
