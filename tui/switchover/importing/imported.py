"""Reads files in, and makes a plan that validates of what can be carried."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from switchover.errors import PlanError, UsageError
from switchover.importing.import_api import ImportFormat
from switchover.importing.plan_draft import PlanDraft
from switchover.importing.source_keys import Key, KeyTally, read_source
from switchover.plan.loader.load import load_plan_text
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["Imported", "import_files", "import_formats"]

_PACKAGE = "switchover.importing"
_REFERENCE = re.compile(r"\{\{ [\w.]+ \}\}")
_ITEM = re.compile(r"(checks|services|alerts|vars|secrets)\.([A-Za-z_][A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Imported:
    """A plan as text, and what became of the keys of the files."""

    text: str
    checks: int
    services: int
    carried: Sequence[Key]
    lost: Sequence[Key]
    notes: Sequence[Key]


def import_formats() -> Mapping[str, str]:
    """Return the formats that can be read, each with its class."""
    return declared(_PACKAGE)


def import_files(files: Sequence[Path], plan_id: str, form: str = "") -> Imported:
    """Read files into one plan. Raise `UsageError` for one that cannot be read, or is of no known format."""
    tally = KeyTally()
    draft = PlanDraft(tally)
    for file in files:
        root = read_source(file, tally)
        names = [form] if form else [name for name in import_formats() if _format(name).fits(root)]
        if not names:
            known = ", ".join(import_formats())
            raise UsageError(f"{file} is of no format that is known: {known}", "say which with --format")
        _format(names[0]).read(root, draft)
    title = "Imported from " + ", ".join(file.name for file in files)
    text = _sound(draft, plan_id, redact_unknown(title)[:200])
    parts = draft.sections
    return Imported(text, len(parts["checks"]), len(parts["services"]), tally.carried, tally.lost, tally.notes)


def _format(name: str) -> ImportFormat:
    return cast("ImportFormat", load_declared(_PACKAGE, name)())


def _sound(draft: PlanDraft, plan_id: str, title: str) -> str:
    """Return a plan that the loader takes. An entry that it refuses goes, and its keys are listed."""
    for section in ("services", "checks", "alerts"):
        for name, entry in list(draft.sections[section].items()):
            if _holds_a_secret(entry):
                draft.drop(section, name, "something in it looks like a secret, which a plan never holds")
    for _, alert in draft.alerts:
        if _holds_a_secret(alert):
            alert.pop("text", None)
    while True:
        text = _written(draft.document(plan_id, title))
        try:
            load_plan_text(text, Path("imported.yaml"))
        except PlanError as error:
            refused = {found.groups(): p.message for p in error.problems if (found := _ITEM.match(p.path))}
            for (section, name), why in refused.items():
                draft.drop(section, name, why)
            if not refused:
                _drop_all(draft, error)
            continue
        return text


def _holds_a_secret(value: Any, key: str = "") -> bool:
    """Say whether more than references stands in a part of the plan. `key` is what it goes by."""
    if isinstance(value, Mapping):
        named = value.items()
        return any(_holds_a_secret(v, str(k)) for k, v in named if k not in ("password", "bearer", "ref"))
    if isinstance(value, list):
        return any(_holds_a_secret(item, key) for item in value)
    if not isinstance(value, str):
        return False
    pieces = _REFERENCE.split(value)
    if len(pieces) == 1:
        pieces.append(json.dumps({key: value}))
    return any(redact_unknown(piece) != piece for piece in pieces)


def _drop_all(draft: PlanDraft, error: PlanError) -> None:
    """Give up everything where the loader's complaint names no entry; an empty plan is always taken."""
    if draft.alerts:
        draft.alerts.clear()
        return
    entries = [(section, name) for section in draft.sections for name in draft.sections[section]]
    if not entries:
        raise error
    for section, name in entries:
        draft.drop(section, name, error.problems[0].message)


def _written(document: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 120
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()
