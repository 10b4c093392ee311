"""A secret goes whole: in JSON within JSON, at its shortest, and where a terminal steps back over it."""

import json

import pytest

from switchover.redaction import SHORTEST, Redactor, sanitize

SECRET = 'pä"ss-wörd-long'


def test_a_secret_in_json_within_json_goes_to_its_last_letter() -> None:
    inner = json.dumps({"k": SECRET}, ensure_ascii=False)
    text = Redactor({"s": SECRET}).redact(json.dumps({"field": inner}, ensure_ascii=False))
    left = json.loads(json.loads(text)["field"])["k"]
    whole = Redactor({"s": SECRET}).redact(SECRET)
    assert left == whole
    assert "ss-w" not in text


def test_the_shortest_secret_that_is_looked_for_goes() -> None:
    secret = "qZ7#x9Kw2!"[:SHORTEST]
    assert len(secret) == SHORTEST
    assert secret not in Redactor({"pin": secret}).redact(f"it is {secret} here")


def test_a_step_back_without_a_number_is_one_cell() -> None:
    assert sanitize("ab\x1b[Dc") == "ac"
    assert sanitize("abc\x1b[2Dd") == "adc"


def test_a_step_back_reaches_the_first_cell_and_stops_there() -> None:
    assert sanitize("ab\x1b[2Dc") == "cb"
    assert sanitize("ab\x1b[9Dc") == "cb"
    assert sanitize("ab\x08\x08\x08c") == "cb"


def test_lines_beside_a_secret_keep_their_first_and_their_last_letter() -> None:
    lines = ["first", f"it is {SECRET} here", "", SECRET, "last"]
    assert Redactor({"s": SECRET}).redact_lines(lines) == ["first", "it is (secret s) here", "", "(secret s)", "last"]


def test_a_secret_that_begins_twice_goes_where_it_is_cut_between_chunks() -> None:
    secret = "".join(f"{number:03d}-horse;" for number in range(90))
    redactor = Redactor({"long": secret})
    out = redactor.feed(f"it begins {secret[:20]} and begins {secret[:700]}".encode())
    out += redactor.feed(f"{secret[700:]} done".encode()) + redactor.finish()
    assert out.decode() == f"it begins {secret[:20]} and begins (secret long) done"


def test_a_secret_of_equal_first_letters_goes_though_one_more_of_them_stands_before_it() -> None:
    secret = "x" * 20 + "".join(f"{number:03d}-horse;" for number in range(90))
    redactor = Redactor({"long": secret})
    out = redactor.feed(f"x{secret[:700]}".encode()) + redactor.feed(f"{secret[700:]} done".encode())
    assert (out + redactor.finish()).decode() == "x(secret long) done"


def test_a_secret_of_many_thousand_letters_is_held_back_until_it_is_whole() -> None:
    secret = "".join(f"{number:04d}-key;" for number in range(1500))
    redactor = Redactor({"long": secret})
    out = redactor.feed(f"it is {secret[:7000]}".encode())
    assert out == b"it is "
    out += redactor.feed(f"{secret[7000:]} done".encode()) + redactor.finish()
    assert out == b"it is (secret long) done"


@pytest.mark.parametrize("inner", [True, False], ids=["inner-ascii", "inner-as-it-is"])
@pytest.mark.parametrize("outer", [True, False], ids=["outer-ascii", "outer-as-it-is"])
@pytest.mark.parametrize("secret", [SECRET, 'pass"word-lo"ng"', "päss\\word\\é", "é-here\t-secretö"])
def test_no_letter_stays_of_a_secret_in_json_or_in_json_within_it(secret: str, inner: bool, outer: bool) -> None:
    redactor = Redactor({"s": secret})
    once = json.dumps(secret, ensure_ascii=inner)
    assert json.loads(redactor.redact(once)) == "(secret s)"
    assert json.loads(json.loads(redactor.redact(json.dumps(once, ensure_ascii=outer)))) == "(secret s)"
