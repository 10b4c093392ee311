"""Themes: TOML files with a palette and a style for every meaning that the screens use.

A file that cannot be used is reported with all its faults and left out. The program goes on with the others.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.errors import StyleSyntaxError
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme as TextualTheme

from switchover.ui.text.styled_line import Line, address_of, pad

__all__ = ["PALETTE", "STYLES", "Painter", "Theme", "ThemeError", "load_theme", "load_themes", "theme_folders"]

PALETTE = ("background", "surface", "text", "muted", "faint", "accent", "ok", "warn", "crit", "unknown", "cursor")
STYLES = frozenset(
    [
        "text", "strong", "muted", "rule", "heading", "accent", "stale", "match", "code",
        "header", "header-name", "header-production", "fresh", "late",
        "tab", "tab-active", "key", "key-label",
        "cursor", "cursor-bar",
        "outcome-ok", "outcome-warn", "outcome-crit", "outcome-unknown", "outcome-skipped", "outcome-pending",
        "step-pending", "step-running", "step-waiting", "step-done", "step-failed", "step-unknown", "step-skipped",
        "step-rolled-back",
        "spark-line", "bar-done", "bar-todo",
        "money-saved", "money-added",
        "danger", "danger-bar", "message-error", "message-info",
        "log-debug", "log-warn", "log-error", "log-here",
        "log-source-1", "log-source-2", "log-source-3", "log-source-4", "log-source-5", "log-source-6",
    ]
)  # fmt: skip
_INSTEAD = {  # a theme that somebody wrote before there were these is still whole
    "log-debug": "muted",
    "log-warn": "outcome-warn",
    "log-error": "outcome-crit",
    "log-here": "match",
    **{f"log-source-{number}": "accent" for number in range(1, 7)},
}
_ALWAYS_FRESH = frozenset(
    [
        "rule",
        "heading",
        "header",
        "header-name",
        "header-production",
        "late",
        "tab",
        "tab-active",
        "key",
        "key-label",
        "cursor",
        "cursor-bar",
        "message-error",
        "message-info",
        "danger",
        "danger-bar",
    ]
)
_ANSI_VARIABLES = {  # Textual's own style sheet asks for these under an ANSI theme
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "border-blurred": "ansi_black",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-cursor-text-style": "none",
    "input-selection-background": "ansi_bright_blue",
    "input-selection-foreground": "ansi_black",
    "screen-selection-background": "ansi_bright_blue",
    "screen-selection-foreground": "ansi_black",
}
_REFERENCE = re.compile(r"\$([a-z-]+)")
_TOP_LEVEL = {"name", "title", "dark", "ansi", "palette", "styles"}


class ThemeError(ValueError):
    """A theme file cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in self.problems))


@dataclass(frozen=True)
class Theme:
    """A theme that has been read and found whole."""

    name: str
    title: str
    dark: bool
    ansi: bool
    palette: Mapping[str, str]
    styles: Mapping[str, Style]

    def for_textual(self) -> TextualTheme:
        """Give Textual's own parts (input lines) the same colours."""
        color = {name: _css_color(value) for name, value in self.palette.items()}
        return TextualTheme(
            name=self.name,
            primary=color["accent"],
            secondary=color["muted"],
            warning=color["warn"],
            error=color["crit"],
            success=color["ok"],
            accent=color["accent"],
            foreground=color["text"],
            background=color["background"],
            surface=color["surface"],
            panel=color["surface"],
            boost=color["surface"],
            dark=self.dark,
            ansi=self.ansi,
            variables=_ANSI_VARIABLES if self.ansi else {},
        )


