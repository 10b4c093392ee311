"""A troubleshooting entry as it applies to one thing that is wrong: its commands, their environment, what may help."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from switchover.errors import RefusedError
from switchover.hub.hub_ports import CaseHub
from switchover.hub.problems.case_commands import CaseCommand
from switchover.hub.problems.issue_values import values_of
from switchover.hub.problems.known_issues import Fit, KnownIssues, solution_view
from switchover.plan.conditions import parse_alternatives
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.member_names import part_of
from switchover.plan.model import Confirm, PlannedLook, Solution, TroubleshootingEntry, UsefulCommand
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render
from switchover.snapshot import KnownIssueView, SolutionView
from switchover.snapshot.states import StepEffect
from switchover.snapshot.tiers import Tier, tier_of
from switchover.triage.entries import DiagnosticCommand, KnownIssue, Match, Remedy

__all__ = ["Act", "Case", "Cases"]

_PLAN = "plan:"
_NO_SERVICE = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that may help: `action` of the service itself, or the command `run`; a person does what has neither."""

    view: SolutionView
    action: str = ""
    run: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 120.0
    confirm: Confirm | None = None
    ask: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """An entry, and what it is about now.

    `holds`: what the plan names for it is so now. `named` are the checks that the plan names. Its commands run in
    `cwd`.
    """

    id: str
    about: str
    symptom: str
    because: str
    commands: tuple[CaseCommand, ...]
    env: Mapping[str, str]
    acts: tuple[Act, ...]
    fit: Fit | None = None
    holds: bool = True
    named: tuple[str, ...] = ()
    cwd: str = ""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The services and checks that it is about."""
        evidence = self.fit.evidence if self.fit is not None else None
        service = evidence.service if evidence is not None else None
        check = evidence.check if evidence is not None else None
        return (
            self.about,
            *self.named,
            *((service.id or service.name,) if service is not None else ()),
            *((check.name,) if check is not None else ()),
        )


class Cases:
    """Makes cases."""

    def __init__(
        self,
        loaded: LoadedPlan | None,
        known_issues: KnownIssues,
        hub: CaseHub,
    ) -> None:
        self._loaded = loaded
        self._known_issues = known_issues
        self._hub = hub
        self._kept: dict[tuple[str, str], Case] = {}

    def scope(self) -> Scope:
        """Return the plan's values now."""
        return self._hub.scope()

    def open(self, entry: str, about: str) -> Case:
        """Return the entry for what is wrong. Raise `RefusedError` where there is no such thing."""
        case = self._of_plan(entry, about) if entry.startswith(_PLAN) else self._known(entry, about)
        if len(self._kept) > 200:
            self._kept.clear()
        self._kept[entry, about] = case
        return case

    def reopen(self, entry: str, about: str) -> Case:
        """Return it once more, also where that is no longer wrong: for a look that changes nothing."""
        try:
            return self.open(entry, about)
        except RefusedError:
            if (kept := self._kept.get((entry, about))) is not None:
                return kept
            raise

    def _known(self, name: str, about: str) -> Case:
        fit = self._known_issues.fits.get(about)
        match = fit.match(name) if fit is not None else None
        if fit is None or match is None:
            raise RefusedError(f"{about or 'nothing'} is not wrong in that way now", "look at the Overview again")
        row = fit.evidence.service
        target = self._hub.target_of(row.id or row.name) if row is not None else None
        env = values_of(fit.evidence, match.values, target, self._path(fit))
        kind = row.kind if row is not None else _NO_SERVICE
        return _case(match.entry, about, match, env, kind, fit)

    def _path(self, fit: Fit) -> str:
        check = fit.evidence.check
        if self._loaded is None or check is None or check.kind not in {"disk", "file"}:
            return ""
        spec = part_of(self._loaded.plan.checks, check.name)
        try:
            path = render(str(spec.config.get("path", "")), self.scope()) if spec is not None else ""
        except (MissingValueError, TemplateError):
            return ""
        return str(self._loaded.directory / path) if path else ""

    def _of_plan(self, entry: str, about: str) -> Case:
        index = entry.removeprefix(_PLAN)
        plan = self._loaded.plan.troubleshooting if self._loaded is not None else ()
        if not index.isdecimal() or int(index) >= len(plan):
            raise RefusedError(f"there is no troubleshooting entry {index}")
        trouble = plan[int(index)]
        fit = self._known_issues.fits.get(about)
        env: dict[str, str] = {}
        if fit is not None:
            row = fit.evidence.service
            env = values_of(fit.evidence, {}, self._hub.target_of(row.id or row.name) if row is not None else None)
        return Case(
            entry,
            about,
            trouble.symptom,
            f"the plan names it for {trouble.when}" if trouble.when else "",
            tuple(self._look(trouble, look) for look in trouble.diagnose),
            env,
            tuple(self._act(solution, trouble) for solution in trouble.solutions),
            fit,
            trouble.when is None or entry in self._known_issues.holding,
            tuple(one.subject for one in parse_alternatives(trouble.when)) if trouble.when else (),
            self.filled(trouble.cwd or ""),
        )

    def _look(self, trouble: TroubleshootingEntry, look: str | PlannedLook) -> CaseCommand:
        """Return a command that looks closer, with what it runs with."""
        if isinstance(look, str):
            return CaseCommand(look, "", trouble.env, self.machines(trouble.run_on))
        try:
            command = shlex.join(self.filled(word) for word in look.argv)
            machines = self.machines(look.run_on or trouble.run_on)
        except RefusedError as error:
            return CaseCommand(look.command, why_not=error.title)
        return CaseCommand(command, "", {**trouble.env, **look.env}, machines)

    @property
    def commands(self) -> Mapping[str, UsefulCommand]:
        """The useful commands of the plan."""
        return self._loaded.plan.commands if self._loaded is not None else {}

    def machines(self, run_on: str | None) -> tuple[str, ...]:
        """Return what ssh calls the machines on which a command runs; empty for here. Raise `RefusedError`."""
        if run_on is None or self._loaded is None:
            return ()
        return tuple(map(self.filled, self._loaded.plan.hosts[run_on].destinations))

    def filled(self, text: str) -> str:
        """Fill in a text. Raise `RefusedError` where that cannot be done yet."""
        try:
            return render(text, self.scope())
        except (MissingValueError, TemplateError) as error:
            raise RefusedError(f"{text!r} cannot be filled in yet: {error}") from error

    def _act(self, solution: Solution, trouble: TroubleshootingEntry) -> Act:
        view = solution_view(solution)
        if (why := _not_from_here(solution, trouble.run_on or "")) and view.command:
            return Act(replace(view, text=f"{view.text}: {why}. Its command: {view.command}", command=""))
        if view.confirm_text:
            try:
                typed = render(view.confirm_text, self.scope())
            except (MissingValueError, TemplateError):
                typed = view.confirm_text
            view = replace(view, confirm_text=typed)
        env = {**trouble.env, **solution.env}
        return Act(view, "", solution.run or "", env, solution.timeout, solution.confirm, solution.ask)

    def view_of(self, case: Case) -> KnownIssueView:
        """Return a case as a screen shows it."""
        return KnownIssueView(
            case.symptom,
            matches=True,
            diagnose=tuple(one.command for one in case.commands),
            id=case.id,
            about=(case.about,),
            acts=tuple(act.view for act in case.acts),
            because=(case.because,),
            shows=tuple(one.shows for one in case.commands),
        )


