"""The plan that is being made: unique names, secrets as references, entries that know which keys they carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from switchover.importing.source_keys import KeyTally, Source, as_text

__all__ = ["PlanDraft", "duration", "each_of", "names_a_secret", "seconds", "text_of"]

_VARIABLE = re.compile(r"\$\$|\$\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?(?P<other>[^}]*)\}|\$(?P<bare>[A-Za-z_]\w*)")
_SECRET = re.compile(
    r"pass|pwd|secret|token|(?:api|access|private|encryption|signing)[_-]?key|credential|auth(?!ors?\b)|cookie|_key$|^key$",
    re.IGNORECASE,
)
_LONGEST_NAME = 64


class PlanDraft:
    """Sections of a plan, filled by the readers of formats."""

    def __init__(self, tally: KeyTally) -> None:
        self.tally = tally
        self.sections: dict[str, dict[str, dict[str, Any]]] = {"vars": {}, "secrets": {}, "services": {}, "checks": {}}
        self.sections["alerts"] = {}
        self.alerts: list[tuple[str, dict[str, Any]]] = []

    def add(self, section: str, wanted: str, entry: Mapping[str, Any], *carried: Source | None) -> str:
        """Add an entry that carries these parts of a file; return the name that it got."""
        taken = self.sections[section]
        base = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_")[: _LONGEST_NAME - 5] or "item"
        base = base if not base[0].isdigit() else f"_{base}"
        name = next(n for n in (base, *(f"{base}_{i}" for i in range(2, 100_000))) if n not in taken)
        taken[name] = {key: value for key, value in entry.items() if value is not None}
        for part in carried:
            if part is not None:
                part.carry((section, name))
        return name

    def secret(self, variable: str) -> str:
        """Refer to a secret that comes from a variable of the environment; return its template."""
        return f"{{{{ secret.{self._secret(variable)} }}}}"

    def variable(self, variable: str) -> str:
        """Refer to a value that a person gives; return its template."""
        name = self._referred("vars", variable, {"type": "str", "ask": f"the value of {variable}"})
        return f"{{{{ {name} }}}}"

    def fill_in(self, text: str, *, bare: bool = False) -> str | None:
        """Return a text with `${NAME}` as reference and `$$` as `$`. None for what cannot be referred to.

        A name that sounds like a secret becomes one. `bare`: `$NAME` counts too.
        """
        if "{{" in text or "}}" in text:
            return None
        wrong = False

        def one(found: re.Match[str]) -> str:
            nonlocal wrong
            if found[0] == "$$":
                return "$"
            name = found["braced"] or found["bare"]
            if found["bare"] and not bare:
                return found[0]
            if found["other"]:
                wrong = True
                return ""
            if found["default"] is not None and not _SECRET.search(name):
                return found["default"]
            return self.secret(name) if _SECRET.search(name) else self.variable(name)

        filled = _VARIABLE.sub(one, text)
        return None if wrong else filled

    def document(self, plan_id: str, title: str) -> dict[str, Any]:
        """Return the plan as plain data; what nothing refers to any more is left out."""
        used = repr([*(entry for part in ("services", "checks", "alerts") for entry in self.sections[part].values())])
        secrets = {n: e for n, e in self.sections["secrets"].items() if e.get("kept") or re.search(rf"\b{n}\b", used)}
        variables = {n: e for n, e in self.sections["vars"].items() if re.search(rf"\b{n}\b", used)}
        document: dict[str, Any] = {"schema": 1, "id": plan_id, "title": title}
        parts = {
            "vars": variables,
            "secrets": {name: {"ref": entry["ref"]} for name, entry in secrets.items()},
            "services": self.sections["services"],
            "checks": self.sections["checks"],
            "alerts": {
                **_named([(check, alert) for check, alert in self.alerts if check in self.sections["checks"]]),
                **self.sections["alerts"],
            },
        }
        return document | {name: part for name, part in parts.items() if part}

    def drop(self, section: str, name: str, why: str) -> None:
        """Take an entry out again; its keys are then not carried, for this reason."""
        self.sections[section].pop(name, None)
        self.tally.give_up((section, name), why)

    def _secret(self, variable: str) -> str:
        return self._referred("secrets", variable, {"ref": f"env:{variable}"})

    def _referred(self, section: str, variable: str, entry: dict[str, Any]) -> str:
        name = re.sub(r"\W", "_", variable).lower()[:60] or "value"
        name = name if not name[0].isdigit() else f"_{name}"
        if section == "vars" and name in {"run", "plan", "secret", "path", "step", "each"}:
            name = f"{name}_value"
        self.sections[section].setdefault(name, entry)
        return name

    def keep_secret(self, variable: str, *carried: Source) -> None:
        """Refer to a secret that the file holds in clear. The plan gets where it comes from, never the secret."""
        name = self._secret(variable)
        self.sections["secrets"][name]["kept"] = True
        for part in carried:
            part.carry(("secrets", name))


def names_a_secret(name: str) -> bool:
    """Say whether what goes by this name is a secret."""
    return bool(_SECRET.search(name))


def text_of(value: object) -> str:
    """Write a text as a literal of `expect`."""
    escaped = as_text(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def seconds(text: str) -> float | None:
    """Read a duration of Go: `500ms`, `1m30s`; a plain number is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        return None
    factors = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * factors[unit] for number, unit in parts)


def duration(value: float | None) -> str | None:
    """Write seconds as a plan does; nothing for what is no time."""
    if value is None or value <= 0 or value > 3e8:
        return None
    if value % 1:
        return f"{max(1, round(value * 1000))}ms"
    divided, unit = next((d, u) for d, u in ((3600, "h"), (60, "m"), (1, "s")) if value % d == 0)
    return f"{round(value / divided)}{unit}"


def each_of(source: Source | None) -> Iterable[Source]:
    """Return the items of a list, or the one value that stands in its place."""
    if source is None:
        return ()
    return source.children() if isinstance(source.value, list) else (source,)


def _named(alerts: list[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Name each alert by its check, and further ones of the same check by their number."""
    named: dict[str, dict[str, Any]] = {}
    for check, alert in alerts:
        name, number = check, 1
        while name in named:
            number += 1
            name = f"{check[:60]}_{number}"
        named[name] = alert
    return named
