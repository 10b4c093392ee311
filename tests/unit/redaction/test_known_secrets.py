import base64
import hashlib
import html
import json
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchover.redaction import SHORTEST, Redactor, sanitize, secret_forms

SECRET = "p@ss/w\"rd 'é'\n+second line+"


def _is_secret(value: str) -> bool:
    return any(len(line.strip()) >= SHORTEST for line in value.splitlines())


def _chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def _stream(redactor: Redactor, chunks: list[bytes]) -> bytes:
    return b"".join([*map(redactor.feed, chunks), redactor.finish()])


@pytest.mark.parametrize(
    "form",
    [
        SECRET.encode(),
        json.dumps(SECRET).encode(),
        json.dumps(SECRET, ensure_ascii=False).encode(),
        quote(SECRET, safe="").encode(),
        quote(SECRET, safe="").lower().encode(),
        repr(SECRET).encode(),
        SECRET.encode().hex().encode(),
        base64.b64encode(SECRET.encode()),
        base64.b64encode(b"user:" + SECRET.encode() + b"\n"),
        base64.urlsafe_b64encode(b"x" + SECRET.encode()),
        base64.encodebytes(b"long text before it, so that lines are wrapped inside: " + SECRET.encode() * 3),
        SECRET.splitlines()[1].encode(),
        SECRET.encode().hex(" ").encode(),
        SECRET.encode().hex(":").upper().encode(),
        "\n".join(textwrap.wrap(SECRET.encode().hex(), 60)).encode(),
        json.dumps(SECRET).replace("\\u00e9", "\\u00E9").replace("'", "\\u0027").encode(),
        "".join(f"\\u{ord(c):04X}" for c in SECRET).encode(),
        json.dumps(json.dumps({"password": SECRET})).encode(),
        repr(SECRET.encode()).encode(),
        html.escape(SECRET).encode(),
        quote_plus(SECRET).encode(),
        quote(SECRET, safe="!'()*~").encode(),
        "".join(f"%{byte:02x}" for byte in SECRET.encode()).encode(),
        json.dumps(base64.b64encode(SECRET.encode() * 2).decode()).replace("/", "\\/").encode(),
        quote(base64.b64encode(b"\xff\xff" + SECRET.encode())).encode(),
    ],
)
def test_a_secret_is_found_in_every_form_and_at_every_cut(form: bytes) -> None:
    text = b"before " + form + b" after\n"
    plain, wrapped = secret_forms(SECRET)
    for cut in range(len(text)):
        out = _stream(Redactor({"pg": SECRET}), [text[:cut], text[cut:]])
        assert b"(secret pg)" in out
        assert out.startswith(b"before ")
        assert out.endswith(b" after\n")
        joined = out.replace(b"\n", b"")
        assert not [f for f in plain if f in out]
        assert not [f for f in wrapped if f in joined]


@given(
    st.lists(st.text("ab=1\n", min_size=4, max_size=9).filter(_is_secret), min_size=1, max_size=3),
    st.lists(st.text("ab=1\nYWI\t", max_size=12), max_size=12),
    st.lists(st.integers(0, 200), max_size=12),
    st.data(),
)
def test_chunks_make_no_difference_and_nothing_secret_comes_through(
    values: list[str], parts: list[str], cuts: list[int], data: st.DataObject
) -> None:
    secrets = {f"s{number}": value for number, value in enumerate(values)}
    text = "".join(part + data.draw(st.sampled_from(["", *values])) for part in parts).encode()
    whole = _stream(Redactor(secrets), [text])
    assert _stream(Redactor(secrets), _chunks(text, cuts)) == whole
    for form in (f for value in values for f in secret_forms(value)[0]):
        assert form not in whole.replace(b"(secret s0)", b"|").replace(b"(secret s1)", b"|").replace(
            b"(secret s2)", b"|"
        )


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ('{"username": "shop", "password": "hunter2hunter2", "more": [{"api_token": "abcdefgh"}]}', "hunter2hunter2"),
        ('{"username": "shop", "password": "hunter2hunter2", "more": [{"api_token": "abcdefgh"}]}', "abcdefgh"),
        ("DB_USER=shop\nexport DB_PASSWORD='hunter2hunter2'\n", "hunter2hunter2"),
        ("postgresql://shop:hunter2%21hunter2@db/shop", "hunter2!hunter2"),
    ],
)
def test_a_password_inside_a_secret_is_one_by_itself(value: str, printed: str) -> None:
    redacted = Redactor({"pg": value}).redact(f"user shop, password {printed}.")
    assert redacted == "user shop, password (secret pg)."


