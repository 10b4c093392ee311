"""Which table of one side belongs to which of the other."""

from __future__ import annotations

import pytest

from switchover_checks.api import Status
from switchover_checks.data.comparison.sequences import judge_fill
from switchover_checks.data.comparison.table_pairs import pair_tables
from switchover_checks.data.database import DatabaseTable, Fill

LITE = [DatabaseTable("main", "shop"), DatabaseTable("main", "a.b")]
PUBLIC = [
    DatabaseTable("public", "shop"),
    DatabaseTable("public", "a.b"),
    DatabaseTable("billing", "invoice", near=False),
    DatabaseTable("billing", "shop", near=False),
    DatabaseTable("Odd.Schema", 'T"x', near=False),
]
MOVED = [
    DatabaseTable("public", "shop", near=False),
    DatabaseTable("billing", "invoice"),
    DatabaseTable("billing", "shop"),
]


def paired(
    wanted: list[str], left: list[DatabaseTable], right: list[DatabaseTable], ignored: tuple[str, ...] = ()
) -> tuple[list[str], dict[str, Status]]:
    pairs, findings = pair_tables(wanted, ignored, (left, right), ("old", "new"))
    return [f"{p.name}: {p.left.full} {p.right.full}" for p in pairs], {f.what: f.status for f in findings}


def test_all_means_the_tables_of_all_schemas() -> None:
    pairs, missing = paired(["*"], PUBLIC, PUBLIC)
    assert len(pairs) == len(PUBLIC)
    assert missing == {}
    assert "billing.invoice: billing.invoice billing.invoice" in pairs
    assert paired(["*"], PUBLIC, PUBLIC[:2])[1] == dict.fromkeys(
        ("billing.invoice", "billing.shop", '"Odd.Schema"."T""x"'), Status.CRIT
    )
    assert set(paired(["*"], PUBLIC[:2], PUBLIC)[1].values()) == {Status.WARN}


def test_a_database_without_schemas_is_compared_with_what_is_near() -> None:
    pairs, missing = paired(["*"], LITE, PUBLIC[:2])
    assert pairs == ['"a.b": main."a.b" public."a.b"', "shop: main.shop public.shop"]
    assert missing == {}
    assert paired(["public.shop"], PUBLIC, LITE)[0] == ["public.shop: public.shop main.shop"]
    assert paired(["billing.shop"], PUBLIC, LITE)[1] == {"billing.shop": Status.CRIT}


def test_a_bare_name_follows_the_search_path_of_its_side() -> None:
    assert paired(["shop"], PUBLIC, MOVED)[0] == ["shop: public.shop billing.shop"]
    pairs, missing = paired(["*"], PUBLIC[2:4], MOVED)
    assert "billing.invoice: billing.invoice billing.invoice" in pairs
    assert missing == {"public.shop": Status.WARN}


@pytest.mark.parametrize("entry", ['"Odd.Schema"."T""x"', '"a.b"', "a.b", "billing.invoice", '"billing"."invoice"'])
def test_names_may_be_written_with_quotes(entry: str) -> None:
    pairs, missing = paired([entry], PUBLIC, PUBLIC)
    assert (len(pairs), missing) == (1, {})


def test_all_tables_of_a_schema_and_all_but_some() -> None:
    assert len(paired(["billing.*"], PUBLIC, PUBLIC)[0]) == 2
    assert paired(["gone.*"], PUBLIC, PUBLIC)[1] == {"gone.*": Status.CRIT}
    pairs, _ = paired(["*"], PUBLIC, PUBLIC, ignored=("billing.*", "a.b"))
    assert pairs == ['"Odd.Schema"."T""x": "Odd.Schema"."T""x" "Odd.Schema"."T""x"', "shop: public.shop public.shop"]
    assert paired(["Shop"], PUBLIC, PUBLIC)[1] == {"Shop": Status.CRIT}


def test_a_table_that_may_not_be_read_is_unknown_and_takes_no_other_along() -> None:
    closed = [DatabaseTable("public", "shop", readable=False), *PUBLIC[1:2]]
    pairs, findings = paired(["*"], PUBLIC[:2], closed)
    assert len(pairs) == 1
    assert findings == {"shop": Status.UNKNOWN}


@pytest.mark.parametrize(
    ("fill", "status"),
    [
        (Fill("id", "s", 1, 51, 1, 50), Status.OK),
        (Fill("id", "s", 1, 50, 1, 50), Status.CRIT),
        (Fill("id", "s", 1, 2, 1, 50), Status.CRIT),
        (Fill("id", "s", 1, 1, None, None), Status.OK),
        (Fill("id", "s", -1, -51, -50, -1), Status.OK),
        (Fill("id", "s", -1, -2, -50, -1), Status.CRIT),
        (Fill("id", "s", 1, None, 1, 50, "has no number left"), Status.CRIT),
        (Fill("id", "s", 1, None, None, None, "may not be read"), Status.UNKNOWN),
    ],
)
def test_the_next_number_of_a_sequence_must_be_free(fill: Fill, status: Status) -> None:
    assert judge_fill("orders", fill).status is status
