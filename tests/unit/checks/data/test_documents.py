"""JSON of two databases: equal where it means the same, whatever it looks like."""

from __future__ import annotations

import pytest

from switchover_checks.data.comparison.normalise import normaliser
from switchover_checks.data.database.database_api import DatabaseColumn

COLUMN = DatabaseColumn("doc", "jsonb")
document = normaliser(COLUMN, COLUMN, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("null", None),
        ("0", "null"),
        ('""', "null"),
        ("[]", "[null]"),
        ("1.5", '{"number": "1.5"}'),
        ("1", '"1"'),
        ("true", '"true"'),
        ('{"a": null}', "{}"),
        ("0.1", "0.10000000000000001"),
    ],
)
def test_documents_that_only_look_alike_differ(one: str | None, other: str | None) -> None:
    assert document(one) != document(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("null", " null "), ('{"a":1,"b":2}', '{"b": 2.0, "a": 1}'), ("1e2", "100"), ('"\\u00e9"', '"é"')],
)
def test_documents_that_mean_the_same_agree(one: str, other: str) -> None:
    assert document(one) == document(other)
    assert document(None) is None