def _case(entry: KnownIssue, about: str, match: Match, env: Mapping[str, str], kind: str, fit: Fit) -> Case:
    commands = tuple(CaseCommand(look.command, look.text) for look in entry.looks if _applies(look, env, kind))
    row = fit.evidence.service
    acts = []
    for remedy in entry.remedies:
        if not _applies(remedy, env, kind):
            continue
        if remedy.action and (row is None or remedy.action not in row.actions):
            continue
        acts.append(_remedy(remedy, row.name if row is not None else ""))
    return Case(entry.id, about, entry.symptom, match.because, commands, env, tuple(acts), fit)


def _not_from_here(solution: Solution, run_on: str) -> str:
    """Say why a solution of the plan is for people alone; empty where it may be run."""
    confirm = solution.confirm
    if run_on:
        return f"it is for {run_on}, where only a step of the plan changes anything"
    if confirm is not None and confirm.persons > 1:
        return "it takes two persons, as only a step of the plan does"
    if confirm is not None and confirm.not_before:
        return "it has its own time, as only a step of the plan does"
    return ""


def _remedy(remedy: Remedy, name: str) -> Act:
    if remedy.action:
        tier = tier_of(remedy.action)
        effect: StepEffect = "destroys" if tier is Tier.TYPED else "changes"
        typed = name if tier is Tier.TYPED else ""
        view = SolutionView(remedy.text, f"{remedy.action} {name}", effect, tier is Tier.TYPED, typed)
        return Act(view, remedy.action)
    view = SolutionView(
        remedy.text, remedy.run, remedy.effect if remedy.run else "read", remedy.irreversible, remedy.confirm
    )
    return Act(view, "", remedy.run, timeout_s=remedy.timeout_s)


def _applies(one: DiagnosticCommand | Remedy, env: Mapping[str, str], kind: str) -> bool:
    if one.kinds and kind not in one.kinds:
        return False
    return all(name in env for name in one.needs) and (not one.tool or shutil.which(one.tool) is not None)
