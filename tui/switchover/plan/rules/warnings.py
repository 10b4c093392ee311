"""What is allowed in a plan and is often a mistake. A warning never blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from switchover.plan.complaints import Complaint
from switchover.plan.model import Service, Step
from switchover.plan.rules.backup_rules import backups_of_others, backups_too_old
from switchover.plan.rules.cost_rules import doubtful_costs
from switchover.plan.rules.destroying_text import destroys
from switchover.plan.rules.draft import Draft, Rule, shell_texts
from switchover.plan.rules.shell_quotes import open_quote, plain_commands

__all__ = ["WARNINGS", "warn"]

_PROVE_LITTLE = frozenset(
    str.split("true : exit test [ [[ ls echo printf cat stat file wc du head tail readlink basename dirname sleep pwd")
)
_ENDS_WELL_ANYWAY = re.compile(r"(?:\|\||;|\n)\s*(?:true|:|exit 0)\s*;?\s*$")
_LOOKS_AT_IT = re.compile(r"\$\{?BACKUP_PATH\b")
_SEPARATOR_OPTION = re.compile(
    r"(?:^|[|;&]\s*|\s)(?:pgrep|cut|paste|xargs|column|sort|[gmn]?awk|join|seq)\b.*\s-[dFts]$"
)
_NAMING_KEYS = ("container", "unit", "project", "deployment", "id", "pid_file")


def destroyed_services(draft: Draft) -> Iterator[Complaint]:
    """Warn of services that the plan removes and goes on to watch: they would be red for ever after."""
    steps = [step for _, step in draft.steps() if step.irreversible or step.effect == "destroys"]
    for name, service in draft.plan.services.items():
        if service.until is not None or service.side is None:
            continue
        step = next((step for step in steps if _removes(step, name, service)), None)
        if step is not None:
            phase = draft.plan.phase_of(step.id).id
            yield Complaint(
                ("services", name),
                f"step {step.id!r} removes it, and it is watched on: say `until: {phase}` where that is meant",
                at_key=True,
            )


def _removes(step: Step, name: str, service: Service) -> bool:
    if step.irreversible and service.side == "before":
        return True
    said = " ".join(filter(None, (step.id, step.command, step.confirm.text if step.confirm else "")))
    names = {name, *(str(getattr(service, key)) for key in _NAMING_KEYS if getattr(service, key))}
    return any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", said) for one in names)


def unmarked_destruction(draft: Draft) -> Iterator[Complaint]:
    """Warn of commands that destroy by their text and are not marked so."""
    for path, step in draft.steps():
        if step.effect not in (None, "destroys") and (what := destroys(step.command)):
            yield Complaint(
                (*path, "argv" if step.run is None else "run"),
                f"`{what}` destroys, and the step says `effect: {step.effect}`",
            )
    for name, useful in draft.plan.commands.items():
        if what := destroys(useful.command):
            where = ("commands", name, "argv" if useful.run is None else "run")
            yield Complaint(where, f"`{what}` destroys: that is for a step of the plan")
    for t, trouble in enumerate(draft.plan.troubleshooting):
        for s, solution in enumerate(trouble.solutions):
            if solution.run is not None and solution.effect != "destroys" and (what := destroys(solution.run)):
                place = ("troubleshooting", t, "solutions", s, "run")
                yield Complaint(place, f"`{what}` destroys, and the solution says `effect: {solution.effect}`")
        for d, command in enumerate(trouble.looks):
            if what := destroys(command):
                yield Complaint(("troubleshooting", t, "diagnose", d), f"`{what}` destroys; a diagnosis only reads")


def steps_without_undo(draft: Draft) -> Iterator[Complaint]:
    """Warn of steps that change something and do not say how that is undone."""
    for path, step in draft.steps():
        if step.effect in ("creates", "changes") and draft.lacks((*path, "rollback")):
            yield Complaint(
                path,
                f"step {step.id!r} {step.effect} something and does not say how that is undone: "
                "`rollback: {run: …}`, `not_needed`, `impossible` or `{undone_by: STEP}`",
            )


def unproved_ways_back(draft: Draft) -> Iterator[Complaint]:
    """Warn of named ways back whose end nothing proves."""
    for name, way in draft.plan.rollbacks.items():
        if not way.verify and draft.lacks(("rollbacks", name, "verify", 0)):
            message = "nothing proves that this way back worked: list checks in `verify`"
            yield Complaint(("rollbacks", name), message, at_key=True)


def unmeasured_promises(draft: Draft) -> Iterator[Complaint]:
    """Warn of promises that no gate proves, or whose result is no measurement."""
    proved = {name for phase in draft.plan.phases if phase.gate is not None for name in phase.gate.prove}
    for name, promise in draft.plan.promises.items():
        if not isinstance(promise.after.value, str):
            message = "`after` is a number, so nothing is measured: name what measures it, as CHECK.METRIC"
            yield Complaint(("promises", name, "after", "value"), message)
        elif name not in proved:
            message = f"no gate proves this promise: list it in a gate's `prove: [{name}]`"
            yield Complaint(("promises", name), message, at_key=True)


def weak_restore_tests(draft: Draft) -> Iterator[Complaint]:
    """Warn of restore tests that would pass for a damaged backup."""
    for name, check in draft.plan.checks.items():
        text = check.config.get("restore_test") if check.kind == "backup" else None
        if not isinstance(text, str) or not text.strip():
            continue
        programs = [words[0].rpartition("/")[2] for words in plain_commands(text)]
        if _ENDS_WELL_ANYWAY.search(text):
            why = "it ends well whatever happens"
        elif programs and all(program in _PROVE_LITTLE for program in programs):
            why = f"`{programs[0]}` reads nothing of what is inside"
        elif not _LOOKS_AT_IT.search(text):
            why = 'it does not look at the backup: "$BACKUP_PATH" stands for it'
        else:
            continue
        yield Complaint(("checks", name, "restore_test"), f"this restore test proves little: {why}")


def unbalanced_quotes(draft: Draft) -> Iterator[Complaint]:
    """Warn of shell text in which a quote is left open, or which a comma has cut in two."""
    texts = [(shell.path, shell.text) for shell in shell_texts(draft)]
    texts += [
        (("checks", name, key), check.config[key])
        for name, check in draft.plan.checks.items()
        for key in ("command", "restore_test")
        if isinstance(check.config.get(key), str)
    ]
    cut = set()
    for t, trouble in enumerate(draft.plan.troubleshooting):
        for d, (first, second) in enumerate(pairwise(trouble.diagnose)):
            if not isinstance(first, str) or not isinstance(second, str):
                continue
            if _SEPARATOR_OPTION.search(first) or (open_quote(first) and open_quote(second)):
                cut |= {(t, d), (t, d + 1)}
                yield Complaint(
                    ("troubleshooting", t, "diagnose", d), "a comma has cut this command in two: put it in quotes"
                )
    for path, text in texts:
        if (quote := open_quote(text)) and not (path[0] == "troubleshooting" and (path[1], path[-1]) in cut):
            yield Complaint(path, f"a {quote} is opened in this shell text and not closed")


def names_used_twice(draft: Draft) -> Iterator[Complaint]:
    """Warn of one name for a step, a check and a promise. Readers could take it for any of them."""
    checks = {name: ("check", ("checks", name)) for name in draft.plan.checks}
    promises = {name: ("promise", ("promises", name)) for name in draft.plan.promises}
    for path, step in draft.steps():
        others = [of[step.id][0] for of in (checks, promises) if step.id in of]
        if others:
            yield Complaint(
                (*path, "id"), f"a {' and a '.join(others)} is called {step.id!r} too; give each its own name"
            )
    for name in promises.keys() & checks.keys():
        yield Complaint(("promises", name), f"a check is called {name!r} too; give each its own name", at_key=True)


WARNINGS: tuple[Rule, ...] = (
    destroyed_services,
    unmarked_destruction,
    steps_without_undo,
    unproved_ways_back,
    unmeasured_promises,
    weak_restore_tests,
    backups_too_old,
    backups_of_others,
    doubtful_costs,
    unbalanced_quotes,
    names_used_twice,
)


def warn(draft: Draft) -> list[Complaint]:
    """Return all warnings, each once."""
    return list(dict.fromkeys(complaint for rule in WARNINGS for complaint in rule(draft)))
