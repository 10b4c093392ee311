"""What is mutated, and which fast tests must fall for it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AREAS", "related_tests"]

# Folder or file: the tests that know it. Slow ones are left to `make test`.
AREAS: dict[str, tuple[str, ...]] = {
    "tui/switchover/migration/facts": ("tests/unit/migration",),
    "tui/switchover/migration/rules": ("tests/unit/migration",),
    "tui/switchover/migration/run": ("tests/unit/migration",),
    "tui/switchover/redaction": ("tests/unit/redaction",),
    "checks/switchover_checks/unknown_secrets": ("tests/unit/redaction",),
    "tui/switchover/plan/rules": ("tests/unit/plan",),
    "tui/switchover/health": ("tests/unit/health", "tests/unit/hub"),
    "tui/switchover/alerts": ("tests/unit/alerts",),
}
# Where these stand they say little about one line and cost much.
_LAST = ("test_audit", "test_hanging", "test_dumps", "test_plan_verbs", "test_journal")


def related_tests(root: Path, path: str) -> list[str]:
    """Return the tests of a module, those that bear its name first."""
    (folders,) = [tests for area, tests in AREAS.items() if path.startswith(f"{area}/")]
    files = [file.relative_to(root).as_posix() for folder in folders for file in (root / folder).rglob("test_*.py")]
    words = set(Path(path).stem.split("_"))
    return sorted(files, key=lambda file: (_is_last(file), -len(words & set(Path(file).stem.split("_"))), file))


def _is_last(file: str) -> bool:
    return Path(file).name.startswith(_LAST)
