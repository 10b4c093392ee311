"""What a provider of services declares. A folder of `services/` holds one, in `NAME_kind.py`, and is found by itself.

These files stay light: the loader of plans reads them. The provider itself is imported when it is made.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from switchover.plan.named_kinds import SERVICES
from switchover.services.examination import Examination
from switchover.services.provider_api import Provider, ServiceTarget
from switchover_checks.language.declared import declared, load_declared

__all__ = ["ProviderTools", "ServiceKind", "service_kind", "service_kinds"]


@dataclass(frozen=True, slots=True)
class ProviderTools:
    """What a provider may be made of. `base_dir` is where relative paths of the plan begin; `made` are those before."""

    base_dir: Path
    monotonic: Callable[[], float]
    made: Mapping[str, Provider]


class ServiceKind:
    """A kind of service."""

    kind: ClassVar[str] = ""
    maker: ClassVar[str] = ""
    """The class of the provider, as `MODULE:CLASS` of the same folder."""
    any_of: ClassVar[tuple[str, ...]] = ()
    """Keys of a service of which one is needed."""
    all_of: ClassVar[tuple[str, ...]] = ()
    """Keys that are needed, each."""
    besides: ClassVar[tuple[str, ...]] = ()
    """Keys that may be set."""
    resources: ClassVar[tuple[str, ...]] = ()
    """What the key `resource` may be."""
    of_side: ClassVar[tuple[str, ...]] = ()
    """Keys that a side of the migration may set for all its services."""
    rank: ClassVar[int] = 50
    """Its place among the providers: where they are listed, and in which order they are made."""
    label: ClassVar[str] = ""
    """What its source is called in problems."""
    list_every_s: ClassVar[float] = 30.0
    """How often it is listed anew."""
    on_every_host: ClassVar[bool] = False
    """Whether it is looked for where there is no plan."""
    asked_alone: ClassVar[bool] = False
    """Whether each service is asked for itself, because one may be slow."""
    emits_late: ClassVar[bool] = False
    """Whether its events come long after they happened."""
    logs_unasked: ClassVar[bool] = True
    """Whether its logs are read by themselves where something is wrong; not where that costs money."""
    doctor_name: ClassVar[str] = ""
    """What `doctor` calls its source; empty where it has nothing to look at."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys."""
        return (*self.any_of, *self.all_of, *self.besides)

    def ref_of(self, target: ServiceTarget) -> str:
        """Return what the provider calls a service of the plan; two of one `ref` are the same thing."""
        return target.name

    def usual_command(self, what: str, target: ServiceTarget, pid: int | None) -> tuple[str, ...]:
        """Return what people type for logs and inspection, where the provider itself names nothing."""
        del pid
        return ("tail", "-F", *target.logs) if what == "logs" and target.logs else ()

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Look for the source, for `doctor`. Contacts nothing. `system` is where the machine begins."""
        raise NotImplementedError

    def arguments(self, tools: ProviderTools) -> tuple[Any, ...]:
        """Return what the provider is made of."""
        del tools
        return ()

    def provider(self, tools: ProviderTools) -> Provider:
        """Make the provider, importing it. It makes its connections on first use."""
        module, _, name = self.maker.partition(":")
        package = type(self).__module__.rpartition(".")[0]
        made: Provider = getattr(importlib.import_module(f"{package}.{module}"), name)(*self.arguments(tools))
        return made


@functools.cache
def service_kind(kind: str) -> ServiceKind:
    """Return what a kind declares; of one that nobody declares, what goes for all."""
    found: ServiceKind = load_declared(SERVICES, kind)() if kind in declared(SERVICES) else ServiceKind()
    return found


def service_kinds() -> list[ServiceKind]:
    """Return all kinds, in their order."""
    return sorted(map(service_kind, declared(SERVICES)), key=lambda kind: (kind.rank, kind.kind))
