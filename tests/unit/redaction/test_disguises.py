"""A secret is found as a person would read it: whatever stands between its letters, however its lines are cut."""

from __future__ import annotations

import base64
import itertools
import json
import textwrap
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from switchover.redaction import Redactor, sanitize

SHORT = "hunter2/Xq"
LONG = 'Kq7"ZtPwJ3vNx+é9=Lm'
SECRETS = {"short": SHORT, "long": LONG}

BETWEEN = {
    "colour": "\x1b[01;31m\x1b[K",
    "colour of 24 bits": "\x1b[38;2;255;100;0m",
    "grep --color": "\x1b[m\x1b[K",
    "cursor": "\x1b[3C\x1b[?25l",
    "title": "\x1b]0;title\x07",
    "link": "\x1b]8;;https://x.example/\x1b\\",
    "device control": "\x1bP1$r0m\x1b\\",
    "charset": "\x1b(B",
    "C1 colour": "\x9b31m",
    "C1 title": "\x9d0;t\x9c",
    "zero byte": "\0",
    "bell": "\x07",
    "shift out": "\x0e\x0f",
    "delete": "\x7f",
    "vertical tab": "\x0b\x0c",
    "zero width": "\u200b",
    "joiners": "\u200c\u200d\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "turned around": "\u202e\u202c",
    "variation": "\ufe0f",
    "tag": "\U000e0041",
    "filler": "\u3164",
    "grapheme joiner": "\u034f",
    "overlay": "\u0336",
    "typed wrong": "X\x08",
    "typed very wrong": "abc\x08\x08\x08",
    "typed wrong, moved": "abc\x1b[3D",
    "line end": "\n",
    "line end of Windows": "\r\n",
    "carriage return": "\r",
    "line separator": "\u2028",
    "replacement": "\ufffd",
    "colour, as JSON writes it": "\\u001b[31m",
    "colour, as Python writes it": "\\x1b[31m",
    "colour, as a shell writes it": "\\033[1;31m",
    "colour, as cat -v shows it": "^[[31m",
    "colour, as syslog writes it": "#033[31m",
    "zero width, as JSON writes it": "\\u200b",
    "zero byte, as JSON writes it": "\\u0000",
}
_TAKEN_OUT = {name: text for name, text in BETWEEN.items() if not text.startswith(("\\", "^", "#"))}
_TAKEN_OUT["colour cut short"] = "\x1b[0"


def _stream(redactor: Redactor, chunks: list[bytes]) -> bytes:
    return b"".join([*map(redactor.feed, chunks), redactor.finish()])


def _left(out: bytes) -> str:
    """Return what a person can read of what came out, marks apart."""
    return sanitize(out).replace("\n", "").replace("\ufffd", "").replace("(secret s)", "|")


def _assert_gone(out: bytes, value: str, most: int = 3) -> None:
    """No more of the secret is left than a few letters in one place."""
    assert b"(secret s)" in out, out
    shown = "".join(c for c in unicodedata.normalize("NFD", _left(out)) if not unicodedata.combining(c))
    plain = "".join(c for c in unicodedata.normalize("NFD", value) if not unicodedata.combining(c))
    for start in range(len(plain) - most):
        assert plain[start : start + most + 1] not in shown, out


@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN)
@pytest.mark.parametrize("every", [1, 3, 5])
def test_nothing_between_its_letters_hides_a_secret(value: str, between: str, every: int) -> None:
    pieces = textwrap.wrap(value, every, drop_whitespace=False)
    for lead in ("", "before "):
        data = f"{lead}{between.join(pieces)} after".encode()
        _assert_gone(_stream(Redactor({"s": value}), [data]), value)
        _assert_gone(Redactor({"s": value}).redact(data.decode()).encode(), value)


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN)
def test_nor_does_it_where_the_stream_is_cut_anywhere(between: str) -> None:
    data = f"before {between.join(textwrap.wrap(SHORT, 4))} after\n".encode()
    for cut in range(len(data) + 1):
        _assert_gone(_stream(Redactor({"s": SHORT}), [data[:cut], data[cut:]]), SHORT)
    _assert_gone(_stream(Redactor({"s": SHORT}), [data[n : n + 1] for n in range(len(data))]), SHORT)


@pytest.mark.parametrize(
    ("value", "how"),
    [
        *itertools.product(
            (*SECRETS.values(), "пароль-日本", "naïveté!"), ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
        ),
        *((value, how) for value in (*SECRETS.values(), "naïveté!") for how in ("latin-1", "utf-32-be")),
    ],
)
def test_a_secret_in_another_encoding_of_text_is_found(value: str, how: str) -> None:
    data = b"log: " + f"before {value} after".encode(how, "ignore") + b"\n"
    for cut in range(0, len(data), 3):
        out = _stream(Redactor({"s": value}), [data[:cut], data[cut:]])
        assert b"(secret s)" in out
        _assert_gone(out, value)


