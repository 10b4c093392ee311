"""From plain data to the model. What does not fit is reported and left out, so that the rules can judge the rest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from switchover.plan.complaints import Complaint, Path
from switchover.plan.loader.document import Document
from switchover.plan.model import Plan
from switchover.plan.type_errors import describe_errors

__all__ = ["ModelReading", "read_model"]

_ROUNDS = 50
_ROOT_STUBS: Mapping[str, Any] = {"schema": 1, "id": "unnamed", "title": "unnamed"}
# Keys without which the rest of an entry can still be judged.
_FILLED_IN = frozenset({"id", "title", "name", "symptom", "text"})
# What takes the place of a list entry that cannot be read, so that the entries after it keep their index.
_ENTRY_STUBS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("phases", "phases"): {"id": "unreadable"},
    ("phases", "steps"): {"id": "unreadable", "checklist": ["unreadable"]},
    ("rollbacks", "steps"): {"run": "true"},
    ("troubleshooting", "troubleshooting"): {"symptom": "unreadable"},
    ("troubleshooting", "solutions"): {"text": "unreadable"},
    ("costs", "lines"): {"name": "unreadable", "side": "", "stated": "0 USD/month"},
    ("contacts", "contacts"): {"name": "unreadable"},
    ("runbooks", "runbooks"): {"title": "unreadable", "url": ""},
}


@dataclass(frozen=True, slots=True)
class ModelReading:
    """The usable part of the plan (None where nothing is), the complaints, and the paths that were left out."""

    plan: Plan | None
    complaints: list[Complaint] = field(default_factory=list)
    left_out: frozenset[Path] = frozenset()

    def covers(self, path: Path) -> bool:
        """Say whether `path` lies in a part that could be read, so that a rule may speak about it."""
        return not any(path[: len(part)] == part for part in self.left_out)


def read_model(document: Document, data: dict[str, Any]) -> ModelReading:
    """Fit plain data to the model."""
    complaints: list[Complaint] = []
    left_out: set[Path] = set()
    data = copy.deepcopy(data)
    for number in range(_ROUNDS):
        try:
            return ModelReading(Plan.model_validate(data), complaints, frozenset(left_out))
        except ValidationError as error:
            details = error.errors(include_url=False)
            if number == 0:
                complaints = describe_errors(details, document.known_part)
            for detail in details:
                left_out.add(_leave_out(data, detail["loc"], missing=detail["type"] == "missing"))
    return ModelReading(None, complaints)


def _leave_out(data: dict[str, Any], location: Path, *, missing: bool) -> Path:
    """Remove the deepest part of `data` that a location names. For a missing key, remove the object that lacks it."""
    if missing and len(location) == 1:
        data[str(location[0])] = _ROOT_STUBS.get(str(location[0]))
        return location
    holder: Any = data
    here: Any = data
    path: Path = ()
    for part in location[:-1] if missing else location:
        inside = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if inside:
            holder, here, path = here, here[part], (*path, part)
    if not path:
        return path
    if missing and isinstance(here, dict) and location[-1] in _FILLED_IN:
        here[str(location[-1])] = "unnamed_" + "_".join(str(part) for part in path if isinstance(part, int))
        return location
    last = path[-1]
    if isinstance(holder, list):
        names = [str(part) for part in path if isinstance(part, str)]
        stub = _ENTRY_STUBS.get((names[0], names[-1]))
        entry: Any = "unreadable" if stub is None else dict(stub)
        if stub is not None and "id" in stub:
            entry["id"] = "unnamed_" + "_".join(str(part) for part in path if isinstance(part, int))
        holder[int(last)] = entry
        if names[0] == "vars":
            return path[:2]  # a choice: nothing can be said about the variable's other keys without it
    elif holder is data and last in _ROOT_STUBS:
        data[str(last)] = _ROOT_STUBS[str(last)]
    else:
        holder.pop(last, None)
    return path
