"""The file of what a person has yet to see, so that it outlives the agent."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from switchover.hub.services.dead_listeners import DeadListener, Listener
from switchover.private_files import read_private, replace_private
from switchover.snapshot import ServiceRow

__all__ = ["KeptLog", "UnseenFile", "UnseenState"]

_MOST_BYTES = 4 << 20
_FORM = 1


class KeptLog(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a thing wrote its log while it was there: a file, or what the journal knows it by. `lines` are its last."""

    path: str = ""
    match: str = ""
    lines: tuple[str, ...] = ()


class UnseenState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is kept. `live` is what listens, by port, and counts only for the boot of the machine that it names."""

    failed: Mapping[str, ServiceRow] = {}
    kept: tuple[ServiceRow, ...] = ()
    seen: Mapping[str, str] = {}
    dead: Mapping[str, DeadListener] = {}
    live: Mapping[str, Listener] = {}
    boot: str = ""
    logs: Mapping[str, KeptLog] = {}
    form: int = _FORM


class UnseenFile:
    """Reads and writes it whole. One that cannot be read is reported in `trouble`, and left as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = b""
        self._writing = threading.Lock()
        self.trouble = ""
        self._foreign = False

    def read(self) -> UnseenState:
        """Return what is kept; nothing where there is no file yet, or it cannot be read."""
        try:
            data = read_private(self._path, _MOST_BYTES)
            state = msgspec.json.decode(data, type=UnseenState)
        except FileNotFoundError:
            return UnseenState()
        except OSError as error:
            return self._refuse(error.strerror or str(error))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._refuse("it is damaged, or of another version")
        if state.form != _FORM:
            return self._refuse(f"it is of another version: {state.form}")
        self._written = data
        return state

    def write(self, state: UnseenState) -> None:
        """Keep `state` where it is another than what was written last. Blocks."""
        data = msgspec.json.encode(state)
        with self._writing:
            if data == self._written or self._foreign:
                return
            try:
                replace_private(self._path, data)
            except OSError as error:  # a full disk must not end the watch; it is kept in memory
                self.trouble = f"an agent that starts anew will not know of it: {self._path}: {error.strerror}"
            else:
                self._written, self.trouble = data, ""

    def _refuse(self, why: str) -> UnseenState:
        self._foreign = True
        self.trouble = f"{self._path} cannot be read: {why}; nothing is written there until it is moved away"
        return UnseenState()
