"""A text as it stands, and as it reads without control characters, out of JSON and URLs, and inside base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote_to_bytes

__all__ = ["RUN", "Reading", "inside", "readings"]

_UNSEEN = re.compile(
    "\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[^\n\x08]\x08"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SEEN = re.compile("[\t\n\r -~\xa0-\xac\xae-\u034e]*")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)")
_WORTH = re.compile(r"\\[nrtu/]")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ARGUMENTS = re.compile(r"[\"'],\s*[\"']")
_A_LIST = re.compile(r"[\"'],\s*[\"']-|[\[(]\s*\\*[\"'][^\"'\n]{1,80}[\"'],\s*\\*[\"']")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+|\+")
_CODED = re.compile(r"%[0-9a-fA-F]{2}|(?<=[\w.:])\+[\w%-]")
_GAP = re.compile(r"\s")
RUN = re.compile(
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}"
    r"(?:(?<=[A-Za-z0-9+/_-]{40})\\*[rn\r\n \t]{1,12}[A-Za-z0-9+/_-]{4,})*={0,2}"
)
"""What may be base64, also where its lines are wrapped."""
_PRINTED = re.compile(r"[\t\n\r -~\u00a0-\ufffc]+")
_MAY_STAND = bytes((0, 9, 10, 13, *range(32, 256)))
_LEAST_DECODED = 10
_DEEPEST = 3


class Reading:
    """A text and where in the original each of its characters begins; one place more for the end."""

    def __init__(self, text: str, places: Sequence[int] | None = None) -> None:
        self.text = text
        self._places = places

    def upon(self, below: Reading) -> Reading:
        """Return this reading of another one's text as one of the original."""
        return Reading(self.text, [below.place(place, place)[0] for place in self._places or ()])

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part lies in the original."""
        return (start, end) if self._places is None else (self._places[start], self._places[end])


def readings(text: str) -> Iterator[Reading]:
    """Yield the ways in which the text can be read, itself first."""
    yield Reading(text)
    if not _SEEN.fullmatch(text) and _UNSEEN.search(text):
        yield _replaced(text, _UNSEEN, lambda _: "")
    if "\\" in text and _WORTH.search(text):
        reading = Reading(text, range(len(text) + 1))
        for _ in range(_DEEPEST):  # JSON in a field of JSON
            reading = _replaced(reading.text, _ESCAPED, _unescaped).upon(reading)
            yield reading
            if "\\" not in reading.text:
                break
    if _A_LIST.search(text):
        yield _replaced(text, _ARGUMENTS, lambda _: " ")
    if ("%" in text or "+" in text) and (words := list(_coded_words(text))):
        yield _replaced(text, _PERCENT, _decoded, words)


def _coded_words(text: str) -> Iterator[tuple[int, int]]:
    """Yield where words stand that are written as in a URL."""
    end = 0
    while (code := _CODED.search(text, end)) is not None:
        start = code.start()
        while start > end and not text[start - 1].isspace():
            start -= 1
        gap = _GAP.search(text, code.end())
        end = gap.start() if gap else len(text)
        yield start, end


def inside(run: str) -> Iterator[str]:
    """Yield what base64 says, wherever in the run it may begin."""
    packed = re.sub(r"[^A-Za-z0-9+/]|\\+[rn]", "", run.replace("-", "+").replace("_", "/"))
    for shift in range(4):
        if (within := _unpacked(packed[shift:])) is not None:
            yield within


def _unpacked(packed: str) -> str | None:
    try:
        head = base64.b64decode(packed[: min(len(packed), 16) & -4])
        if head.translate(None, _MAY_STAND):
            return None
        data = base64.b64decode(packed[: len(packed) & -4] + _rest(packed)).replace(b"\0", b"")
        text = data.decode()
    except (ValueError, binascii.Error):
        return None
    return text if len(text) >= _LEAST_DECODED and _PRINTED.fullmatch(text) else None


def _rest(packed: str) -> str:
    left = packed[len(packed) & -4 :]
    return left + "=" * (4 - len(left)) if len(left) > 1 else ""


def _replaced(
    text: str,
    pattern: re.Pattern[str],
    instead: Callable[[re.Match[str]], str],
    areas: Sequence[tuple[int, int]] | None = None,
) -> Reading:
    """Return the text with something else for what a pattern matches in some areas of it, or everywhere."""
    out: list[str] = []
    places: list[int] = []
    reach = 0
    for begin, end in areas or [(0, len(text))]:
        for match in pattern.finditer(text, begin, end):
            new = instead(match)
            out += (text[reach : match.start()], new)
            places += range(reach, match.start())
            places += [match.start()] * len(new)
            reach = match.end()
    out.append(text[reach:])
    places += range(reach, len(text) + 1)
    return Reading("".join(out), places)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _LETTERS.get(match[2], match[2])


def _decoded(match: re.Match[str]) -> str:
    return " " if match[0] == "+" else unquote_to_bytes(match[0]).decode("utf-8", "replace")
