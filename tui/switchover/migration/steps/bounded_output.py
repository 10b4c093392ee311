"""The output of a step, bounded while it is written, and searched for what the plan captures.

Standard library only: the launcher loads this file on its own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

LONGEST_LINE = 1 << 16
LONGEST_VALUE = 4096
LONGEST_JSON = 1 << 20
_MOST_LINES_TRIED = 100
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[(-?[0-9]+)\]")


class BoundedOutput:
    """What the command wrote, bounded: its beginning, and the last one to two segments of the rest.

    Each file is named after the offset at which it starts (`out-0000000000000000`). So a reader can follow by absolute
    offset and sees what was dropped between.
    """

    def __init__(self, directory: str, head_bytes: int, segment_bytes: int) -> None:
        self.directory = directory
        self.head_bytes = head_bytes
        self.segment_bytes = segment_bytes
        self.total = 0
        self.lost = False
        self.descriptor = -1
        self.room = 0
        self.tail: list[str] = []

    @property
    def gone(self) -> bool:
        """Whether what was written was taken away meanwhile, as a whole or in part."""
        kept = [f"{self.directory}/out-{0:016d}", *self.tail] if self.total and not self.lost else []
        return not all(map(os.path.exists, kept))

    def write(self, data: bytes) -> None:
        """Append. A full disk loses output, never the step."""
        view = memoryview(data)
        while view:
            try:
                if self.room == 0 or self.descriptor < 0:
                    self._next()
                count = os.write(self.descriptor, view[: self.room])
            except OSError:
                self.lost = True
                self.total += len(view)
                self._close()
                return
            self.total += count
            self.room -= count
            view = view[count:]

    def _next(self) -> None:
        self._close()
        first = self.total == 0
        path = f"{self.directory}/out-{self.total:016d}"
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.room = self.head_bytes if first else self.segment_bytes
        if not first:
            self.tail.append(path)
            while len(self.tail) > 2:
                with suppress(OSError):
                    os.unlink(self.tail.pop(0))  # noqa: PTH108 - no pathlib

    def _close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
        self.room = 0


class JsonOutput:
    """Keeps what is written until all of it can be read as JSON; else the last line that can be."""

    def __init__(self) -> None:
        self.data = b""
        self.too_long = False

    def feed(self, data: bytes) -> None:
        """Keep it; more than `LONGEST_JSON` is not looked at."""
        self.too_long = self.too_long or len(self.data) + len(data) > LONGEST_JSON
        self.data = b"" if self.too_long else self.data + data

    def values(self, paths: dict[str, str]) -> dict[str, str]:
        """Return what stands at the paths; nothing where there is no such value."""
        root = self._read()
        found = {name: _at(root, path) for name, path in paths.items()}
        return {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in found.items()
            if value is not None
        }

    def _read(self) -> Any:
        text = self.data.decode("utf-8", "replace").strip()
        for part in (text, *reversed(text.splitlines()[-_MOST_LINES_TRIED:])):
            with suppress(ValueError, RecursionError):
                root = json.loads(part)
                if isinstance(root, dict | list) and (not isinstance(root, dict) or set(root) != {"progress"}):
                    return root
        return None


def _at(here: Any, path: str) -> Any:
    for match in _PATH_PART.finditer(path):
        try:
            here = here[match[1]] if match[1] else here[int(match[2])]
        except (KeyError, IndexError, TypeError):
            return None
    return here


class Captures:
    """Finds the last match of each pattern in the lines that go by. Finds values in JSON too.

    A pattern behind a zero byte is a path into the JSON that all of it is. Where such a value is hidden, nothing can be
    let go before the end.
    """

    def __init__(self, patterns: dict[str, str], hidden: Sequence[str] = ()) -> None:
        self.paths = {name: pattern[1:] for name, pattern in patterns.items() if pattern[:1] == "\0"}
        self.patterns = {
            name: re.compile(pattern, re.MULTILINE) for name, pattern in patterns.items() if name not in self.paths
        }
        self.hidden = frozenset(hidden)
        self.document = JsonOutput() if self.paths else None
        self.waits_for_all = bool(self.hidden & self.paths.keys())
        self.values: dict[str, str] = {}
        self.secrets: dict[str, str] = {}  # all values that hidden ones ever had
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Look at the lines that are complete now."""
        if self.document is not None:
            self.document.feed(data)
        if not self.patterns:
            return
        data = self.rest + data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > LONGEST_LINE:
            end = len(data)
        self.rest = data[end:]
        self._look(data[:end])

    def finish(self) -> None:
        """Look at a last line without an end."""
        self._look(self.rest)
        self.rest = b""
        values = self.document.values(self.paths) if self.document is not None else {}
        for name, value in values.items():
            if len(value) <= LONGEST_VALUE:
                self._found(name, value)
                self._found(name, json.dumps(value)[1:-1], shown=False)

    def _found(self, name: str, value: str, *, shown: bool = True) -> None:
        if shown:
            self.values[name] = value
        if name in self.hidden and value not in self.secrets.values():
            count = sum(1 for other in self.secrets if other.partition(" ")[0] == name)
            self.secrets[f"{name} {count + 1}" if count else name] = value

    def _look(self, data: bytes) -> None:
        if not data:
            return
        text = data.decode("utf-8", "replace").replace("\r\n", "\n")
        for name, pattern in self.patterns.items():
            for match in pattern.finditer(text):
                value = match[1] if pattern.groups else match[0]
                if value is not None and len(value) <= LONGEST_VALUE:
                    self._found(name, value)
