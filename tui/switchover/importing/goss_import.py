"""`goss`: what a machine must be like. Each resource becomes a check, and files that `gossfile` names are read too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from switchover.errors import UsageError
from switchover.importing.goss_host_resources import HOST_RESOURCES
from switchover.importing.goss_network_resources import NETWORK_RESOURCES
from switchover.importing.goss_resource import Resource
from switchover.importing.import_api import ImportFormat
from switchover.importing.plan_draft import PlanDraft
from switchover.importing.source_keys import Source, read_source

__all__ = ["GossImport"]

_READERS: Mapping[str, Callable[[Resource], None]] = {**HOST_RESOURCES, **NETWORK_RESOURCES}
_OTHERS = {"gossfile", "matching", "interface"}
_DEEPEST = 20


class GossImport(ImportFormat):
    """Reads a goss file."""

    kind: ClassVar[str] = "goss"

    def fits(self, root: Source) -> bool:
        """Say whether all of its sections are those of goss."""
        names = {child.name for child in root.children()}
        return bool(names & {*_READERS, *_OTHERS}) and "services" not in names and "endpoints" not in names

    def read(self, root: Source, draft: PlanDraft) -> None:
        """Add a check for each resource."""
        self._read(root, draft, (root.file.absolute(),))

    def _read(self, root: Source, draft: PlanDraft, above: tuple[Path, ...]) -> None:
        for section in root.children():
            if section.name == "gossfile":
                for included in section.children():
                    self._include(included, draft, above)
            elif section.name not in _READERS:
                section.leave(f"there is no check that stands for {section.name!r}")
            else:
                for found in section.children():
                    if found.text("skip") == "true":
                        found.leave("it is skipped there")
                    elif not found.templated:
                        _READERS[section.name](Resource(found, section.name, draft))

    def _include(self, included: Source, draft: PlanDraft, above: tuple[Path, ...]) -> None:
        """Read the files that an entry names; relative to its own file, with wildcards."""
        pattern = included.text("file") or included.name
        if included.templated:
            return
        if included.text("skip") == "true":
            included.leave("it is skipped there")
            return
        folder = included.file.parent
        try:
            files = sorted(folder.glob(pattern)) if not pattern.startswith("/") else [Path(pattern)]
        except (ValueError, NotImplementedError, IndexError):
            files = []
        files = [file for file in files if file.is_file()]
        if not files:
            included.leave(f"there is no file {pattern}")
        for file in files:
            if file.absolute() in above or len(above) > _DEEPEST:
                included.leave(f"it includes itself: {file.name}")
                continue
            if any(str(file) == known for known, _ in draft.tally.keys):
                included.carry(("files", str(file)))
                continue
            try:
                root = read_source(file, draft.tally)
            except UsageError as error:
                included.leave(error.title)
                continue
            included.carry(("files", str(file)))
            self._read(root, draft, (*above, file.absolute()))
