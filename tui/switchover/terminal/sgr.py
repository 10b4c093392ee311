"""The styles of cells as SGR codes, and the shortest way from one to another."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["PLAIN", "CellStyle", "background_of", "change_style", "ground_of", "is_blank", "on_ground", "parse_sgr"]

CellStyle = tuple[str, str]  # SGR codes as Textual writes them, and the opening of a hyperlink
PLAIN = ("", "")  # the style of a terminal after a reset: no SGR codes, no link


@lru_cache(maxsize=4096)
def parse_sgr(codes: str) -> dict[str, str]:
    """Sort SGR codes by what they set: `fg`, `bg`, or the code itself for an attribute."""
    parsed: dict[str, str] = {}
    parts = codes.split(";") if codes else []
    index = 0
    while index < len(parts):
        part = parts[index]
        number = int(part or 0)
        size = 1
        if number in (38, 48):
            size = 5 if parts[index + 1] == "2" else 3
            parsed["fg" if number == 38 else "bg"] = ";".join(parts[index : index + size])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            parsed["fg"] = part
        elif 40 <= number <= 47 or 100 <= number <= 107:
            parsed["bg"] = part
        elif number == 39:
            parsed.pop("fg", None)
        elif number == 49:
            parsed.pop("bg", None)
        else:
            parsed[part] = part
        index += size
    return parsed


_OFF = {
    **dict.fromkeys(("1", "2"), "22"),
    "3": "23",
    **dict.fromkeys(("4", "21"), "24"),
    **dict.fromkeys(("5", "6"), "25"),
    "7": "27",
    "8": "28",
    "9": "29",
    **dict.fromkeys(("51", "52"), "54"),
    "53": "55",
    "fg": "39",
    "bg": "49",
}


@lru_cache(maxsize=4096)
def change_style(before: CellStyle, after: CellStyle) -> str:
    """Return the shortest sequence from one style to another."""
    link = ""
    if before[1] != after[1]:
        link = after[1] or "\x1b]8;;\x1b\\"
    if before[0] == after[0]:
        return link
    had, wants = parse_sgr(before[0]), parse_sgr(after[0])
    whole = f"\x1b[{'0;' if had and wants else ''}{after[0]}m"
    codes: list[str] = []
    off = dict.fromkeys(_OFF.get(name, "0") for name in had if name not in wants)
    if "0" in off:
        return link + whole
    codes.extend(off)
    for name, code in wants.items():
        if had.get(name) != code or _OFF.get(name) in off:
            codes.append(code)
    part = f"\x1b[{';'.join(codes)}m"
    return link + (part if codes and len(part) < len(whole) else whole)


@lru_cache(maxsize=4096)
def background_of(style: CellStyle) -> str:
    """Return the codes of its background, nothing where it has none."""
    return parse_sgr(style[0]).get("bg", "")


@lru_cache(maxsize=4096)
def is_blank(style: CellStyle) -> bool:
    """Tell whether a blank in this style is nothing but its background."""
    return not style[1] and set(parse_sgr(style[0])) <= {"fg", "bg", "1", "2", "3"}


@lru_cache(maxsize=4096)
def ground_of(style: CellStyle) -> CellStyle:
    """Return the style that a blank shows of this one."""
    return (background_of(style), "") if is_blank(style) else style


@lru_cache(maxsize=4096)
def on_ground(style: CellStyle, background: str) -> CellStyle:
    """Return a style with another background, and without anything else that would show on a blank."""
    kept = [code for name, code in parse_sgr(style[0]).items() if name in {"fg", "1", "2", "3"}]
    return ";".join([*kept, background] if background else kept), ""
