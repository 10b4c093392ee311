"""Names: everything that a plan names is there, nothing waits for itself, and no check is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from switchover.plan.alerting.rule_names import rule_names
from switchover.plan.alerting.rule_parser import parse_rule
from switchover.plan.complaints import Complaint, Path, did_you_mean
from switchover.plan.conditions import parse_alternatives
from switchover.plan.members.member_names import base_name, part_of
from switchover.plan.members.presence import FROM_THE_BEGINNING
from switchover.plan.model import Alert, CheckSpec, MetricSpec, Service
from switchover.plan.promise_model import measured_item
from switchover.plan.promises.targets import parse_target
from switchover.plan.rules.draft import Draft
from switchover.plan.templates import has_template, put_out_by, texts_in

_USING_KEYS = frozenset(
    {"require", "verify", "needs", "when", "before", "after", "checks", "check", "ready", "only_if"}
)
_WORD = re.compile(r"[A-Za-z_][\w-]*")

__all__ = ["cycles", "names_in_checks", "names_in_phases", "names_in_the_rest", "unreferenced_checks"]


def names_in_phases(draft: Draft) -> Iterator[Complaint]:
    """Complain about unknown names in gates, steps and their confirmations."""
    items = draft.names.watched
    for p, phase in enumerate(draft.plan.phases):
        gate = phase.gate
        if gate is not None:
            yield from draft.each_unknown(("phases", p, "gate", "require"), "check or service", gate.require, items)
            yield from draft.each_unknown(("phases", p, "gate", "prove"), "promise", gate.prove, draft.names.promises)
    for path, step in draft.steps():
        yield from draft.each_unknown((*path, "on_unknown", "verify"), "check or service", step.verify, items)
        yield from draft.each_unknown((*path, "ready"), "check or service", step.ready, items)
        for c, item in enumerate(step.checklist):
            if item.check is not None:
                yield from draft.unknown((*path, "checklist", c, "check"), "check or service", item.check, items)
        if step.confirm is not None:
            yield from draft.each_unknown(
                (*path, "confirm", "require"), "check or service", step.confirm.require, items
            )


def names_in_checks(draft: Draft) -> Iterator[Complaint]:
    """Complain about unknown names in checks, services, metrics and sides."""
    names = draft.names
    for name, service in draft.plan.services.items():
        path: Path = ("services", name)
        if service.side is not None:
            yield from draft.unknown((*path, "side"), "side", service.side, names.sides)
        yield from _needs((*path, "needs"), service.needs, draft)
        yield from _presence(path, service, draft)
    for name, check in draft.plan.checks.items():
        path = ("checks", name)
        if isinstance(check.service, str):
            yield from draft.unknown((*path, "service"), "service", check.service, names.services)
        elif check.service is not None:
            yield from draft.each_unknown((*path, "service"), "service", check.service, names.services)
            if not check.service:
                yield Complaint((*path, "service"), "this list is empty, so nothing would be checked")
        if check.side is not None:
            yield from draft.unknown((*path, "side"), "side", check.side, names.sides)
        yield from _needs((*path, "needs"), check.needs, draft)
        yield from _asked_for((*path, "needs"), check, draft)
        yield from _presence(path, check, draft)
        yield from _names_in_config(path, check.config, draft)
    for name, metric in draft.plan.metrics.items():
        config = metric.config
        for key, what, known in (
            ("check", "check", names.check_items),
            ("service", "service", names.services),
            ("side", "side", names.sides),
        ):
            if isinstance(config.get(key), str):
                yield from draft.unknown(("metrics", name, key), what, config[key], known)
        item, measured = config.get("check"), config.get("metric")
        if metric.kind == "check" and isinstance(item, str) and isinstance(measured, str):
            yield from draft.unmeasured(("metrics", name, "metric"), item, measured)
        yield from _names_in_config(("metrics", name), config, draft)
        yield from _presence(("metrics", name), metric, draft)
    for name, side in draft.plan.sides.items():
        yield from _names_in_config(("sides", name), side.model_extra or {}, draft)


def _needs(path: Path, needs: tuple[str, ...], draft: Draft) -> Iterator[Complaint]:
    both = draft.names.check_items | draft.names.services
    yield from draft.each_unknown(path, "check or service", needs, both)
    for index, need in enumerate(needs):
        if need in draft.names.checks and need in draft.names.services:
            yield Complaint((*path, index), f"{need!r} names both a check and a service; rename one of them")


def _asked_for(path: Path, check: CheckSpec, draft: Draft) -> Iterator[Complaint]:
    """Complain about a check that is watched and needs one that is looked at only when a gate asks."""
    for index, need in enumerate(check.needs if not check.on_demand else ()):
        needed = part_of(draft.plan.checks, need)
        if needed is not None and needed.on_demand:
            yield Complaint((*path, index), f"{need!r} is looked at only when a gate asks, so this one would never be")


def _presence(path: Path, part: CheckSpec | Service | MetricSpec | Alert, draft: Draft) -> Iterator[Complaint]:
    """Complain about moments that the plan does not have, and about a thing that would never be watched."""
    phases, steps = draft.names.phases, [f"{phase}.{step}" for phase, step in draft.names.steps]
    for key, name in (("since", part.since), ("until", part.until)):
        if name is not None:
            known = [*phases, *steps] if key == "until" else [FROM_THE_BEGINNING, *phases, *steps]
            yield from draft.unknown((*path, key), "step" if "." in name else "phase", name, known)
    order = {name: number for number, name in enumerate(_moments(draft))}
    since, until = f"since {part.since}", f"until {part.until}"
    if since in order and until in order and order[until] <= order[since]:
        ends = f"step {part.until!r} starts" if "." in str(part.until) else f"phase {part.until!r} ends"
        begins = f"step {part.since!r} has ended" if "." in str(part.since) else f"phase {part.since!r} starts"
        yield Complaint((*path, "until"), f"{ends} before {begins}: never watched")


def _moments(draft: Draft) -> Iterator[str]:
    """Yield what `since` and `until` may name, in the order of the run."""
    for phase in draft.names.phases:
        yield f"since {phase}"
        for home, step in draft.names.steps:
            if home == phase:
                yield from (f"until {phase}.{step}", f"since {phase}.{step}")
        yield f"until {phase}"


def _names_in_config(path: Path, config: Mapping[str, object], draft: Draft) -> Iterator[Complaint]:
    """Complain about keys that name parts of the plan: `left` and `right` a side."""
    for key, value in config.items():
        if key in ("left", "right") and isinstance(value, str) and not has_template(value) and "://" not in value:
            yield from draft.unknown((*path, key), "side", value, draft.names.sides)


def names_in_the_rest(draft: Draft) -> Iterator[Complaint]:
    """Complain about unknown names in alerts, rollback paths, troubles, promises and runbooks."""
    names = draft.names
    for a, alert in draft.plan.alerts.items():
        yield from _presence(("alerts", a), alert, draft)
        if alert.when is not None:
            yield from _rule(("alerts", a, "when"), alert.when, draft)
    for t, trouble in enumerate(draft.plan.troubleshooting):
        if trouble.when is not None:
            yield from _condition(("troubleshooting", t, "when"), trouble.when, draft)
    for name, maintenance in draft.plan.maintenance.items():
        yield from draft.each_unknown(("maintenance", name, "of"), "check or service", maintenance.of, names.watched)
    for name, way_back in draft.plan.rollbacks.items():
        path: Path = ("rollbacks", name)
        known = [*(f"{phase}.{step}" for phase, step in names.steps)]
        if way_back.valid_until is not None:
            yield from draft.unknown((*path, "valid_until"), "PHASE.STEP", way_back.valid_until, known)
        if way_back.loses_since is not None:
            yield from draft.unknown((*path, "loses_since"), "PHASE.STEP", way_back.loses_since, known)
        for s, step in enumerate(way_back.steps):
            yield from draft.each_unknown((*path, "steps", s, "rollback"), "phase", step.rollback, names.phases)
        yield from draft.each_unknown((*path, "verify"), "check or service", way_back.verify, names.watched)
    for name, promise in draft.plan.promises.items():
        path = ("promises", name)
        for key, side in (("before", promise.before), ("after", promise.after)):
            if side is not None and isinstance(side.value, str):
                yield from _measured((*path, key, "value"), side.value, draft)
            if side is not None and side.phase is not None:
                yield from draft.unknown((*path, key, "in"), "phase", side.phase, names.phases)
        try:
            parse_target(promise.target, promise.unit)
        except ValueError as error:
            yield Complaint((*path, "target"), str(error))
    for r, runbook in enumerate(draft.plan.runbooks):
        yield from draft.each_unknown(("runbooks", r, "checks"), "check", runbook.checks, names.check_items)


def _rule(path: Path, text: str, draft: Draft) -> Iterator[Complaint]:
    if "{{" in text:
        return
    try:
        parse_rule(text, rule_names(draft.plan, draft.names.watched))
    except ValueError as error:
        yield Complaint(path, str(error))


def _condition(path: Path, text: str, draft: Draft) -> Iterator[Complaint]:
    try:
        conditions = parse_alternatives(text)
    except ValueError as error:
        yield Complaint(path, str(error))
        return
    for condition in conditions:
        yield from draft.unknown(path, "check or service", condition.subject, draft.names.watched)


def _measured(path: Path, text: str, draft: Draft) -> Iterator[Complaint]:
    if text.startswith("step.") and (source := put_out_by(text)) is not None and source[0]:
        step, output = source
        yield from draft.unknown(path, "step", step, [name for _, name in draft.names.steps])
        known = {"seconds", *draft.names.outputs.get(step, ())}
        if step in draft.names.outputs and output not in known:
            yield from draft.unknown(path, f"output of the step {step}", output, sorted(known))
        return
    check, metric = measured_item(text)
    if not metric and check not in draft.names.check_items:
        metrics = draft.names.metric_items
        if check not in metrics:
            hint = did_you_mean(check, [*metrics, *draft.names.check_items])
            yield Complaint(path, f"{text[:60]!r} is neither a number, a metric of the plan nor CHECK.METRIC{hint}")
    elif not metric:
        yield Complaint(path, f"{text[:60]!r} is a check: say which number of it, as CHECK.METRIC")
    elif check not in draft.names.check_items:
        yield from draft.unknown(path, "check", check, draft.names.check_items)
    else:
        yield from draft.unmeasured(path, check, metric)


def cycles(draft: Draft) -> Iterator[Complaint]:
    """Complain about what needs itself, directly or through others."""
    graph: dict[str, set[str]] = {}
    places: dict[str, Path] = {}
    for name, service in draft.plan.services.items():
        graph[name] = set(service.needs) & draft.names.services
        places[name] = ("services", name, "needs")
    for name, check in draft.plan.checks.items():
        if name not in graph:
            graph[name] = ({base_name(need) for need in check.needs} | set(check.needs)) & set(draft.plan.checks)
            places[name] = ("checks", name, "needs")
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = list(error.args[1])
            shown = " → ".join([*reversed(circle)][:8])
            yield Complaint(places[circle[0]], f"these need each other in a circle, so none would ever start: {shown}")
            for name in circle:
                graph[name] = set()
        else:
            return


def unreferenced_checks(draft: Draft) -> Iterator[Complaint]:
    """Complain about a check that nothing waits for and nobody asked to watch: it was forgotten in a gate.

    A plan without phases only watches: there every check stands for itself.
    """
    if not draft.names.phases:
        return
    used: set[str] = set()
    for path, text in texts_in(dict(draft.data)):
        keys = {"needs"} if path[0] == "checks" else _USING_KEYS
        if path[0] not in ("sides", "vars") and keys.intersection(map(str, path)):
            used.update(_WORD.findall(text))
    for name in draft.plan.checks:
        if not used & {name, base_name(name)} and all(
            draft.lacks(("checks", name, key)) for key in ("every", "service", "since", "until")
        ):
            yield Complaint(
                ("checks", name),
                f"nothing uses the check {name!r}: list it in a gate's `require`, or give it `every:` to only watch it",
                at_key=True,
            )
