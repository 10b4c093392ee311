"""What a run's templates are filled from: its variables, what its steps put out, its secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from switchover.migration.engine_ports import Secrets
from switchover.migration.facts.run_state import RunState
from switchover.migration.steps.captured_secrets import SealKey
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.templates import put_out_by
from switchover.plan.variables import Resolution, Scope, default_needs, resolve_variables
from switchover.redaction import SHORTEST, Redactor, sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["RunValues"]


class _Run(Protocol):
    @property
    def loaded(self) -> LoadedPlan: ...

    @property
    def state(self) -> RunState: ...


class RunValues:
    """The values of the newest run. Captured secrets are told apart: they show as marks but where they are needed."""

    def __init__(self, run: _Run, seal_key: SealKey, secrets: Secrets, environ: Mapping[str, str]) -> None:
        self.seal_key = seal_key
        self._run = run
        self._secrets = secrets
        self._environ = environ

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        base = self._base()
        return replace(base, values=dict(self.resolve(base).values))

    def resolve(self, base: Scope | None = None) -> Resolution:
        """Work out the variables as they stand."""
        state = self._run.state
        found = resolve_variables(self._run.loaded.plan, state.variables, state.outputs, base or self._base())
        marks = {name: mark for name in found.refused if (mark := self._mark_of(name))}  # not what it is, but known
        if not marks:
            return found
        refused = {name: why for name, why in found.refused.items() if name not in marks}
        return replace(found, values={**found.values, **marks}, refused=refused)

    def revealed_scope(self) -> Scope:
        """Return the scope with the real values of what was captured as a secret. Nothing of it may be written."""
        state = self._run.state
        if not state.sealed:
            return self.scope()
        opened = self._opened()
        outputs = {
            unit: {k: v for k, v in {**values, **opened.get(unit, {})}.items() if not self._is_shut(unit, k, opened)}
            for unit, values in state.outputs.items()
        }
        base = self._base()
        values = resolve_variables(self._run.loaded.plan, state.variables, outputs, base).values
        return replace(base, values=dict(values))

    def why_shut(self, variable: str) -> str:
        """Say why a variable that was captured as a secret cannot be opened here; empty where it can."""
        opened = self._opened()
        unit = next((unit for unit, output in self._sources_of(variable) if self._is_shut(unit, output, opened)), "")
        if not unit:
            return ""
        return f"step {unit} captured it as a secret, which only the key {self.seal_key.path} of that host opens"

    def captured_secrets(self) -> dict[str, str]:
        """Return what was captured and nobody may read, by step and output."""
        return self._named_secrets(self._opened())

    @staticmethod
    def _named_secrets(opened: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        return {
            f"{unit}.{name}": value
            for unit, values in opened.items()
            for name, value in values.items()
            if len(value.encode("utf-8", "surrogateescape")) >= SHORTEST
        }

    def secrets(self) -> dict[str, str]:
        """Return all secrets that could show up: fetched, captured, and those that lie in the environment anyway."""
        values = {
            name: self._environ[secret.ref.removeprefix("env:")]
            for name, secret in self._run.loaded.plan.secrets.items()
            if secret.ref.startswith("env:") and secret.ref.removeprefix("env:") in self._environ
        }
        return {**self.captured_secrets(), **values, **self._secrets.fetched}

    def clean(self, text: str) -> str:
        """Return text fit for journal and screen: no secrets, no control sequences."""
        return self._cleaned(text, {})

    def cleaner_for(self, unit: str, sealed: Mapping[str, str]) -> Callable[[str], str]:
        """Return a `clean` that knows what a unit has just captured as a secret, before that is on record."""
        own = self._named_secrets({unit: self.seal_key.open(sealed, self._run.state.run_id, unit)})
        return lambda text: self._cleaned(text, own)

    def _cleaned(self, text: str, more: Mapping[str, str]) -> str:
        return redact_unknown(sanitize(Redactor({**self.secrets(), **more}).redact(text)))

    def without_secrets(self, text: str) -> str:
        """Return text without the secrets that are known; nothing else of it is another."""
        return Redactor(self.secrets()).redact(text)

    def _base(self) -> Scope:
        state = self._run.state
        begun = {name: unit.last.started.at for name, unit in state.units.items() if unit.last is not None}
        if state.started is not None:
            begun["run"] = state.started.at
        scope = Scope.of(self._run.loaded.plan, self._run.loaded.directory, state.run_id)
        return replace(scope, moments=begun, run_ended_at=state.ended.at if state.ended is not None else None)

    def _sources_of(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield each step and output that a value is made of, also by way of defaults."""
        if (source := put_out_by(name)) is not None:
            yield source
        elif (variable := self._run.loaded.plan.vars.get(name)) is not None:
            for need in default_needs(variable):
                yield from self._sources_of(need)

    def _mark_of(self, variable: str) -> str:
        """Return what stands for a variable that was captured as a secret; empty where it was not."""
        state = self._run.state
        marks = (
            state.outputs.get(unit, {}).get(output, "")
            for unit, output in self._sources_of(variable)
            if output in state.sealed.get(unit, {})
        )
        return next(marks, "")

    def _is_shut(self, unit: str, output: str, opened: Mapping[str, Mapping[str, str]]) -> bool:
        return output in self._run.state.sealed.get(unit, {}) and output not in opened.get(unit, {})

    def _opened(self) -> dict[str, dict[str, str]]:
        """Return what was captured as a secret and can be opened here, by step."""
        state = self._run.state
        return {unit: self.seal_key.open(values, state.run_id, unit) for unit, values in state.sealed.items()}
