"""Steps, gates and rollback paths: whole, without contradiction, nothing irreversible without a backup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from switchover.plan.complaints import Complaint, Path, unknown_name
from switchover.plan.conditions import read_condition
from switchover.plan.model import Confirm, Gate, Solution, Step
from switchover.plan.notations import parse_capture
from switchover.plan.rules.draft import Draft, argvs, shell_texts
from switchover.plan.templates import has_template

__all__ = ["gates_ask_something", "irreversible_steps", "parts_are_named_once", "steps_are_whole", "ways_back"]

_OF_COMMANDS = (
    *("ok", "unknown", "timeout_means", "again", "ready", "ready_within", "only_if"),
    *("files", "keep", "parallel"),
)
_TRIVIAL = frozenset({"y", "yes", "ok", "okay", "confirm", "go", "true", "oui", "ja", "si", "sim"})


def parts_are_named_once(draft: Draft) -> Iterator[Complaint]:
    """Complain about ids that stand twice: of phases, and of steps in the whole plan."""
    phases = Counter(phase.id for phase in draft.plan.phases)
    for p, phase in enumerate(draft.plan.phases):
        if phases[phase.id] > 1 and phase.id in [other.id for other in draft.plan.phases[:p]]:
            yield Complaint(("phases", p, "id"), f"another phase already has the id {phase.id!r}")
    seen: dict[str, Path] = {}
    for path, step in draft.steps():
        if step.id in seen:
            first = draft.plan.phases[int(seen[step.id][1])].id
            yield Complaint(
                (*path, "id"),
                f"a step of phase {first!r} already has the id {step.id!r}; choose another",
            )
        seen.setdefault(step.id, path)


def steps_are_whole(draft: Draft) -> Iterator[Complaint]:
    """Complain about steps that do nothing, two things at once, or do not say what they do to the world."""
    for path, step in draft.steps():
        ways = [key for key in ("run", "argv", "checklist") if not draft.lacks((*path, key))]
        if not ways or (ways == ["checklist"] and draft.lacks((*path, "checklist", 0))):
            yield Complaint(
                path, f"step {step.id!r} does nothing: give it `run` or `argv` (a command), or `checklist` (a list)"
            )
        elif len(ways) > 1:
            say = f"step {step.id!r} has both `{ways[0]}` and `{ways[1]}`; make two steps of it"
            yield Complaint((*path, ways[1]), say, at_key=True)
        if step.command and draft.lacks((*path, "effect")):
            yield Complaint(
                path, f"step {step.id!r} does not say its `effect`: one of read, creates, changes, destroys"
            )
        if step.expect_duration is not None and step.expect_duration > step.timeout:
            yield Complaint((*path, "expect_duration"), "this is longer than the step's timeout, which ends it")
        if step.outputs and not step.command:
            yield Complaint((*path, "outputs"), "only a step with a command has outputs", at_key=True)
        if step.undo is not None and draft.lacks((*path, "rollback", "run")) == draft.lacks(
            (*path, "rollback", "argv")
        ):
            yield Complaint((*path, "rollback"), "a rollback is one command: give it `run` or `argv`")
        yield from _items(path, step)
        yield from _outcomes(draft, path, step)
    for path, argv in argvs(draft):
        if argv and not argv[0].strip():
            yield Complaint((*path, 0), "the program's name is empty")
    for shell in shell_texts(draft):
        if not shell.text.strip() and shell.path[-1] == "run" and not shell.env:
            yield Complaint(shell.path, "this command is empty")


def _items(path: Path, step: Step) -> Iterator[Complaint]:
    for c, item in enumerate(step.checklist):
        if not item.text.strip():
            yield Complaint((*path, "checklist", c), "this item is empty")
    if step.checklist and all(item.optional for item in step.checklist):
        yield Complaint((*path, "checklist"), "all of it is optional, so it would be done before anything is ticked")


def _outcomes(draft: Draft, path: Path, step: Step) -> Iterator[Complaint]:
    for name, output in step.outputs.items():
        place = (*path, "outputs", name) if isinstance(output, str) else (*path, "outputs", name, "from")
        try:
            parse_capture(output if isinstance(output, str) else output.from_)
        except ValueError as error:
            yield Complaint(place, str(error))
    for code in sorted({*step.ok} & {*(step.unknown or ())}):
        yield Complaint((*path, "unknown"), f"exit code {code} cannot both end it well and leave open what it did")
    for key in _OF_COMMANDS:
        if key in step.model_fields_set and not step.command:
            yield Complaint((*path, key), f"only a step with a command has `{key}`", at_key=True)
    if "ready_within" in step.model_fields_set and not step.ready:
        yield Complaint((*path, "ready_within"), "there is nothing to wait for: list checks in `ready`", at_key=True)
    if step.only_if is not None:
        try:
            read_condition(draft.plan, step.only_if)
        except ValueError as error:
            yield Complaint((*path, "only_if"), str(error))
    for key, patterns in (("files", step.files), ("keep", step.keep)):
        for n, pattern in enumerate(patterns):
            if not pattern.strip() or pattern.startswith("/") or ".." in pattern.split("/") or has_template(pattern):
                say = "write a path below the folder of the plan, such as migration/*.sh"
                yield Complaint((*path, key, n), say)
    if step.keep and step.run_on is not None:
        yield Complaint((*path, "keep"), "only what a step leaves on this machine can be kept", at_key=True)
    yield from _side_by_side(draft, path, step)
    if step.again and step.irreversible:
        yield Complaint((*path, "again"), "what cannot be undone never runs twice", at_key=True)


def _side_by_side(draft: Draft, path: Path, step: Step) -> Iterator[Complaint]:
    if step.parallel is None:
        return
    place, phase = (*path, "parallel"), draft.plan.phases[int(path[1])]
    names = [other.parallel for other in phase.steps]
    first = names.index(step.parallel)
    if set(names[first : int(path[3]) + 1]) != {step.parallel}:
        yield Complaint(place, f"the steps of {step.parallel!r} do not follow each other")
    if step.confirm is not None:
        yield Complaint(place, "a step that is confirmed has its own turn", at_key=True)
    host = draft.plan.hosts.get(step.run_on or "")
    if host is not None and len(host.destinations) > 1:
        yield Complaint(place, "a step on a group of machines has its own turn", at_key=True)


def irreversible_steps(draft: Draft) -> Iterator[Complaint]:
    """Complain about what cannot be undone and is not confirmed by typing, or rests on no proved backup."""
    backups = {name for name, check in draft.plan.checks.items() if check.kind == "backup"}
    unjudged = draft.names.checks - set(draft.plan.checks)
    for path, step in draft.steps():
        if step.confirm is not None:
            yield from _confirmation((*path, "confirm"), step.confirm)
        yield from _undone(draft, path, step)
        if not step.irreversible:
            continue
        if step.confirm is None:
            if not draft.lacks((*path, "confirm")):
                continue
            yield Complaint(
                path,
                f"step {step.id!r} is irreversible and has no `confirm`: "
                "add confirm: {text: TEXT, require: [A BACKUP CHECK]}",
            )
        elif not set(step.confirm.require) & (backups | unjudged | _proving(draft)):
            hint = f"; this plan has {', '.join(sorted(backups))}" if backups else "; this plan has none yet"
            yield Complaint(
                (*path, "confirm"),
                f"step {step.id!r} is irreversible and rests on no backup: "
                f"list a check of kind backup in `confirm.require`{hint}",
            )
    for t, trouble in enumerate(draft.plan.troubleshooting):
        for s, solution in enumerate(trouble.solutions):
            place: Path = ("troubleshooting", t, "solutions", s)
            if solution.confirm is not None:
                yield from _confirmation((*place, "confirm"), solution.confirm)
                known = draft.names.check_items
                yield from draft.each_unknown((*place, "confirm", "require"), "check", solution.confirm.require, known)
            if solution.irreversible and draft.lacks((*place, "confirm")):
                yield Complaint(place, "this solution destroys and has no `confirm`: add confirm: {text: TEXT}")
            yield from _asked(place, solution)


def _proving(draft: Draft) -> frozenset[str]:
    """Return the checks that decide whether a step has made something: a managed backup has no file to look into."""
    return frozenset(name for _, step in draft.steps() if step.effect == "creates" for name in step.verify)


def _asked(place: Path, solution: Solution) -> Iterator[Complaint]:
    if solution.ask and solution.run is None:
        yield Complaint((*place, "ask"), "nothing takes these answers: give the solution a `run`", at_key=True)
    for name in solution.ask.keys() & solution.env.keys():
        yield Complaint((*place, "ask", name), f"{name} stands in `env` already", at_key=True)


def _undone(draft: Draft, path: Path, step: Step) -> Iterator[Complaint]:
    place = (*path, "rollback")
    if step.effect == "destroys" and draft.lacks(place):
        how = "say how it is undone, or `rollback: impossible`"
        yield Complaint((*path, "effect"), f"step {step.id!r} destroys and has no `rollback`: {how}")
    if step.effect == "destroys" and step.rollback == "not_needed":
        yield Complaint(place, f"step {step.id!r} destroys: say how it is undone, or `rollback: impossible`")
    if step.irreversible and step.effect == "read":
        yield Complaint((*path, "effect"), f"step {step.id!r} is irreversible, so it does more than read")
    if not step.undone_by:
        return
    steps = [name for _, name in draft.names.steps]
    if step.undone_by == step.id:
        yield Complaint((*place, "undone_by"), "a step is not undone by itself: give the command")
    elif step.undone_by not in steps:
        yield Complaint((*place, "undone_by"), unknown_name("step", step.undone_by, steps))
    elif next((other.undo is None for _, other in draft.steps() if other.id == step.undone_by), False):
        yield Complaint((*place, "undone_by"), f"step {step.undone_by!r} has no command in its `rollback`")


def _confirmation(path: Path, confirm: Confirm) -> Iterator[Complaint]:
    typed = confirm.text.strip()
    if len(typed) < 3 or typed.lower() in _TRIVIAL:
        yield Complaint((*path, "text"), "the text to type must name what is done, such as 'destroy {{ id }}'")
    elif confirm.text != typed or "\n" in typed:
        yield Complaint((*path, "text"), "the text to type is one line without spaces at its ends")


def gates_ask_something(draft: Draft) -> Iterator[Complaint]:
    """Complain about gates that are always open and phases that were left half-written."""
    for p, phase in enumerate(draft.plan.phases):
        path: Path = ("phases", p)
        if not phase.steps and phase.gate is None and draft.lacks((*path, "steps", 0)) and draft.lacks((*path, "gate")):
            yield Complaint(path, f"phase {phase.id!r} is empty: give it steps or a gate")
        if phase.gate is not None:
            yield from _gate((*path, "gate"), phase.id, phase.gate, draft)


def _gate(path: Path, phase: str, gate: Gate, draft: Draft) -> Iterator[Complaint]:
    empty = not (gate.require or gate.prove or gate.human)
    if empty and all(draft.lacks(part) for part in ((*path, "require", 0), (*path, "prove", 0), (*path, "human"))):
        yield Complaint(
            path, f"the gate of phase {phase!r} asks for nothing, it would always be open; fill or remove it"
        )
    if gate.hold and not gate.require:
        yield Complaint((*path, "hold"), "`hold` needs checks in `require` that stay green", at_key=True)
    if gate.within is not None and gate.every is not None and gate.every > gate.within:
        yield Complaint((*path, "every"), "this is longer than `within`: there would be one look only")
    if gate.persons > 1 and draft.lacks((*path, "human")):
        yield Complaint((*path, "persons"), "two people answer a question: write it as `human`", at_key=True)
    if gate.human is not None and not gate.human.strip():
        yield Complaint((*path, "human"), "this question is empty")


def ways_back(draft: Draft) -> Iterator[Complaint]:
    """Complain about named rollback paths without steps, or with steps that are neither command nor `rollback`."""
    for name, way_back in draft.plan.rollbacks.items():
        path: Path = ("rollbacks", name)
        if not way_back.steps and draft.lacks((*path, "steps", 0)):
            yield Complaint((*path, "steps"), "a way back without steps leads nowhere")
        for s in range(len(way_back.steps)):
            place = (*path, "steps", s)
            given = [not draft.lacks(key) for key in ((*place, "run"), (*place, "argv"), (*place, "rollback", 0))]
            if given.count(True) != 1:
                yield Complaint(place, "a step is either `run` or `argv` (a command), or `rollback` (phases)")
