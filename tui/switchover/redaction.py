"""Keeping secrets out of what is written, and control sequences out of what is shown.

Standard library only and free of imports from this project: the step launcher loads this file on its own.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

__all__ = ["Redactor", "neutralise", "secret_forms"]

SHORTEST = 4  # bytes; anything shorter would blot out ordinary text


def secret_forms(value: str) -> tuple[set[bytes], set[bytes]]:
    """Return the forms in which a secret may turn up: as it is (and quoted, escaped, hex), and inside base64.

    The second set may be broken by line ends, as `base64` wraps its lines.
    """
    raw = value.encode("utf-8", "surrogateescape")
    texts = {value, *(line.strip() for line in value.splitlines())}
    plain: set[bytes] = set()
    for text in texts:
        data = text.encode("utf-8", "surrogateescape")
        if len(data) < SHORTEST:
            continue
        plain |= {data, data.hex().encode(), data.hex().upper().encode()}
        for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]):
            form = escaped.encode("utf-8", "surrogateescape")
            plain |= {form, form.replace(b"/", b"\\/")}
        for url in (quote(data, safe=""), quote(data), quote_plus(data), quote_plus(data, safe="/")):
            plain |= {url.encode(), re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), url).encode()}
        plain.add(data.replace(b"'", b"'\"'\"'"))
        plain.add(data.replace(b"'", b"'\\''"))
    wrapped: set[bytes] = set()
    if len(raw) >= SHORTEST:
        for shift in range(3):
            # Only the characters that no neighbour's bits reach are the same in every base64 text around the secret.
            first = -(-shift * 8 // 6)
            last = (shift + len(raw)) * 8 // 6
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                form = encode(b"\0" * shift + raw)[first:last]
                if len(form) >= SHORTEST:
                    wrapped.add(form)
    return {form for form in plain if len(form) >= SHORTEST}, wrapped - plain


class Redactor:
    """Replaces secrets in a stream by `(secret NAME)`, whatever the chunks it comes in.

    Only what may be the beginning of a secret is held back, so a prompt without a line end shows at once.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._plain: list[tuple[bytes, bytes]] = []
        self._wrapped: list[tuple[bytes, bytes]] = []
        for name, value in secrets.items():
            mark = f"(secret {name})".encode()
            plain, wrapped = secret_forms(value)
            self._plain += [(form, mark) for form in sorted(plain)]
            self._wrapped += [(form, mark) for form in sorted(wrapped)]
        self._plain.sort(key=lambda item: (-len(item[0]), item[0]))
        self._wrapped.sort(key=lambda item: (-len(item[0]), item[0]))
        self._hold_most = 2 * max((len(form) for form, _ in (*self._plain, *self._wrapped)), default=0) + 64
        self._held = b""
        self._covered = 0  # bytes at the start of what is held that belong to a secret already replaced

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the stream; return what can be let go."""
        if not self._plain and not self._wrapped:
            return chunk
        self._held += chunk
        return self._release(self._safe_end())

    def finish(self) -> bytes:
        """Return what is still held; the stream has ended."""
        return self._release(len(self._held))

    def redact(self, text: str) -> str:
        """Return a whole text without secrets. The stream is not touched."""
        if not self._plain and not self._wrapped:
            return text
        held, covered = self._held, self._covered
        try:
            self._held, self._covered = text.encode("utf-8", "surrogateescape"), 0
            return self.finish().decode("utf-8", "surrogateescape")
        finally:
            self._held, self._covered = held, covered

    def _release(self, cut: int) -> bytes:
        held, covered = self._held, self._covered
        spans = self._spans(held)
        if not spans and not covered:
            self._held = held[cut:]
            return held[:cut]
        out = bytearray()
        position = reach = covered  # reach: everything before it belongs to a secret whose mark is written
        for start, end, mark in spans:
            if start >= reach and start >= cut:
                break
            if start >= reach:
                out += held[position:start]
                out += mark
            reach = max(reach, end)
            position = max(position, reach)
        if position < cut:
            out += held[position:cut]
        self._covered = max(0, reach - cut)
        self._held = held[cut:]
        return bytes(out)

    def _spans(self, data: bytes) -> list[tuple[int, int, bytes]]:
        found: list[tuple[int, int, bytes]] = []
        for form, mark in self._plain:
            found += [(start, start + len(form), mark) for start in _occurrences(data, form)]
        if self._wrapped:
            joined, breaks = _join_lines(data)
            for form, mark in self._wrapped:
                for start in _occurrences(joined, form):
                    found.append((_original(start, breaks), _original(start + len(form) - 1, breaks) + 1, mark))
        found.sort(key=lambda span: (span[0], -span[1]))
        return found

    def _safe_end(self) -> int:
        """Return how much of what is held cannot be the beginning of a secret that goes on in the next chunk."""
        data = self._held
        end = len(data)
        safe = end - _longest_beginning(data, self._plain)
        if self._wrapped:
            joined, breaks = _join_lines(data)
            length = _longest_beginning(joined, self._wrapped)
            if length:
                safe = min(safe, _original(len(joined) - length, breaks))
        return max(safe, end - self._hold_most, 0)


def _occurrences(data: bytes, form: bytes) -> Iterable[int]:
    start = data.find(form)
    while start >= 0:
        yield start
        start = data.find(form, start + 1)


def _longest_beginning(data: bytes, forms: list[tuple[bytes, bytes]]) -> int:
    """Return the length of the longest end of `data` that is a beginning (not the whole) of one of `forms`."""
    longest = 0
    for form, _ in forms:
        for length in range(min(len(data), len(form) - 1), longest, -1):
            if data.endswith(form[:length]):
                longest = length
                break
    return longest


def _join_lines(data: bytes) -> tuple[bytes, list[int]]:
    """Take the line ends out; return also where they were, as positions in the joined text (sorted)."""
    if b"\n" not in data and b"\r" not in data:
        return data, []
    breaks: list[int] = []
    for match in re.finditer(rb"[\r\n]", data):
        breaks.append(match.start() - len(breaks))
    return data.translate(None, b"\r\n"), breaks


def _original(position: int, breaks: list[int]) -> int:
    return position + bisect_right(breaks, position)


_SEQUENCES = re.compile(
    "\x1b\\][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC: titles, links, clipboard
    "|\x9d[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\\\|\x9c)?"  # DCS SOS PM APC
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    "|\x1b[ -/]*[0-~]?"  # other escapes
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line end, DEL, C1
    "\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_BROKEN = re.compile("[\ud800-\udfff]")


def neutralise(text: str | bytes, *, overwrite: bool = False) -> str:
    """Return text that is harmless on a terminal: no control sequences, no hidden or direction-changing characters.

    A lone carriage return becomes a line end; with `overwrite` it does what a terminal does with progress bars: what
    follows takes the place of what was there. Line ends and tabs stay; invalid UTF-8 becomes U+FFFD.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text
    text = _SEQUENCES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
    if "\r" in text:
        text = _overwritten(text) if overwrite else text.replace("\r", "\n")
    return _BROKEN.sub("\ufffd", _UNSEEN.sub("", text))


def _overwritten(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        parts = [part for part in line.split("\r") if part]
        lines.append(parts[-1] if parts else "")
    return "\n".join(lines)
