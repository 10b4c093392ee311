"""Keeping secrets out of what is written, and control sequences out of what is shown.

Standard library only and free of imports from this project: the step launcher loads this file on its own.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, unquote

__all__ = ["SHORTEST", "Redactor", "neutralise", "secret_forms"]

SHORTEST = 4  # bytes; anything shorter would blot out ordinary text
_MOST_LINES = 8  # of a secret whose single lines are looked for in every form; a key has more
_FRAGMENT = 8  # bytes: what is left of a secret that was cut through is recognised from here on
_LONGEST_CUT = 8192
_NEAR = 16  # bytes that are compared before more of them are
_SECRET_NAME = re.compile(r"pass|secret|token|key|credential|pwd", re.IGNORECASE)
_FIELD = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?([\w.-]*(?:pass|secret|token|key|credential|pwd)[\w.-]*)[ \t]*[=:](.+)$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^@\s]+)@")


@lru_cache(maxsize=64)
def secret_forms(value: str) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the forms in which a secret may turn up: as it is (and quoted, escaped), and inside base64 or hex.

    The second set may be broken by line ends, as `base64` and `xxd` wrap their lines.
    """
    plain: set[bytes] = set()
    wrapped: set[bytes] = set()
    lines = value.count("\n")
    for text in {value, *_parts(value)}:
        data = text.encode("utf-8", "surrogateescape")
        if len(data) < SHORTEST:
            continue
        plain |= {data, data.replace(b"/", b"\\/"), quote(data, safe="").encode(), repr(data)[2:-1].encode()}
        if text != value and lines > _MOST_LINES:
            continue
        plain.update(form.encode("utf-8", "surrogateescape") for form in (*_escaped(text), *_percent_encoded(data)))
        wrapped |= _in_hex(data) | _in_base64(data)
    plain = {form for form in plain if len(form) >= SHORTEST}
    return frozenset(plain), frozenset(wrapped - plain)


def _parts(value: str) -> set[str]:
    """Return what a secret is made of that may be printed alone: its lines, and passwords in a URL or in fields."""
    parts = {line.strip() for line in value.splitlines()}
    parts.update(match[2].strip("\"' \t\r") for match in _FIELD.finditer(value))
    for match in _URL_PASSWORD.finditer(value):
        parts |= {match[1], unquote(match[1])}
    if value.lstrip().startswith(("{", "[")):
        with suppress(ValueError, RecursionError):  # it only looked like JSON
            parts |= _secret_leaves(json.loads(value), named=False)
    return parts


def _secret_leaves(value: object, *, named: bool) -> set[str]:
    if isinstance(value, dict):
        leaves = (_secret_leaves(v, named=bool(_SECRET_NAME.search(str(k)))) for k, v in value.items())
        return set().union(*leaves)
    if isinstance(value, list):
        return set().union(*(_secret_leaves(item, named=named) for item in value))
    return {value} if named and isinstance(value, str) else set()