@pytest.mark.parametrize("kept", range(8, 16))
def test_a_text_that_was_cut_through_a_secret_keeps_no_larger_part_of_it(kept: int) -> None:
    value = "hunter2/Swordfish"
    redactor = Redactor({"pg": value})
    for form in (value, json.dumps(value).strip('"'), quote(value, safe="")):
        for cut in (form[: max(kept, len(form) // 2)] + "…", "…" + form[-max(kept, len(form) // 2) :]):
            assert redactor.redact(f"it said: {cut}").replace("…", "") == "it said: (secret pg)"


def test_a_secret_with_colours_in_it_is_found() -> None:
    text = "\x1b[1mpassword\x1b[0m hunt\x1b[31mer2hun\x1b[0mter2 \x1b[32mok\x1b[0m"
    assert "hunt" not in Redactor({"pg": "hunter2hunter2"}).redact(text)
    coloured = "\x1b[32mok\x1b[0m"
    assert Redactor({"pg": "hunter2hunter2"}).redact(coloured) == coloured


def test_of_overlapping_secrets_nothing_is_left() -> None:
    redactor = Redactor({"a": "hunter2hunter", "b": "hunter2hunter2hunter2", "c": "hunter2x"})
    for text in ("hunter2hunter2hunter2", "hunter2hunter2x", "hunter2hunter2hunter2x", "hunter2hunterhunter2x"):
        for cut in range(len(text)):
            out = _stream(redactor, [text[:cut].encode(), text[cut:].encode()])
            assert b"hunter" not in out
            assert b"2" not in out


@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(secret=st.binary(min_size=6, max_size=40), behind=st.binary(max_size=4))
def test_no_base64_of_anything_around_a_secret_gives_it_away(
    encode: Callable[[bytes], bytes], shift: int, secret: bytes, behind: bytes
) -> None:
    value = secret.hex()
    text = encode(b"?" * shift + value.encode() + behind)
    out = Redactor({"pg": value}).redact(text.decode())
    first = out.find("(secret pg)")
    assert first >= 0
    left = out[:first] + out[first + len("(secret pg)") :]
    assert len(left) <= 4 + 4 + 2 * len(behind)


def test_a_long_key_costs_little_to_look_for_and_each_line_of_it_is_found() -> None:
    lines = [hashlib.sha512(str(number).encode()).hexdigest()[:64] for number in range(1000)]
    redactor = Redactor({"key": "\n".join(["-----BEGIN KEY-----", *lines, "-----END KEY-----"])})
    assert redactor.redact(f"it reads {lines[500]} there") == "it reads (secret key) there"
    assert redactor.redact(f"it reads {lines[1][:-1]} there").endswith("there")


def test_text_without_secrets_is_left_as_it_is_and_nothing_harmless_is_held_back() -> None:
    redactor = Redactor({"pg": "hunter2hunter2"})
    assert redactor.feed(b"Password: ") == b"Password: "
    assert redactor.feed(b"hunt") == b""
    assert redactor.feed(b"ing") + redactor.rest() == b"hunting"
    assert Redactor({}).feed(b"\xff\x00") == b"\xff\x00"


def test_endless_repetition_of_a_secret_is_held_in_bounded_memory() -> None:
    redactor = Redactor({"a": "aaaa"})
    out = b"".join(redactor.feed(b"a" * 4096) for _ in range(8)) + redactor.finish()
    assert b"a" not in out.replace(b"(secret a)", b"")
    assert len(redactor._data) < 2000


def test_redacting_a_whole_text_leaves_a_stream_alone() -> None:
    redactor = Redactor({"pg": "hunter2"})
    redactor.feed(b"hunt")
    assert redactor.redact("x hunter2 y") == "x (secret pg) y"
    assert redactor.feed(b"er2") + redactor.finish() == b"(secret pg)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07shell", "shell"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07x", "x"),
        ("\x9b2Jx\x9d0;t\x9cy", "xy"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x1b]unfinished\nnext", "\nnext"),
        ("\x1bcreset\x1b(B", "reset"),
        ("abc\u202etxt.exe\u2066", "abctxt.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bell\x07 back\x08space \x7f", "bell bacspace "),
        ("b\x08bo\x08ol\x08ld _\x08u_\x08n", "bold un"),
        ("typi\x08\x08\x08xp\x1b[2Dyz 1\x08", "tyz 1"),
        ("one\n\x08\x08two\r\x08three", "one\ntwo\nthree"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("one\u2028two", "one\ntwo"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("Les recherches fonctionnent – 日本 ✓", "Les recherches fonctionnent – 日本 ✓"),
    ],
)
def test_text_is_made_harmless(text: str, shown: str) -> None:
    assert sanitize(text) == shown


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert sanitize(b"ok \xff\xfe \xc3") == "ok \ufffd\ufffd \ufffd"


def test_a_progress_bar_ends_as_its_last_state() -> None:
    assert sanitize("10 %\r50 %\r100 %\ndone\r\n", overwrite=True) == "100 %\ndone\n"


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = sanitize(text)
    assert not [
        c for c in shown if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) < 0xE000
    ]
    assert sanitize(shown) == shown
