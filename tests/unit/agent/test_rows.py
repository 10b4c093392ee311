from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from switchover.agent.protocol import Incoming
from switchover.agent.sections import SectionEncoder, apply_sections
from switchover.snapshot import Header, ServiceRow, Snapshot


def rows(*named: tuple[str, str]) -> tuple[ServiceRow, ...]:
    return tuple(ServiceRow(name, "", "docker", "running", "ok", detail, id=f"docker:{name}") for name, detail in named)


def send(line: bytes, before: Snapshot) -> tuple[Snapshot, Incoming]:
    incoming = msgspec.json.decode(line, type=Incoming)
    return apply_sections(before, incoming.seq, incoming.at, incoming.sections, incoming.rows), incoming


TABLES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["", "busy", "late"])), unique_by=lambda row: row[0]
)


@given(st.lists(TABLES, min_size=1, max_size=6), st.data())
def test_a_client_that_misses_snapshots_has_the_same_rows_as_one_that_sees_all(
    tables: list[list[tuple[str, str]]], data: st.DataObject
) -> None:
    encoder = SectionEncoder()
    quick = slow = Snapshot()
    quick_sent: Snapshot | None = None
    slow_sent: Snapshot | None = None
    for seq, table in enumerate(tables, 1):
        now = Snapshot(seq=seq, found=rows(*table), services=rows(*reversed(table)))
        quick, _ = send(encoder.encode(quick_sent, now), quick)
        quick_sent = now
        assert quick == now
        if data.draw(st.booleans()):
            slow, _ = send(encoder.encode(slow_sent, now), slow)
            slow_sent = now
            assert slow == now


def test_only_the_rows_that_changed_are_sent() -> None:
    encoder = SectionEncoder()
    before = Snapshot(seq=1, found=rows(*((str(n), "") for n in range(1500))))
    changed = (*before.found[:700], replace(before.found[700], detail="busy"), *before.found[701:])
    line = encoder.encode(before, replace(before, seq=2, found=changed))
    after, incoming = send(line, before)
    assert after.found == changed
    assert "found" not in incoming.sections
    assert len(line) < 2000
    assert after.found[0] is before.found[0]


def test_a_row_that_goes_and_one_that_comes_do_not_cost_the_order_of_all() -> None:
    before = Snapshot(seq=1, found=rows(*((str(n), "") for n in range(1500))))
    now = replace(before, seq=2, found=(*before.found[:3], *before.found[4:], *rows(("new", ""))))
    line = SectionEncoder().encode(before, now)
    assert send(line, before)[0] == now
    assert len(line) < 2000


def test_a_client_that_knows_no_rows_gets_whole_tables() -> None:
    before = Snapshot(seq=1, found=rows(("a", ""), ("b", "")))
    now = replace(before, seq=2, found=rows(("a", ""), ("b", "busy")))
    after, incoming = send(SectionEncoder().encode(before, now, rows=False), before)
    assert after == now
    assert incoming.rows == {}


def test_rows_without_names_of_their_own_are_sent_whole() -> None:
    row = ServiceRow("a", "", "docker", "running", "ok")
    before = Snapshot(seq=1, services=(row, row))
    now = replace(before, seq=2, services=(row, replace(row, detail="busy")))
    after, incoming = send(SectionEncoder().encode(before, now), before)
    assert after == now
    assert incoming.rows == {}


def test_rows_of_a_table_that_this_version_does_not_know_are_left_out() -> None:
    before = Snapshot(seq=1, header=Header(title="x"))
    assert apply_sections(before, 2, 0.0, {}, {"tables": msgspec.Raw(b"{}")}) == replace(before, seq=2)
