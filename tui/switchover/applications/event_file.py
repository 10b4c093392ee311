"""Keeps what applications told for 7 days, in a SQLite file, so that an agent's restart forgets nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from switchover.applications.app_events import AppEvent
from switchover.applications.workflows import KEPT_S
from switchover.private_files import open_private

__all__ = ["EventFile"]

_MOST_EVENTS = 100_000
_TABLE = "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL)"


class EventFile:
    """Plain blocking calls: the agent makes them in a thread. Each raises `OSError` where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, now: float) -> list[AppEvent]:
        """Return the events of the last 7 days, oldest first; none where nothing was kept. A torn one is left out."""
        if not self._path.exists():
            return []
        found = []
        with closing(self._open()) as line:
            try:
                rows = line.execute("SELECT body FROM event WHERE at >= ? ORDER BY id", (now - KEPT_S,)).fetchall()
            except sqlite3.Error as error:
                raise OSError(f"{self._path}: {error}") from error
        for (body,) in rows:
            try:
                found.append(msgspec.json.decode(body, type=AppEvent))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return found

    def add(self, events: Iterable[AppEvent], now: float) -> None:
        """Keep events, all or none, and drop what is older than 7 days or too much."""
        rows = [(event.at, msgspec.json.encode(event)) for event in events]
        with closing(self._open()) as line:
            try:
                line.execute("BEGIN IMMEDIATE")
                line.executemany("INSERT INTO event (at, body) VALUES (?, ?)", rows)
                line.execute(
                    "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ? OR at < ?",
                    (_MOST_EVENTS, now - KEPT_S),
                )
                line.execute("COMMIT")
            except sqlite3.Error as error:
                raise OSError(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        os.close(open_private(self._path, os.O_RDWR | os.O_CREAT))
        try:
            line = sqlite3.connect(f"file:{quote(os.fsencode(self._path))}?mode=rw", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise OSError(f"{self._path}: {error}") from error
        try:
            line.execute("PRAGMA journal_mode=WAL")
            line.execute("PRAGMA synchronous=NORMAL")
            line.execute(_TABLE)
        except sqlite3.Error as error:
            line.close()
            raise OSError(f"{self._path}: {error}") from error
        return line
