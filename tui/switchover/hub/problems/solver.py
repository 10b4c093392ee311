"""Runs a solution of a troubleshooting entry: with its own effect and confirmation, once at a time, and on record."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from switchover.clock import Clock
from switchover.errors import RefusedError, SwitchoverError
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import TriageHub
from switchover.hub.problems.case_commands import answers_for, filled_env
from switchover.hub.problems.cases import Act, Case, Cases
from switchover.hub.problems.diagnosis import run_bounded
from switchover.migration.facts.operator import Operator
from switchover.plan.secrets.secret_store import SecretSource
from switchover.snapshot.tiers import Tier, tier_of
from switchover_checks.api import Status
from switchover_checks.language.units import format_duration

__all__ = ["YES", "ServiceAct", "Solver"]

YES = "yes"  # what a client says that has asked a person
_WORD_HOLDS_S = 600.0  # what was confirmed longer ago, and not run, is confirmed anew


class ServiceAct(Protocol):
    """Does something to services; see `Hub.act`."""

    def __call__(
        self,
        items: Sequence[tuple[str, str, float | None]],
        action: str,
        argument: str,
        confirmation: str,
        operator: Operator,
    ) -> Awaitable[Sequence[Mapping[str, Any]]]:
        """Do it, and report for each what came of it."""
        ...


class Solver:
    """Runs solutions. `secrets` gives what a solution's environment names."""

    def __init__(
        self,
        cases: Cases,
        operations: Operations,
        act: ServiceAct,
        directory: Path,
        hub: TriageHub,
        clock: Clock,
        *,
        secrets: SecretSource | None = None,
        read_only: bool = False,
    ) -> None:
        self._cases = cases
        self._operations = operations
        self._act = act
        self._directory = directory
        self._hub = hub
        self._clock = clock
        self._secrets = secrets
        self._read_only = read_only
        self._under_way: set[tuple[str, str]] = set()
        self._cooling: dict[tuple[str, str, int], float] = {}  # when what has to cool down was confirmed

    async def run(
        self,
        entry: str,
        about: str,
        solution: int,
        confirmation: str,
        operator: Operator,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[str, int, str]:
        """Run a solution of an entry that fits now; return (command, exit code, output).

        `confirmation` is what was typed where it asks for that, else `yes`; nothing where it only reads. `answers` are
        those to what it asks. Raise `RefusedError` where it may not run, or runs already.
        """
        if self._read_only:
            raise RefusedError("solutions are not run here", "this session is read-only")
        case = self._cases.open(entry, about)
        if not 0 <= solution < len(case.acts):
            raise RefusedError(f"the entry has no solution {solution + 1}", "it may have changed: look again")
        act = case.acts[solution]
        if not act.run and not act.action:
            raise RefusedError("that is for a person to do", act.view.text)
        self._check(case, act, confirmation)
        answered = answers_for(act.ask, answers or {})
        key = (entry, about)
        if key in self._under_way:
            raise RefusedError(f"a solution for {about or case.symptom} runs already", "wait until it has ended")
        if act.confirm is not None and act.confirm.cooldown:
            self._cool_down((entry, about, solution), act.confirm.cooldown)
        self._under_way.add(key)
        try:
            if act.action:
                return await self._of_service(case, act, confirmation, operator)
            return await self._command(case, act, operator, answered)
        finally:
            self._under_way.discard(key)
            if act.view.effect != "read":
                self._hub.follow_up(case.subjects)

    def _check(self, case: Case, act: Act, confirmation: str) -> None:
        view = act.view
        if view.confirm_text or view.irreversible or view.effect == "destroys":
            if not view.confirm_text:
                raise RefusedError(f"“{view.text}” destroys, and has no confirmation", "add `confirm:` to the plan")
            if confirmation != view.confirm_text:
                raise RefusedError("this destroys, and was not confirmed", f"type exactly: {view.confirm_text}")
        elif view.effect != "read" and confirmation != YES:
            raise RefusedError(f"“{view.text}” changes something, and was not confirmed", "confirm it with yes")
        if not case.holds and view.effect != "read":
            raise RefusedError(f"“{case.symptom}” is not so any more; nothing was done", "look at the Overview again")
        self._check_age(case)
        confirm = act.confirm
        if confirm is None:
            return
        bad = [name for name in confirm.require if self._hub.status_of(name) is not Status.OK]
        if bad:
            raise RefusedError(f"this needs {', '.join(bad)} to be fine first", "look at the checks: 3")

    def _cool_down(self, key: tuple[str, str, int], cooldown: float) -> None:
        """Refuse what was not confirmed well before, once: the first word only begins the time to think."""
        now = self._clock.now()
        confirmed = self._cooling.get(key)
        if confirmed is None or not 0 <= now - confirmed <= cooldown + _WORD_HOLDS_S:
            self._cooling[key] = confirmed = now
        left = cooldown - (now - confirmed)
        if left > 0:
            raise RefusedError(
                f"nothing was done yet: it cools down for {format_duration(left)}", "confirm it once more after that"
            )
        del self._cooling[key]

    def _check_age(self, case: Case) -> None:
        """Refuse to change what nobody has seen lately."""
        row = case.fit.evidence.service if case.fit is not None else None
        if row is None or row.observed_at is None:
            return
        age = self._clock.now() - row.observed_at
        if age > row.stale_after_s:
            raise RefusedError(f"{row.name} was last seen {format_duration(age)} ago", "wait until it is seen again")

    async def _of_service(self, case: Case, act: Act, confirmation: str, operator: Operator) -> tuple[str, int, str]:
        row = case.fit.evidence.service if case.fit is not None else None
        if row is None:
            raise RefusedError("there is no service that this could be done to")
        typed = confirmation if tier_of(act.action) is Tier.TYPED else ""
        item = (row.id or row.name, row.identity, row.observed_at)
        result = (await self._act([item], act.action, "", typed, operator))[0]
        return f"{act.action} {row.name}", 0 if result.get("ok") else 1, str(result.get("text", ""))

    async def _command(
        self, case: Case, act: Act, operator: Operator, answers: Mapping[str, str]
    ) -> tuple[str, int, str]:
        own = await filled_env(act.env, self._cases.scope(), self._secrets) if act.env else {}
        env = {**own, **answers}
        ended: list[tuple[str, int, str]] = []

        async def work() -> str:
            ended.append(
                await run_bounded(
                    act.run,
                    self._directory / case.cwd,
                    environment={**case.env, **env},
                    timeout_s=act.timeout_s,
                    redact=self._hub.redact,
                    secrets=self._secrets,
                    leaves=True,
                )
            )
            code = ended[0][1]
            if code:
                raise _FailedError(f"exit {code}")
            return "done"

        subject = case.about or case.symptom
        said = f"{act.view.text} ({', '.join(f'{k}={v}' for k, v in answers.items())})" if answers else act.view.text
        with suppress(_FailedError):
            await self._operations.perform(
                operator, "solution", subject, work, kind="trouble", argument=said, command=act.run
            )
        return ended[0]


class _FailedError(SwitchoverError):
    """A solution's command ended with another exit code than 0."""
