"""Checks, services and metrics: each with the keys that its kind takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from switchover.plan.complaints import Complaint, Path, near_or_all, unknown_name
from switchover.plan.field_types import KeyedSpec
from switchover.plan.model import CheckSpec, Plan, Service
from switchover.plan.named_kinds import COMING, COST_SOURCES, METRIC_SOURCES, NOTIFIERS, SERVICES
from switchover.plan.rules.draft import Draft
from switchover.plan.type_errors import sensitive
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.runtime.config import NEEDED, config_fields, validate

__all__ = [
    "CHECK_KEYS",
    "check_configs",
    "merged_config",
    "metric_keys",
    "service_keys",
]

CHECK_KEYS = tuple(CheckSpec.model_fields)


_OF_EVERY_SERVICE = frozenset(
    ("kind", "side", "title", "owner", "link", "logs", "config", "needs", "every", "since", "until")
)
_PART = re.compile(r"[^.\[\]]+|\[\d+\]")


def merged_config(check: CheckSpec, service: Service | None, fields: frozenset[str]) -> dict[str, Any]:
    """Return the kind's keys. A key that the check leaves out comes from its service, where the kind has such a key."""
    config = check.config
    if service is not None:
        for key in ("url", "container", "pid_file", "pattern", "listen"):
            value = getattr(service, key)
            if value is not None and key in fields:
                config.setdefault(key, value)
        if service.listen is not None and "port" in fields:
            config.setdefault("port", service.listen)
    return config


def check_configs(draft: Draft) -> Iterator[Complaint]:
    """Complain about kinds that do not exist and keys that do not fit their kind."""
    for name, check in draft.plan.checks.items():
        path: Path = ("checks", name)
        if check.kind not in draft.registry.kinds():
            yield Complaint((*path, "kind"), unknown_name("check kind", check.kind, draft.registry.kinds()))
            continue
        listed = draft.registry.config_fields(check.kind)
        fields = frozenset(f.name for f in listed) if listed is not None else frozenset[str]()
        for key in sorted(fields & set(CHECK_KEYS)):
            where = draft.registry.kinds()[check.kind].location
            message = f"the kind {check.kind} has a key {key!r}, which every check has already; rename it in {where}"
            yield Complaint((*path, "kind"), message)
        if listed is not None:
            for key in check.config:
                if key not in fields:
                    known = sorted(fields | set(CHECK_KEYS))
                    message = f"a check of kind {check.kind} has no key {key!r}{near_or_all(key, known)}"
                    yield Complaint((*path, key), message, at_key=True)
        named = check.service is not None or ("url" in fields and check.config.get("url"))
        if not named and draft.registry.about_a_service(check.kind):
            message = f"a check of kind {check.kind} needs service: the service that it is about"
            yield Complaint((*path, "type"), message)
        seen: set[tuple[str, str]] = set()
        for service in _services(check, draft.plan):
            for where, message in draft.registry.validate_config(check.kind, merged_config(check, service, fields)):
                if (where, message) in seen or message.startswith("unknown key"):
                    continue
                seen.add((where, message))
                place = (*path, *_split(where))
                yield Complaint(place, _without_value(place, message))


def _without_value(place: Path, message: str) -> str:
    """Return the message, unless it repeats a value that may be a secret."""
    repeats = sensitive(place) and not message.endswith((", found a list", ", found a mapping"))
    return "this is not a value of its type" if repeats else message


def _services(check: CheckSpec, plan: Plan) -> list[Service | None]:
    names = (check.service,) if isinstance(check.service, str) else check.service or ()
    return [plan.services[name] for name in names if name in plan.services] or [None]


def _split(where: str) -> Path:
    return tuple(int(p[1:-1]) if p.startswith("[") else p for p in _PART.findall(where))


