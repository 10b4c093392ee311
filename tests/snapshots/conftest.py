"""Snapshots are drawn in UTC, so that they are the same everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.support.ui_idle import waits_without_sleeping

__all__ = ["utc", "waits_without_sleeping"]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
