"""Keys as they are shown: in the last line, and on the help screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from switchover.ui.text.styled_line import Line, StyledSpan, fit, line_width

__all__ = ["KeyHint", "help_lines", "key_line", "key_name"]

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "asterisk": "*",
    "ampersand": "&",
    "exclamation_mark": "!",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "colon": ":",
    "plus": "+",
    "at": "@",
    "full_stop": ".",
    "escape": "esc",
    "enter": "enter",
    "space": "space",
    "minus": "-",
    "equals_sign": "=",
    "ctrl+p": "^P",
    "ctrl+d": "^D",
    "ctrl+u": "^U",
    "ctrl+z": "^Z",
    "ctrl+c": "^C",
    "ctrl+l": "^L",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
}


class KeyHint(NamedTuple):
    """A key and what it does here; `more` explains it on the help screen, `group` says where it belongs."""

    keys: tuple[str, ...]
    label: str
    more: str = ""
    group: str = ""


def key_name(key: str) -> str:
    """Write a key as it stands on the keyboard."""
    return _NAMES.get(key, key)


def key_line(hints: Sequence[KeyHint], width: int) -> Line:
    """Write the keys that fit into one line, in the order given; the last one (help) always stays."""
    if not hints:
        return ()

    def one(hint: KeyHint) -> Line:
        return (StyledSpan(" "), StyledSpan(key_name(hint.keys[0]), "key"), StyledSpan(f" {hint.label} ", "key-label"))

    last = one(hints[-1])
    room = width - line_width(last)
    spans: list[StyledSpan] = []
    for hint in hints[:-1]:
        piece = one(hint)
        if line_width(piece) > room:
            continue
        room -= line_width(piece)
        spans.extend(piece)
    return (*spans, *last)


def help_lines(hints: Iterable[KeyHint], width: int) -> list[Line]:
    """Write all keys in groups, in one column or in two where there is room."""
    groups: dict[str, list[KeyHint]] = {}
    for hint in hints:
        groups.setdefault(hint.group, []).append(hint)
    lines: list[Line] = []
    for group, members in groups.items():
        if lines:
            lines.append(())
        lines.append((StyledSpan(f" {group}", "heading"),))
        lines.extend(_help_line(hint, width) for hint in members)
    return lines


def _help_line(hint: KeyHint, width: int) -> Line:
    keys = " ".join(key_name(key) for key in hint.keys)
    text = f"{hint.label}: {hint.more}" if hint.more and hint.more != hint.label else hint.label
    return (StyledSpan("   "), StyledSpan(fit(keys, 14), "key"), StyledSpan(f"  {text}"[: max(width - 17, 0)], "text"))