@pytest.mark.parametrize("gap", ["\r\n", "\n", "\n    ", "\r\n\t", "\\n", " \\\n  "])
@pytest.mark.parametrize("width", [4, 19, 60])
def test_base64_and_hex_are_found_however_their_lines_are_wrapped(gap: str, width: int) -> None:
    for text in (
        base64.b64encode(f"user:{LONG}".encode()).decode(),
        base64.b64encode(LONG.encode("utf-16-le")).decode(),
        base64.b64encode(base64.b64encode(f'{{"auth": "{LONG}"}}'.encode())).decode(),
        LONG.encode().hex(),
        LONG.encode().hex(" "),
        LONG.encode().hex("-").upper(),
    ):
        data = f"key: {gap.join(textwrap.wrap(text, width))}\n".encode()
        out = _stream(Redactor({"s": LONG}), [data[:11], data[11:]])
        assert b"(secret s)" in out, (text, out)
        assert len(out) < len(data) / 2 + 20


def test_a_passphrase_is_found_where_its_words_are_wrapped() -> None:
    value = "correct horse battery staple"
    for gap in ("\n", "\r\n      ", "  ", "\t", "\u00a0", "\u3000"):
        assert Redactor({"s": value}).redact(f"it is {gap.join(value.split())}.") == "it is (secret s)."


@given(
    st.sampled_from(sorted(SECRETS)),
    st.lists(st.sampled_from(sorted(_TAKEN_OUT)), min_size=1, max_size=6),
    st.lists(st.integers(0, 25), min_size=1, max_size=8),
    st.lists(st.integers(0, 300), max_size=4),
    st.sampled_from(["", "text ", "\x1b[1m", "\xff", "\u200b"]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
@example("short", ["typed wrong", "zero byte"], [2, 2], [], "")
@example("long", ["colour cut short", "link"], [3, 5], [8], "")
def test_display_never_joins_a_secret_again(
    which: str, kinds: list[str], places: list[int], cuts: list[int], lead: str
) -> None:
    """Unseen characters anywhere in a secret, in any number and order: what is shown in the end does not hold it."""
    value = SECRETS[which]
    letters = list(value)
    for kind, place in zip(itertools.cycle(kinds), places, strict=False):
        letters.insert(min(place, len(letters)), _TAKEN_OUT[kind])
    data = (lead + "".join(letters) + " behind").encode()
    places = sorted({min(cut, len(data)) for cut in cuts})
    chunks = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    redactor = Redactor({"s": value})
    for out in (_stream(Redactor({"s": value}), chunks), redactor.redact(data.decode()).encode()):
        for overwrite in (False, True):
            for text in (sanitize(out, overwrite=overwrite), sanitize(out.decode("utf-8", "replace"))):
                assert value not in text
                assert value not in text.replace("\n", "")


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_display_leaves_nothing_that_is_not_seen(text: str) -> None:
    for character in sanitize(text):
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        assert (
            not hidden
            or character in "\n\t"
            or character in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f"
            or (character in "\u0890\u0891\u08e2\U000110bd\U000110cd" or "\U00013430" <= character <= "\U0001343f")
        )


@pytest.mark.parametrize("make", [str, json.dumps])
def test_what_only_looks_alike_is_left_alone(make: Callable[[str], str]) -> None:
    redactor = Redactor({"s": SHORT, "t": LONG, "u": "correct horse battery staple"})
    for text in (
        "hunters 2/X\nand hunter3/Xq\x1b[0m",
        "12 34 56 78\n0000000 12 34\n00:11:22:33:44:55 0x10 0x20 0x30 0x40",
        "\x1b[32mok\x1b[0m \u200bzero width\ufeff, tab\tand C:\\new\\table",
        "battery horse staple correct",
    ):
        assert redactor.redact(make(text)) == make(text)
        assert _stream(redactor, [make(text).encode()]) == make(text).encode()


def test_a_line_that_ends_like_a_secret_begins_is_let_go_when_it_is_quiet() -> None:
    redactor = Redactor({"s": SHORT})
    assert redactor.feed(b"done h\n") == b"done "
    assert redactor.rest() == b"h\n"
    assert not redactor.holds
    assert redactor.feed(b"unter2/Xq and more") + redactor.finish() == b"(secret s) and more"
    assert redactor.feed(b"password: hunt") + redactor.rest() == b"password: "


def test_what_is_not_seen_is_held_in_bounded_memory() -> None:
    redactor = Redactor({"s": SHORT})
    out = redactor.feed(b"hunt") + b"".join(redactor.feed(b"\0" * 65536) for _ in range(20))
    assert len(out) > 1_000_000
    assert redactor.finish() == b"\0" * (20 * 65536 + 4 - len(out)) or out.startswith(b"hunt")


def test_a_mark_holds_no_secret() -> None:
    assert Redactor({"secret pg": "secret"}).redact("a secret") == "a ***"
