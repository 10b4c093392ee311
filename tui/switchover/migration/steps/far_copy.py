"""The copy here of what a step wrote on another machine: uncovered, redacted, bounded, like the output of any step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from switchover.hosts.there.keystream import Keystream
from switchover.migration.steps.bounded_output import BoundedOutput, Captures
from switchover.migration.steps.sealing import unseal
from switchover.redaction import Redactor

__all__ = ["FarCopy"]

_MARGIN = 64
_LONGEST_FORM = 8


class FarCopy:
    """Written from the beginning of the output each time that somebody begins to follow it."""

    def __init__(
        self, directory: Path, key: bytes, secrets: Mapping[str, str], patterns: Mapping[str, str], kept: int
    ) -> None:
        for path in directory.glob("out-*"):
            with suppress(OSError):
                path.unlink()
        self.offset = 0
        self._skip = 0
        self.veiled = Captures(dict(patterns))
        self._key = key
        self._stream = Keystream(key)
        self._secrets = dict(secrets)
        self._redactor = Redactor(self._secrets)
        self._output = BoundedOutput(str(directory), max(1, kept // 2), max(1, kept // 4))

    @property
    def lost(self) -> bool:
        """Whether some could not be written here."""
        return self._output.lost

    @property
    def total(self) -> int:
        """How much was written here."""
        return self._output.total

    def take(self, offset: int, covered: bytes) -> None:
        """Take what stands at `offset` of the output there."""
        if offset + len(covered) <= self.offset:
            return
        if offset < self.offset:
            covered, offset = covered[self.offset - offset :], self.offset
        data = self._stream.cross(offset, covered)
        if offset > self.offset:
            self._write(self._redactor.finish(cut=True) + b"\n[%d bytes were not kept]\n" % (offset - self.offset))
            self._redactor = Redactor(self._secrets)
            # What follows may begin in the middle of a secret, in a form that is longer than itself.
            self._skip = _MARGIN + _LONGEST_FORM * max(map(len, self._secrets.values()), default=0)
        self.offset = offset + len(covered)
        self._skip, data = max(0, self._skip - len(data)), data[self._skip :]
        self._write(self._redactor.feed(data))

    def hide(self, sealed: Mapping[str, str]) -> None:
        """Keep values out from here on that the step printed for later steps and nobody may read."""
        opened = {name: unseal(self._key, value, "hidden") for name, value in sealed.items()}
        more = {name: value for name, value in opened.items() if value and value not in self._secrets.values()}
        if more:
            self._write(self._redactor.finish(cut=False))
            self._secrets.update(more)
            self._redactor = Redactor(self._secrets)

    def rest(self) -> None:
        """Let go of what nobody should wait for."""
        if self._redactor.holds:
            self._write(self._redactor.rest())

    def finish(self) -> None:
        """Take the end."""
        self._write(self._redactor.finish(cut=True))
        self.veiled.finish()
        self._redactor = Redactor(self._secrets)

    def _write(self, data: bytes) -> None:
        self._output.write(data)
        self.veiled.feed(data)
