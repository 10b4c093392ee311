"""Templates: only where they are filled in, only names that exist, and never inside text that a shell runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from switchover.plan.complaints import Complaint, Path, did_you_mean
from switchover.plan.named_kinds import COST_SOURCES, METRIC_SOURCES, NOTIFIERS
from switchover.plan.rules.draft import Draft, argvs, shell_texts
from switchover.plan.templates import (
    Slot,
    TemplateError,
    has_template,
    parse_template,
    put_out_by,
    shell_templates,
    texts_in,
)
from switchover.plan.variables import ALERT_NAMES, BUILT_IN_NAMES
from switchover_checks.language.declared import declared, load_declared

__all__ = ["late_values", "shell_text_in_checks", "shell_text_is_literal", "template_names"]

# Keys of checks whose text is handed to a shell.
_NEVER_FILLED = {"kind", "side", "title", "owner", "needs", "every", "since", "until"}
_SHELL_KEYS = frozenset({"restore_test", "run", "shell", "command"})
_ENVIRONMENT_HINT = 'put the value into `env` and write "$NAME" here, so that nothing is injected or shows in `ps`'


def shell_text_is_literal(draft: Draft) -> Iterator[Complaint]:
    """Complain about values pasted into shell text: they could be commands of their own; `env` is the way."""
    for shell in shell_texts(draft):
        for name in dict.fromkeys(shell_templates(shell.text)):
            yield Complaint(shell.path, f"a template inside shell text: {{{{ {name} }}}}; {_ENVIRONMENT_HINT}")


def shell_text_in_checks(draft: Draft) -> Iterator[Complaint]:
    """Complain about values in the shell text of checks, and about secrets in any command."""
    keyed = [(("checks", name), check.config) for name, check in draft.plan.checks.items()]
    keyed += [(("notifiers", name), notifier.config) for name, notifier in draft.plan.notifiers.items()]
    for where, config in keyed:
        for key, value in config.items():
            if key not in _SHELL_KEYS:
                continue
            path: Path = (*where, key)
            if isinstance(value, str):
                yield from _judge_parts(path, value, as_text=True)
            elif isinstance(value, list | tuple):
                for index, text in enumerate(value):
                    yield from _judge_parts((*path, index), text, as_text=False)


def _judge_parts(path: Path, text: object, *, as_text: bool) -> Iterator[Complaint]:
    """Complain about what stands in an argument: a secret anywhere, and in shell text any value."""
    way = "let the command fetch it itself" if "restore_test" in path else "put it into its `env` instead"
    for name in _named(text):
        if name.startswith("secret."):
            yield Complaint(path, f"{{{{ {name} }}}} in a command would show in `ps`; {way}")
        elif as_text and name == "path" and "restore_test" in path:
            yield Complaint(path, f'a template inside shell text: {{{{ {name} }}}}; the backup is "$BACKUP_PATH" here')
        elif as_text:
            yield Complaint(path, f"a template inside shell text: {{{{ {name} }}}}; {_ENVIRONMENT_HINT}")


def template_names(draft: Draft) -> Iterator[Complaint]:
    """Complain about templates that cannot be read, or name what does not exist or may not be used there."""
    plan = draft.plan
    put_out = {f"step.{step}.{name}" for step, outputs in draft.names.outputs.items() for name in outputs}
    values = frozenset({*draft.names.vars, *BUILT_IN_NAMES, *put_out})
    for path, step in draft.steps():
        yield from _texts((*path, "cwd"), step.cwd, values)
        if step.undo is not None:
            yield from _texts((*path, "rollback", "cwd"), step.undo.cwd, values)
        if step.confirm is not None:
            yield from _texts((*path, "confirm", "text"), step.confirm.text, values)
    for path, argv in argvs(draft):
        yield from _texts(path, argv, values)
    for shell in shell_texts(draft):
        yield from _texts(shell.env_path, shell.env, values, secrets=draft.names.secrets)
    for name, command in plan.commands.items():
        yield from _texts(("commands", name, "cwd"), command.cwd, values)
    for t, trouble in enumerate(plan.troubleshooting):
        yield from _texts(("troubleshooting", t, "cwd"), trouble.cwd, values)
        for s, solution in enumerate(trouble.solutions):
            if solution.confirm is not None:
                yield from _texts(
                    ("troubleshooting", t, "solutions", s, "confirm", "text"), solution.confirm.text, values
                )
    for name, check in plan.checks.items():
        own = values | frozenset(check.config)
        yield from _texts(("checks", name), check.config, own, secrets=draft.names.secrets)
    for place, package, specs in (
        (("metrics",), METRIC_SOURCES, plan.metrics),
        (("notifiers",), NOTIFIERS, plan.notifiers),
        (("costs", "sources"), COST_SOURCES, plan.costs.sources),
    ):
        for name, spec in specs.items():
            kind = load_declared(package, spec.kind) if spec.kind in declared(package) else None
            asked = draft.names.secrets if kind is not None and kind.takes_secrets else None
            own = values | frozenset(spec.config) | (ALERT_NAMES if getattr(kind, "fills", False) else frozenset())
            yield from _texts((*place, name), spec.config, own, secrets=asked)
    for name, host in plan.hosts.items():
        yield from _texts(("hosts", name, "ssh"), host.ssh, values)
    for name, side in plan.sides.items():
        yield from _texts(("sides", name), side.model_extra or {}, values, secrets=draft.names.secrets)
    for name, service in plan.services.items():
        given = service.model_dump(exclude=_NEVER_FILLED, exclude_none=True)
        yield from _texts(("services", name), given, values)
    if plan.live is not None:
        yield from _texts(
            ("live",),
            plan.live.model_dump(include={"url", "file", "symlink", "dns", "answers"}, exclude_none=True),
            values,
        )
    for name, variable in plan.vars.items():
        yield from _texts(("vars", name, "default"), variable.default, values)


def _texts(
    path: Path, value: Any, known: frozenset[str], *, secrets: Iterable[str] | None = None
) -> Iterator[Complaint]:
    for inner, text in texts_in(value):
        place = (*path, *inner)
        try:
            parts = parse_template(text)
        except TemplateError as error:
            yield Complaint(place, str(error))
            continue
        for part in parts:
            if isinstance(part, Slot):
                yield from _name(place, part.name, known, secrets)


def _name(path: Path, name: str, known: frozenset[str], secrets: Iterable[str] | None) -> Iterator[Complaint]:
    if name.startswith("secret."):
        wanted = name.removeprefix("secret.")
        if secrets is None:
            yield Complaint(path, "a secret cannot be used here: this text is shown and kept; hand it over in `env`")
        elif wanted not in secrets:
            hint = did_you_mean(wanted, secrets)
            yield Complaint(path, f"the template {{{{ {name} }}}} names a secret that the plan does not have{hint}")
    elif name not in known:
        candidates = [*known, *(f"secret.{s}" for s in secrets or ())]
        hint = did_you_mean(name, candidates) or "; declare it in `vars`"
        yield Complaint(path, f"the template {{{{ {name} }}}} names no variable{hint}")


def late_values(draft: Draft) -> Iterator[Complaint]:
    """Complain about a step that uses a value which only a later step gives."""
    order = {step: number for number, (_, step) in enumerate(draft.names.steps)}
    sources = _late_sources(draft, order)
    for path, step in draft.steps():
        texts = [*step.env.values(), *(step.argv or ()), step.cwd or "", step.confirm.text if step.confirm else ""]
        for name in dict.fromkeys(name for text in texts for name in _named(text)):
            source = sources.get(name)
            if source in order and step.id in order and order[source] >= order[step.id]:
                yield Complaint(
                    path, f"step {step.id!r} uses {{{{ {name} }}}}, which is known only after step {source!r} has ended"
                )


def _late_sources(draft: Draft, order: Mapping[str, int]) -> dict[str, str]:
    """Return the last step that each value waits for, also by way of a default."""
    sources = {name: source[0] for name in draft.plan.variables if (source := put_out_by(name)) is not None}
    needs = {
        name: _named(variable.default)
        for name, variable in draft.plan.vars.items()
        if variable.ask is None and has_template(variable.default)
    }
    for _ in needs:  # a default may be made of another variable, and that of a third
        for name, needed in needs.items():
            if found := [sources[need] for need in needed if need in sources]:
                sources[name] = max(found, key=lambda step: order.get(step, -1))
    return sources


def _named(text: object) -> tuple[str, ...]:
    try:
        parts = parse_template(text) if isinstance(text, str) else ()
    except TemplateError:
        return ()
    return tuple(dict.fromkeys(part.name for part in parts if isinstance(part, Slot)))