def _escaped(text: str) -> set[str]:
    """Return the text as JSON, Python, HTML, XML and shells write it."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [f"{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)]
    in_json = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], "".join(f"\\u{c}" for c in codes)}
    in_json |= {form.replace("/", "\\/") for form in in_json}
    for form in tuple(in_json):  # as in pages, where < > & ' are escaped too
        safe = re.sub("[<>&']", lambda match: f"\\u{ord(match[0]):04x}", form)
        in_json |= {safe, re.sub(r"\\u([0-9a-f]{4})", lambda match: f"\\u{match[1].upper()}", safe)}
        in_json.add(re.sub(r"\\u([0-9a-f]{4})", lambda match: f"\\u{match[1].upper()}", form))
    in_json |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in in_json}  # JSON in a field of JSON
    in_text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_page = in_text.replace('"', "&quot;").replace("'", "&#x27;")
    return {
        *in_json,
        *(repr(text)[1:-1], ascii(text)[1:-1]),
        *(in_page, in_text, in_page.replace("&#x27;", "&#39;"), in_page.replace("&#x27;", "&apos;")),
        *(text.replace("'", "'\"'\"'"), text.replace("'", "'\\''")),
        *(re.sub(r"([^\w@%+=:,./-])", r"\\\1", text), re.sub(r'([\\"$`])', r"\\\1", text)),
    }


def _percent_encoded(data: bytes) -> set[str]:
    """Return the bytes as they stand in URLs and forms, whichever characters are left as they are."""
    forms = {quote(data, safe=safe) for safe in ("", "/", "!'()*~", ";,/?:@&=+$#!'()*~", "@:/!$&'()*+,;=")}
    forms |= {form.replace("~", "%7E") for form in forms} | {"".join(f"%{byte:02X}" for byte in data)}
    forms |= {form.replace("%20", "+") for form in forms}
    return forms | {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in forms}


def _in_hex(data: bytes) -> set[bytes]:
    return {
        form.encode()
        for sep in ("", " ", ":")
        for low in [data.hex(sep) if sep else data.hex()]
        for form in (low, low.upper())
    }


def _in_base64(data: bytes) -> set[bytes]:
    forms: set[bytes] = set()
    for shift in range(3):
        # Only the characters that no neighbour's bits reach are the same in every base64 text around the secret.
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(b"\0" * shift + data)[first:last]
            slashed = form.replace(b"/", b"\\/")
            in_url = form.replace(b"+", b"%2B").replace(b"/", b"%2F")
            forms |= {form, slashed, in_url, in_url.replace(b"%2B", b"%2b").replace(b"%2F", b"%2f")}
    return {form for form in forms if len(form) >= SHORTEST}


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
        self._traces = sorted({trace for form, _ in (*self._plain, *self._wrapped) for trace in _traces(form)})
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
        """Return a whole text without secrets, and without the larger part of one that was cut off.

        Between control sequences too, which are taken out of a text that would hold a secret without them. The stream
        is not touched.
        """
        if not self._plain and not self._wrapped:
            return text
        text = self._redact(text)
        if "\x1b" in text and (shown := neutralise(text)) != (clean := self._redact(shown)):
            return clean
        return text

    def redact_lines(self, lines: Sequence[str]) -> list[str]:
        """Return lines that follow one another without secrets, also those that go over several lines.

        All lines that a secret goes over bear its mark.
        """
        whole = "\n".join(lines)
        if (not self._plain and not self._wrapped) or self.redact(whole) == whole:
            return list(lines)
        parts = [line.encode("utf-8", "surrogateescape") for line in lines]
        spans = sorted(self._spans(b"\n".join(parts)), key=lambda span: (span[0], -span[1]))
        out, begin = [], 0
        for part in parts:
            end = begin + len(part)
            pieces, reach = b"", begin
            for start, stop, mark in spans:
                if start >= end:
                    break
                if stop > reach and stop > begin:
                    if start >= reach or reach == begin:
                        pieces += part[reach - begin : max(start - begin, 0)] + mark
                    reach = min(stop, end)
            pieces += part[reach - begin :]
            out.append(self.redact(pieces.decode("utf-8", "surrogateescape")))
            begin = end + 1
        return out

    def _redact(self, text: str) -> str:
        data = text.encode("utf-8", "surrogateescape")
        joined = data.translate(None, b"\r\n")
        looked = (data,) if len(joined) == len(data) else (data, joined)
        if not any(trace in part for part in looked for trace in self._traces):
            return text  # as nearly always: this costs a tenth of what follows
        held, covered = self._held, self._covered
        try:
            self._held, self._covered = data, 0
            return self._without_fragments(self.finish()).decode("utf-8", "surrogateescape")
        finally:
            self._held, self._covered = held, covered

    def _without_fragments(self, data: bytes) -> bytes:
        """Take out what is left of a secret where a text was cut through it: half of it at least, from either end."""
        spans = [
            (*span, mark)
            for form, mark in (*self._plain, *self._wrapped)
            if _FRAGMENT < len(form) <= _LONGEST_CUT
            for span in _fragments(data, form, _least(form))
        ]
        out, reach = b"", 0
        for start, end, mark in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= reach:
                out += data[reach:start] + mark
            reach = max(reach, end)
        return out + data[reach:] if spans else data

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
            joined = _Joined(data)
            for form, mark in self._wrapped:
                for start in _occurrences(joined.data, form):
                    found.append((joined.original(start), joined.original(start + len(form) - 1) + 1, mark))
        found.sort(key=lambda span: (span[0], -span[1]))
        return found

    def _safe_end(self) -> int:
        """Return how much of what is held cannot be the beginning of a secret that goes on in the next chunk."""
        data = self._held
        end = len(data)
        safe = end - _longest_beginning(data, self._plain)
        if self._wrapped:
            joined = _Joined(data)
            length = _longest_beginning(joined.data, self._wrapped)
            if length:
                safe = min(safe, joined.original(len(joined.data) - length))
        return max(safe, end - self._hold_most, 0)


class _Joined:
    """Data without its line ends, which still knows where each byte stood. The breaks are only looked for on demand."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole
        self._breaks: list[int] | None = None
        self.data = whole.translate(None, b"\r\n")

    def original(self, position: int) -> int:
        """Return where the byte at `position` stood before."""
        if self._breaks is None:
            self._breaks = [match.start() - n for n, match in enumerate(re.finditer(rb"[\r\n]", self._whole))]
        return position + bisect_right(self._breaks, position)


def _occurrences(data: bytes, form: bytes) -> Iterable[int]:
    start = data.find(form)
    while start >= 0:
        yield start
        start = data.find(form, start + 1)


def _least(form: bytes) -> int:
    """Return how much of a form, from either end, gives it away."""
    return min(len(form), max(_FRAGMENT, len(form) // 2))


def _traces(form: bytes) -> tuple[bytes, bytes]:
    """Return the beginning and the end of a form; a text that holds neither holds nothing of it."""
    return form[: _least(form)], form[-_least(form) :]


def _fragments(data: bytes, form: bytes, least: int) -> Iterable[tuple[int, int]]:
    """Return where the beginning or the end of `form` stands, each as far as it goes."""
    for start in _occurrences(data, form[:least]):
        size = least
        while size < len(form) and data[start + size : start + size + 1] == form[size : size + 1]:
            size += 1
        yield start, start + size
    for start in _occurrences(data, form[-least:]):
        size = least
        while size < len(form) and start + least > size and data[start + least - size - 1] == form[-size - 1]:
            size += 1
        yield start + least - size, start + least


def _longest_beginning(data: bytes, forms: list[tuple[bytes, bytes]]) -> int:
    """Return the length of the longest end of `data` that is a beginning (not the whole) of one of `forms`."""
    longest = 0
    for form, _ in forms:
        most = min(len(data), len(form) - 1)
        if most <= longest:
            continue
        tail = data[-most:]
        probe = form[: longest + 1]
        at = tail.find(probe)
        while at >= 0:
            near = form[: min(_NEAR, len(tail) - at)]
            if tail.startswith(near, at) and form.startswith(tail[at:]):
                longest = len(tail) - at
                break
            at = tail.find(probe, at + 1)
    return longest


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
