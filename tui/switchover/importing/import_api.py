"""What a reader of a format is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from switchover.importing.plan_draft import PlanDraft
from switchover.importing.source_keys import Source

__all__ = ["ImportFormat"]


class ImportFormat(ABC):
    """Reads one format. What it does not carry stays in the tally as not carried."""

    kind: ClassVar[str]

    @abstractmethod
    def fits(self, root: Source) -> bool:
        """Say whether a file looks like this format."""

    @abstractmethod
    def read(self, root: Source, draft: PlanDraft) -> None:
        """Add what the file means to the plan. Never raises for what a person wrote in it."""
