"""The difference layer against whatever text, style and size may come: the terminal ends as if all had been painted."""

from __future__ import annotations

import re
from itertools import pairwise
from unittest import mock

import pyte
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from tests.support.terminal import visible_cells
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from switchover.terminal.cells import Frame, TerminalShadow
from switchover.terminal.graphemes import is_certain

WIDTH, HEIGHT = 24, 4
HOSTILE = [
    *["👨\u200d👩\u200d👧", "❤\ufe0f", "🇫🇷", "🚀", "🏳\ufe0f\u200d🌈", "👍🏽", "1\ufe0f\u20e3", "\U0001fae8", "\ue0b0"],
    *[
        "e\u0301",
        "a" + "\u0300" * 40,
        "\u0301",
        "\u200b",
        "\u200d",
        "\ufe0f",
        "\u00ad",
        "\u3000",
        "\u00a0",
        "\u1100\u1161",
    ],
    *["שלום", "مرحبا", "\u202eabc\u202c", "\u2066x\u2069", "क्षि", "ก็", "ﷺ"],
    *["a\tb", "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\r\n", "\x00", "\x7f", "\x08\x08", "\ud800", "\u2028"],
    *["数据", "─" * 9, "▁▂▃█", "  ", " " * 15, "plain text", "✓ ok"],
]
colours = st.sampled_from([None, Color.parse("red"), Color.from_rgb(1, 2, 3), Color.from_rgb(200, 0, 9)])
styles = st.builds(
    lambda fg, bg, words, link: Style.parse(words) + Style.from_color(fg, bg) + Style(link=link),
    colours,
    colours,
    st.sampled_from(["none", "bold", "underline", "reverse strike", "italic dim"]),
    st.sampled_from([None, None, None, "https://example.org/a"]),
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6))
rows = st.lists(st.tuples(texts, styles), min_size=1, max_size=6)
updates = st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), rows), min_size=1, max_size=6)

ALLOWED = re.compile(
    r"\x1b\[[0-9;]*[mHGCXK]|\x1b\[2J|\r\n|\r|\x1b\]8;[^\x00-\x1f\x7f-\x9f]*\x1b\\|[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]"
)


def update_of(y: int, x: int, row: list[tuple[str, Style]]) -> CompositorUpdate:
    strip = Strip([Segment(text, style) for text, style in row])
    return LayoutUpdate([[strip]], Region(x, y, WIDTH - x, 1))


def model() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    return screen, stream


def assert_shows(screen: pyte.Screen, frame: Frame) -> None:
    """Every cell whose width all terminals agree on stands where it should."""
    for y in range(frame.height):
        for x, want in enumerate(frame.chars[y]):
            if want and (want == " " or is_certain(want)) and len(want) == 1:
                assert screen.buffer[y][x].data == want, (y, x, frame.chars[y])


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(updates, st.booleans(), st.sampled_from(["agreed", "wide", "narrow"]))
def test_whatever_the_text_each_grapheme_stays_in_its_own_cells(
    drawn: list[tuple[int, int, list[tuple[str, Style]]]], bce: bool, opinion: str
) -> None:
    """Terminals disagree about emoji and marks: one that draws them wider, or narrower, keeps all the rest."""
    measure = pyte.screens.wcwidth

    def wcwidth(character: str) -> int:
        size = int(measure(character))
        if is_certain(character) or size <= 0 or opinion == "agreed":
            return size
        return 2 if opinion == "wide" else 1

    frame, shadow = Frame(WIDTH, HEIGHT), TerminalShadow(erases_with_colour=bce)
    screen, stream = model()
    with mock.patch.object(pyte.screens, "wcwidth", wcwidth):
        for y, x, row in drawn:
            frame.apply(update_of(y, x, row))
            written = shadow.encode(frame)
            assert ALLOWED.sub("", written) == "", "nothing but text and the sequences that we know"
            written.encode("utf-8")  # a lone surrogate would end the writing thread
            stream.feed(written)
            assert_shows(screen, frame)
            assert shadow.encode(frame) == ""
            assert [frame.row(line) for line in range(HEIGHT)] == list(zip(shadow.chars, shadow.attrs, strict=True))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(updates)