def _css_color(value: str) -> str:
    return value if value.startswith("#") else f"ansi_{value}"


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def load_theme(path: Path) -> Theme:
    """Read one theme file. Raise `ThemeError` with all problems."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(path, [f"cannot be read: {error}"]) from error
    problems = [f"unknown key {key}{_nearest(key, _TOP_LEVEL)}" for key in data if key not in _TOP_LEVEL]
    palette = _read_palette(data.get("palette"), problems)
    styles = _read_styles(data.get("styles"), palette, problems)
    problems.extend(f"{key} is true or false" for key in ("dark", "ansi") if not isinstance(data.get(key, False), bool))
    if problems:
        raise ThemeError(path, problems)
    name = str(data.get("name", path.stem))
    return Theme(name, str(data.get("title", name)), data.get("dark", True), data.get("ansi", False), palette, styles)


def _read_palette(data: Any, problems: list[str]) -> dict[str, str]:
    palette = {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
    problems.extend(f"palette.{name} is missing" for name in PALETTE if name not in palette)
    problems.extend(f"palette.{name} is not known{_nearest(name, PALETTE)}" for name in palette if name not in PALETTE)
    for name, value in palette.items():
        try:
            Style.parse(value)
        except StyleSyntaxError:
            problems.append(
                f"palette.{name} = {value!r} is not a colour; write #rrggbb, or a terminal colour such as red"
            )
    return palette


def _read_styles(data: Any, palette: Mapping[str, str], problems: list[str]) -> dict[str, Style]:
    written = {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
    for name, instead in _INSTEAD.items():
        if instead in written:
            written.setdefault(name, written[instead])
    problems.extend(f"styles.{name} is missing" for name in sorted(STYLES - written.keys()))
    styles = {}
    for name, value in written.items():
        if name not in STYLES:
            problems.append(f"styles.{name} is not known{_nearest(name, STYLES)}")
            continue
        unknown = [reference for reference in _REFERENCE.findall(value) if reference not in palette]
        if unknown:
            problems.extend(f"styles.{name}: ${ref} is not in the palette{_nearest(ref, palette)}" for ref in unknown)
            continue
        try:
            styles[name] = Style.parse(_REFERENCE.sub(lambda match: palette[match[1]], value))
        except StyleSyntaxError as error:
            problems.append(f"styles.{name} = {value!r} cannot be read: {error}")
    return styles


def theme_folders(config_home: Path | None = None) -> list[Path]:
    """Return where themes lie: those that ship (in the wheel or in the source tree), then the operator's own."""
    package = Path(__file__).resolve().parents[2]
    shipped = [package / "_themes", package.parent.parent / "themes"]
    folders = [next((folder for folder in shipped if folder.is_dir()), shipped[0])]
    if config_home is not None:
        folders.append(config_home / "switchover" / "themes")
    return folders


def load_themes(folders: Iterable[Path]) -> tuple[dict[str, Theme], list[ThemeError]]:
    """Read every theme; return those that can be used by name, and what is wrong with the others."""
    themes: dict[str, Theme] = {}
    errors: list[ThemeError] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
            try:
                theme = load_theme(path)
            except ThemeError as error:
                errors.append(error)
            else:
                themes[theme.name] = theme
    return themes, errors


class Painter:
    """Turns lines into strips of the terminal in one theme; a stale painter greys everything that is data."""

    def __init__(self, theme: Theme, *, stale: bool = False) -> None:
        self.theme = theme
        self.stale = stale
        self._styles = dict(theme.styles)
        ground = Style.parse(f"{theme.palette['text']} on {theme.palette['background']}")
        if stale:
            grey = theme.styles["stale"]
            self._styles = {name: style if name in _ALWAYS_FRESH else grey for name, style in theme.styles.items()}
        self._ground = ground
        self.paint = lru_cache(maxsize=2048)(self._paint)
        self._link = lru_cache(maxsize=256)(self._link_to)  # one id, so that it is the same at every painting

    def style(self, name: str) -> Style:
        """Return the style for a meaning, on the theme's ground."""
        return self._ground + self._styles[name]

    def _link_to(self, address: str) -> Style:
        return self.style("text") + Style(underline=True, link=address)

    def _paint(self, line: Line, width: int, over: str = "") -> Strip:
        """Paint a line `width` cells wide; `over` names a style laid over the whole line (the cursor)."""
        top = self._styles[over] if over else None
        segments = []
        for text, name in pad(line, width):
            if address := address_of(name):
                segments.append(Segment(text, self._link(address)))
                continue
            style = self._ground + self._styles[name]
            has_ground = self._styles[name].bgcolor is not None  # chosen for its letters: the cursor would hide them
            segments.append(Segment(text, style if top is None or has_ground else style + top))
        return Strip(segments, width)