def service_keys(draft: Draft) -> Iterator[Complaint]:
    """Complain where a service does not say where it is, in the keys of its kind."""
    kinds = declared(SERVICES)
    for name, service in draft.plan.services.items():
        path: Path = ("services", name)
        if service.kind not in kinds:
            yield Complaint((*path, "kind"), unknown_name("kind of service", service.kind, kinds))
            continue
        takes, what = load_declared(SERVICES, service.kind)(), f"a service of kind {service.kind}"
        if takes.any_of and all(draft.lacks((*path, key)) for key in takes.any_of):
            yield Complaint(path, f"{what} needs {' or '.join(takes.any_of)}")
        for key in takes.all_of:
            if draft.lacks((*path, key)):
                yield Complaint((*path, key), f"{what} needs {key!r}")
        common = {*_OF_EVERY_SERVICE, *takes.keys}
        for key in sorted(service.model_fields_set):
            if key not in common and getattr(service, key) is not None:
                hint = "" if key in Service.model_fields else near_or_all(key, sorted(common))
                yield Complaint((*path, key), f"{what} has no {key!r}{hint}", at_key=True)
        if takes.resources and service.resource is not None and service.resource not in takes.resources:
            message = unknown_name(f"{service.kind} resource", service.resource, takes.resources)
            yield Complaint((*path, "resource"), message)
        if service.pattern is not None:
            try:
                re.compile(service.pattern)
            except (re.error, OverflowError, RecursionError) as error:
                yield Complaint(("services", name, "pattern"), f"this regular expression cannot be read: {error}")


def notifier_keys(draft: Draft) -> Iterator[Complaint]:
    """Complain about notifiers that lack their keys, and alerts that name none."""
    own, kinds = draft.plan.notifiers, declared(NOTIFIERS)
    for name, notifier in own.items():
        yield from declared_keys(("notifiers", name), "notifier", NOTIFIERS, notifier)
    for a, alert in draft.plan.alerts.items():
        yield from draft.each_unknown(("alerts", a, "notify"), "notifier", alert.notify, own.keys() | kinds.keys())
        if alert.escalate is not None:
            path = ("alerts", a, "escalate", "notify")
            yield from draft.each_unknown(path, "notifier", alert.escalate.notify, own.keys() | kinds.keys())
        for n, name in enumerate(alert.notify):
            if name in kinds and name not in own and config_fields(load_declared(NOTIFIERS, name).config):
                message = f"a notifier of kind {name} has keys: give one a name in `notifiers`, and write that here"
                yield Complaint(("alerts", a, "notify", n), message)


def cost_source_keys(draft: Draft) -> Iterator[Complaint]:
    """Complain about sources of costs that lack their keys."""
    for name, source in draft.plan.costs.sources.items():
        yield from declared_keys(("costs", "sources", name), "source of costs", COST_SOURCES, source)


def declared_keys(path: Path, noun: str, package: str, spec: KeyedSpec) -> Iterator[Complaint]:
    """Complain about a kind that a package does not declare, and about keys that do not fit what it declares."""
    if spec.kind not in declared(package):
        if spec.kind in COMING.get(package, ()):
            yield Complaint(
                (*path, "kind"), f"a {noun} of kind {spec.kind} is not there yet: it comes with a later version"
            )
            return
        yield Complaint((*path, "kind"), unknown_name(f"{noun} of kind", spec.kind, declared(package)))
        return
    what, config = f"a {noun} of kind {spec.kind}", load_declared(package, spec.kind).config
    fields = config_fields(config)
    for field in fields:
        if field.required and field.name not in spec.config:
            yield Complaint((*path, field.name), f"{what} needs {field.name!r}")
    names = {field.name for field in fields}
    for key in spec.config.keys() - names:
        known = sorted(names | type(spec).model_fields.keys())
        yield Complaint((*path, key), f"{what} has no key {key!r}{near_or_all(key, known)}", at_key=True)
    own = {key: value for key, value in spec.config.items() if key in names}
    for where, message in validate(config, own):
        if message != NEEDED:
            place = (*path, *_split(where))
            yield Complaint(place, _without_value(place, message))


def metric_keys(draft: Draft) -> Iterator[Complaint]:
    """Complain where a metric lacks the keys of its source, or has thresholds that cannot be read."""
    from switchover_checks.language.thresholds import parse_range

    for name, metric in draft.plan.metrics.items():
        path: Path = ("metrics", name)
        yield from declared_keys(path, "metric", METRIC_SOURCES, metric)
        for key, text in (("warn", metric.warn), ("crit", metric.crit)):
            if text is not None and "{{" not in text:
                try:
                    parse_range(text)
                except ValueError as error:
                    yield Complaint((*path, key), str(error))