def test_many_small_updates_end_as_one_whole_painting_does(
    drawn: list[tuple[int, int, list[tuple[str, Style]]]],
) -> None:
    frame, shadow = Frame(WIDTH, HEIGHT), TerminalShadow()
    (step_by_step, small), (at_once, whole) = model(), model()
    for y, x, row in drawn:
        frame.apply(update_of(y, x, row))
        small.feed(shadow.encode(frame))
    frame.dirty = set(range(HEIGHT))
    whole.feed(TerminalShadow().encode(frame))
    certain = [[not c or c == " " or (is_certain(c) and len(c) == 1) for c in row] for row in frame.chars]
    if all(all(row) for row in certain):
        assert visible_cells(step_by_step) == visible_cells(at_once)


cuts = st.lists(st.integers(1, WIDTH - 1), max_size=3, unique=True).map(lambda inner: [0, *sorted(inner), WIDTH])
tame = st.sampled_from(["a", "ok", "  ", " " * 14, "数据", "─────", "▁▂█", "é", "x y z", "0123456789"])


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(cuts, st.lists(st.tuples(tame, styles), min_size=1, max_size=5), st.data()), max_size=4))
def test_partial_updates_show_what_textual_itself_shows(
    drawn: list[tuple[list[int], list[tuple[str, Style]], st.DataObject]],
) -> None:
    """Each update goes to one terminal as Textual writes it, to the other as we do."""
    console = Console(color_system="truecolor", force_terminal=True)
    frame, shadow = Frame(WIDTH, HEIGHT), TerminalShadow()
    (ours, our_stream), (theirs, their_stream) = model(), model()
    for edges, row, data in drawn:
        chops: dict[int, Strip | None] = {}
        for start, end in pairwise(edges):
            chops[start] = Strip([Segment(text, style) for text, style in row]).adjust_cell_length(end - start)
        y = data.draw(st.integers(0, HEIGHT - 1))
        x1, x2 = sorted(data.draw(st.lists(st.sampled_from(edges), min_size=2, max_size=2, unique=True)))
        update = ChopsUpdate([chops] * HEIGHT, [(y, x1, x2)], [edges[1:]] * HEIGHT)
        frame.apply(update)
        our_stream.feed(shadow.encode(frame))
        their_stream.feed(update.render_segments(console))
        assert visible_cells(ours) == visible_cells(theirs)


def test_a_hyperlink_is_opened_and_closed_within_its_frame() -> None:
    frame, shadow = Frame(20, 2), TerminalShadow()
    frame.apply(
        LayoutUpdate([[Strip([Segment("see "), Segment("here", Style(link="https://x.org"))])]], Region(0, 0, 20, 1))
    )
    written = shadow.encode(frame)
    opened = [match[1] for match in re.finditer(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\", written)]
    assert opened == ["https://x.org", ""]


def test_a_very_large_terminal_costs_no_more_for_one_cell() -> None:
    frame, shadow = Frame(500, 200), TerminalShadow()
    frame.apply(LayoutUpdate([[Strip([Segment("x" * 500)])]] * 200, Region(0, 0, 500, 200)))
    assert len(shadow.encode(frame)) < 500 * 200 * 1.1
    frame.apply(LayoutUpdate([[Strip([Segment("y")])]], Region(499, 199, 1, 1)))
    assert shadow.encode(frame) == "\x1b[200;500Hy"


def test_styles_that_no_cell_has_any_more_are_forgotten() -> None:
    frame, shadow = Frame(12, 2), TerminalShadow()
    screen = pyte.Screen(12, 2)
    stream = pyte.Stream(screen)
    for number in range(9000):
        style = Style.from_color(Color.from_rgb(number % 251, number // 251, 7))
        frame.apply(LayoutUpdate([[Strip([Segment(f"{number:06}", style)])]], Region(number % 6, number % 2, 6, 1)))
        if number % 500 == 499:
            stream.feed(shadow.encode(frame))
    assert len(frame.styles) < 5000
    stream.feed(shadow.encode(frame))
    fresh = pyte.Screen(12, 2)
    frame.dirty = {0, 1}
    pyte.Stream(fresh).feed(TerminalShadow().encode(frame))
    assert visible_cells(screen) == visible_cells(fresh)


def test_an_update_beside_or_beyond_the_screen_does_no_harm() -> None:
    frame, shadow = Frame(6, 2), TerminalShadow()
    for region in (Region(0, 5, 6, 1), Region(5, 0, 9, 1), Region(9, 1, 4, 1)):
        frame.apply(LayoutUpdate([[Strip([Segment("数据数据")])]], region))
    assert shadow.encode(frame)
    assert all(len(row) == 6 for row in frame.chars + frame.attrs)


def test_an_update_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="unknown update"):
        Frame(2, 2).apply(CompositorUpdate())
