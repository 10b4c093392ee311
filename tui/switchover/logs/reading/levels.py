"""How bad a line says that it is, as a number: 0 not known, then 1 debug to 5 fatal.

Words are searched with `in` and `find` first. One regular expression for all of them costs ten times as much.
"""

from __future__ import annotations

import re

__all__ = ["ERROR", "EXCEPTION", "LEVEL_NAMES", "WARN", "level_number", "level_of"]

LEVEL_NAMES = ("", "debug", "info", "warn", "error", "fatal")
WARN, ERROR = 3, 4
_HEAD = 160  # characters in which a level is looked for
_JSON_HEAD = 2000
_MOST_LOOKS = 4  # at a word that turns out to be part of a name
_SPELLINGS = {
    1: "trace debug verbose fine finer finest dbg trc",
    2: "info information notice default config inf",
    3: "warn warning wrn",
    4: "error err severe",
    5: "fatal critical crit alert emerg emergency panic ftl",
}
_NUMBERS = {word: number for number, words in _SPELLINGS.items() for word in words.split()}
_LOOKED_FOR = tuple(
    (needle, re.compile(rf"{needle}{rest}(?![a-z0-9_/-])"), number)
    for needle, rest, number in (
        ("info", "(?:rmation)?", 2),
        ("warn", "(?:ing)?", 3),
        ("err", "(?:or)?", 4),
        ("debug", "", 1),
        ("fatal", "", 5),
        ("crit", "(?:ical)?", 5),
        ("notice", "", 2),
        ("trace", "", 1),
        ("panic", "", 5),
        ("severe", "", 4),
        ("alert", "", 5),
        ("emerg", "(?:ency)?", 5),
    )
)
_KEY = re.compile(r"(?:level|lvl|severity)[=:] ?\"?$")
_JSON = re.compile(r'"(?:level|severity|lvl|loglevel|levelname|log\.level|log_level)"\s*:\s*(?:"([A-Za-z]+)|(\d{1,2}))')
_KLOG = re.compile(r"[IWEF]\d{4} \d\d:")
_KLOG_NUMBERS = {"I": 2, "W": 3, "E": 4, "F": 5}
EXCEPTION = r"(?:[\w$]+[.\\])*[A-Z]?\w*(?:Error|Exception)(?: \[\w+\])?(?::|$)"
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|panic: |SIG[A-Z]+: |Exception in thread |Unhandled exception"
    rf"|thread '.*' panicked|.{{0,100}}\bpanic serving |\S+:\d+:in .*\([\w:]+\)$|(?:Uncaught )?{EXCEPTION}"
)


def level_number(word: str) -> int:
    """Return the number of a level, however it is spelt; 0 where it is none."""
    return _NUMBERS.get(word.lower(), 0)


def level_of(text: str) -> int:
    """Return the level that a line names; 0 where it names none."""
    first = text[:1]
    if first == "{":
        match = _JSON.search(text, 0, _JSON_HEAD)
        if match is not None:
            return level_number(match[1]) if match[1] else _from_number(int(match[2]))
    elif first in "IWEF" and _KLOG.match(text) is not None:
        return _KLOG_NUMBERS[first]
    head = text[:_HEAD]
    low = head.lower()
    if len(low) != len(head):  # a letter that lower case makes two of
        low = head
    found, where = 0, _HEAD
    for needle, word, number in _LOOKED_FOR:
        start = low.find(needle)
        if 0 <= start < where and (start := _standing(head, low, needle, word, start)) < where:
            found, where = number, start
    if not found and _may_be_trace(head) and _TRACE.match(text) is not None:
        return ERROR
    return found


def _may_be_trace(head: str) -> bool:
    return (
        "rror" in head or "xception" in head or "anic" in head or "Traceback" in head or "SIG" in head or ":in " in head
    )


def _standing(head: str, low: str, needle: str, word: re.Pattern[str], start: int) -> int:
    """Return where the word stands as a level. A word inside a sentence or a name counts as far away."""
    for _ in range(_MOST_LOOKS):
        match = word.match(low, start)
        if match is not None and _is_level(head, start, match.end()):
            return start
        start = low.find(needle, start + 1)
        if start < 0:
            break
    return _HEAD


def _is_level(head: str, start: int, end: int) -> bool:
    before, after = head[start - 1] if start else "", head[end : end + 1]
    if head[start : start + 2].isupper():
        return before in " [<|(\t:{\"'=" and after != "="
    if before and before in "=:\"' " and _KEY.search(head, max(0, start - 12), start) is not None:
        return True
    if before and before in "[<|(" and after and after in "]>|):":
        return True
    return after == ":" and before in ("", " ")


def _from_number(number: int) -> int:
    """Return the level for a number as bunyan and pino write it: 10 trace to 60 fatal."""
    return (1, 1, 2, 3, 4, 5)[number // 10 - 1] if 10 <= number < 70 and number % 10 == 0 else 0
