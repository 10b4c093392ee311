"""A service of the plan as a target to look at, its variables filled in."""

from __future__ import annotations

from switchover.plan.model import Service
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render
from switchover.services.api import Target

__all__ = ["make_target"]


def make_target(name: str, service: Service, scope: Scope) -> Target | str:
    """Return the target, or in words what it waits for."""
    try:
        listen = render(str(service.listen), scope) if service.listen is not None else ""
        return Target(
            name,
            service.kind,
            url=render(service.url or "", scope),
            container=render(service.container or "", scope),
            pattern=render(service.pattern or "", scope),
            pid_file=render(service.pid_file or "", scope),
            listen=int(listen) if listen else None,
        )
    except MissingValueError as missing:
        return f"waits for variable {missing.name}"
    except TemplateError as error:
        return str(error)
    except ValueError:
        return f"listen is no port: {listen!r}"
