"""One resource of a goss file on its way to a check."""

from __future__ import annotations

from typing import Any

from switchover.importing.plan_draft import PlanDraft, duration
from switchover.importing.source_keys import Source

__all__ = ["Resource"]


class Resource:
    """Collects what a check takes, and which keys of the resource that carries."""

    def __init__(self, source: Source, section: str, draft: PlanDraft) -> None:
        self.source = source
        self.section = section
        self.draft = draft
        self.carried: list[Source] = []

    @property
    def id(self) -> str:
        """The name under which it stands."""
        return self.source.name

    def take(self, *names: str) -> Any:
        """Return the value of a key and note that it is carried. None where it is not there, or a template."""
        found = self.source.get(*names)
        if found is None or found.templated:
            return None
        self.carried.append(found)
        return found.value

    def text(self, *names: str) -> str:
        """Return the text of a key and note that it is carried."""
        found = self.source.get(*names)
        if found is None or not found.text():
            return ""
        self.carried.append(found)
        return found.text()

    def flag(self, *names: str, usual: bool = True) -> bool:
        """Return whether a key is true and note that it is carried."""
        found = self.source.get(*names)
        if found is None or not isinstance(found.value, bool):
            return usual
        self.carried.append(found)
        return found.value

    def timeout(self) -> str | None:
        """Return the timeout, which goss writes in milliseconds."""
        found = self.source.get("timeout")
        if found is None or isinstance(found.value, bool) or not isinstance(found.value, int | float):
            return None
        if (written := duration(found.value / 1000)) is not None:
            self.carried.append(found)
        return written

    def add(self, check: dict[str, Any], *, suffix: str = "", only: list[Source] | None = None) -> None:
        """Add the check with what was collected, or with `only` these parts."""
        parts = self.carried if only is None else only
        title = self.text("title") if only is None else ""
        if not list(self.source.children()):
            parts = [self.source]
        entry = {"kind": check.pop("kind"), "title": title or None, **check}
        if only is None and "timeout" not in entry:
            entry["timeout"] = self.timeout()
        self.draft.add("checks", f"{self.section}_{self.id}{suffix}", entry, *parts)
