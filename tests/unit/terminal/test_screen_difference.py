"""The difference layer against a terminal model: whatever is drawn, the terminal ends as if all had been painted."""

from __future__ import annotations

import random
from itertools import pairwise

import pyte
import pytest
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from tests.support.terminal import visible_cells
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from switchover.terminal.screen_difference import Frame, TerminalShadow, fits_textual

WORDS = [
    *["a", "ok", "crit", "switchover", " ", "   ", " " * 20, "─" * 9, "▁▂▃▄▅▆▇█", "✓ ok"],
    *["é", "été", "ö", "数据", "表", "迁移 x", "e\u0301a", "—", "0123456789"],
]
ATTRIBUTES = ["bold", "italic", "underline", "reverse", "strike", "blink", "dim"]


def random_style(rng: random.Random) -> Style | None:
    if rng.random() < 0.2:
        return None
    colours = [
        None,
        Color.from_rgb(rng.randrange(256), rng.randrange(256), rng.randrange(256)),
        Color.from_rgb(18, 18, 18),
        Color.parse(rng.choice(["red", "bright_blue", "color(200)", "default"])),
    ]
    attributes = [name for name in ATTRIBUTES if rng.random() < 0.12]
    return Style.parse(" ".join(attributes) or "none") + Style.from_color(rng.choice(colours), rng.choice(colours))


def random_strip(rng: random.Random, width: int) -> Strip:
    segments: list[Segment] = []
    filled = 0
    while filled < width:
        segment = Segment(rng.choice(WORDS), random_style(rng))
        segments.append(segment)
        filled += segment.cell_length
    return Strip(segments).crop(0, width).adjust_cell_length(width)


def random_update(rng: random.Random, width: int, height: int) -> CompositorUpdate:
    if rng.random() < 0.5:
        x, y = rng.randrange(width), rng.randrange(height)
        w, h = rng.randint(1, width - x), rng.randint(1, height - y)
        return LayoutUpdate([[random_strip(rng, w)] for _ in range(h)], Region(x, y, w, h))
    chops: list[dict[int, Strip | None]] = []
    ends: list[list[int]] = []
    for _ in range(height):
        cuts = sorted({0, width, *(rng.randrange(1, width) for _ in range(3))})
        chops.append({a: random_strip(rng, b - a) for a, b in pairwise(cuts)})
        ends.append(cuts[1:])
    spans: list[tuple[int, int, int]] = []
    for y in sorted(rng.sample(range(height), rng.randint(1, height))):
        x1, x2 = sorted(rng.sample(range(width + 1), 2))
        spans.append((y, x1, x2))
    return ChopsUpdate(chops, spans, ends)


def painted_whole(frame: Frame) -> pyte.Screen:
    """Paint the frame cell by cell with absolute positions: the plainest possible way."""
    screen = pyte.Screen(frame.width, frame.height)
    screen.reset_mode(7, private=True)
    stream = pyte.Stream(screen)
    for y in range(frame.height):
        for x in range(frame.width):
            if frame.chars[y][x]:
                stream.feed(f"\x1b[{y + 1};{x + 1}H\x1b[0;{frame.styles[frame.attrs[y][x]][0]}m{frame.chars[y][x]}")
    return screen


def seeds(always: int) -> list[object]:
    """Return the first seeds for every run of the tests, and many more for a soak."""
    return [*range(always), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(always, 100))]


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.STANDARD])
@pytest.mark.parametrize("bce", [True, False])
@pytest.mark.parametrize("seed", seeds(8))
def test_after_any_updates_the_terminal_is_as_if_painted_whole(seed: int, bce: bool, system: ColorSystem) -> None:
    rng = random.Random(f"{seed}{bce}{system}")
    width, height = rng.choice([(20, 5), (33, 7), (13, 3), (40, 4)])
    frame, shadow = Frame(width, height, system), TerminalShadow(erases_with_colour=bce)
    screen = pyte.Screen(width, height)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l" + "rubbish from before\r\n" * 3)
    for _ in range(12):
        frame.apply(random_update(rng, width, height))
        if rng.random() < 0.05:
            stream.feed("somebody else wrote here\x1b[5;5Hand here")
            shadow.forget()
        stream.feed(shadow.encode(frame))
        assert visible_cells(screen) == visible_cells(painted_whole(frame))
        assert shadow.encode(frame) == "", "nothing changed, so nothing is written"
        frame.dirty = set(range(height))
        assert shadow.encode(frame) == "", "painted again and the same, so nothing is written"


@pytest.mark.parametrize("seed", seeds(12))
def test_a_whole_screen_is_equal_to_what_textual_itself_writes(seed: int) -> None:
    rng = random.Random(seed)
    width, height = 60, 12
    frame, shadow = Frame(width, height), TerminalShadow()
    ours, theirs = pyte.Screen(width, height), pyte.Screen(width, height)
    our_stream, their_stream = pyte.Stream(ours), pyte.Stream(theirs)
    our_stream.feed("\x1b[?7l")
    their_stream.feed("\x1b[?7l")
    from rich.console import Console

    console = Console(color_system="truecolor", force_terminal=True)
    for _ in range(4):
        update = LayoutUpdate([[random_strip(rng, width)] for _ in range(height)], Region(0, 0, width, height))
        frame.apply(update)
        our_stream.feed(shadow.encode(frame))
        their_stream.feed("\x1b[2J" + update.render_segments(console))
        assert visible_cells(ours) == visible_cells(theirs)


def test_one_changed_cell_costs_a_few_bytes() -> None:
    frame, shadow = Frame(200, 50), TerminalShadow()
    shadow.encode(frame)
    frame.apply(LayoutUpdate([[Strip([Segment("7", Style(color="red"))])]], Region(150, 40, 1, 1)))
    assert len(shadow.encode(frame)) <= 24


def test_a_wide_character_is_never_left_half() -> None:
    frame, shadow = Frame(6, 1), TerminalShadow()
    screen = pyte.Screen(6, 1)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    for text in ["数据表", "a数据b", "ab数cd", "数abcd", "abcdef"]:
        frame.apply(LayoutUpdate([[Strip([Segment(text)])]], Region(0, 0, 6, 1)))
        stream.feed(shadow.encode(frame))
        assert screen.display[0] == text


def test_control_characters_in_text_never_reach_the_terminal() -> None:
    frame, shadow = Frame(20, 1), TerminalShadow()
    frame.apply(LayoutUpdate([[Strip([Segment("a\x1b]0;owned\x07b\x9bc")])]], Region(0, 0, 20, 1)))
    written = shadow.encode(frame).replace("\x1b[0m", "").replace("\x1b[2J", "")
    assert "\x1b]" not in written
    assert "\x07" not in written
    assert "\x9b" not in written


def test_this_textual_is_one_the_difference_fits() -> None:
    assert fits_textual() == ""
