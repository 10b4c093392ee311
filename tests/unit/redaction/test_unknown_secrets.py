"""What looks like a secret is taken out of every text, whoever's it is; what only speaks of one stays."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote, quote_plus

import pytest
from tests.unit.redaction.innocent_texts import INNOCENT
from tests.unit.redaction.samples import SAMPLES, has_an_end, hidden, in_base64, plain, secrets_of

from switchover_checks.unknown_secrets import MARK, UnknownSecrets, redact_unknown, unknown_spans
from switchover_checks.unknown_secrets.secret_table import TABLE

ALL = [sample for samples in SAMPLES.values() for sample in samples]


def _in_pieces(text: str, size: int) -> str:
    stream = UnknownSecrets()
    return "".join([*(stream.feed(text[n : n + size]) for n in range(0, len(text), size)), stream.finish()])


@pytest.mark.parametrize("sample", ALL)
def test_what_looks_like_a_secret_gives_way_to_the_mark(sample: str) -> None:
    assert redact_unknown(plain(sample)) == hidden(sample)


@pytest.mark.parametrize("sample", [sample for sample in ALL if has_an_end(sample)])
def test_a_line_of_a_log_loses_the_secret_and_nothing_else(sample: str) -> None:
    for line in ("2024-01-01 INFO {}\nnext line", "host app[12]: {} \nnext line"):
        lines = redact_unknown(line.format(plain(sample))).splitlines()
        assert [shown.rstrip() for shown in lines] == [
            kept.rstrip() for kept in line.format(hidden(sample)).splitlines()
        ]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_speaks_of_one_stays(text: str) -> None:
    for said in (text, f"2024-01-01T10:00:00Z shop-1 | {text}", f"{text}\n{text}"):
        assert redact_unknown(said) == said


@pytest.mark.parametrize("sample", ALL)
def test_it_is_found_out_of_base64_urls_json_and_colours(sample: str) -> None:
    text = plain(sample)
    assert secrets_of(sample)
    coloured = text.replace("password", "\x1b[01;31m\x1b[Kpassword\x1b[m\x1b[K")
    for written in (
        f"data: {in_base64(text)} end",
        f"data: {in_base64(f'x{chr(10)}{text}{chr(10)}y')} end",
        f"{in_base64(in_base64(text))}",
        quote(text),
        quote_plus(text),
        f"https://x.example/?q={quote(text, safe='')}&b=1",
        json.dumps({"a": text, "b": 1}),
        json.dumps(json.dumps({"a": text})),
        coloured,
        "\u200b".join(text.split("=")).replace("\u200b", "\u200b=") if "=" in text else text,
    ):
        out = redact_unknown(written)
        for secret in secrets_of(sample):
            for form in (
                secret,
                json.dumps(secret)[1:-1],
                quote(secret),
                quote(secret, safe=""),
                in_base64(secret)[:-4],
            ):
                assert len(form) < 5 or form not in out, (written, out)


@pytest.mark.parametrize("sample", ALL)
def test_it_is_found_wherever_a_text_is_cut_into_pieces(sample: str) -> None:
    text = f"before {plain(sample)}\nafter"
    whole = redact_unknown(text)
    for cut in range(0, len(text), 3):
        stream = UnknownSecrets()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish() == whole
    far = f"{'x ' * 450} {plain(sample)} {'y ' * 900}"
    assert _in_pieces(far, 97) == redact_unknown(far)


def test_a_long_text_without_line_ends_comes_through_and_is_let_go_as_it_comes() -> None:
    text = "word " * 20_000
    stream = UnknownSecrets()
    assert len(stream.feed(text)) > len(text) - 2000
    assert stream.finish() != ""
    assert _in_pieces(text, 999) == text


def test_a_private_key_that_comes_line_by_line_is_hidden_to_its_end() -> None:
    lines = ["-----BEGIN PRIVATE KEY-----", *(f"line{n}+/abc" for n in range(300)), "-----END PRIVATE KEY-----", "x"]
    stream = UnknownSecrets()
    out = "".join([*(stream.feed(f"{line}\n") for line in lines), stream.finish()])
    assert out == f"-----BEGIN PRIVATE KEY-----{MARK}-----END PRIVATE KEY-----\nx\n"


def test_each_rule_has_a_sample() -> None:
    text = "\n".join(map(plain, ALL)).lower()
    assert [rule.name for rule in TABLE if not any(sign in text for sign in rule.signs)] == []


def test_a_text_that_was_redacted_is_left_as_it_is() -> None:
    assert ALL
    for sample in ALL:
        once = redact_unknown(plain(sample))
        assert redact_unknown(once) == once


def test_spans_lie_apart_and_in_order() -> None:
    assert ALL
    for sample in ALL:
        spans = unknown_spans(plain(sample))
        assert spans
        assert list(spans) == sorted(spans)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
