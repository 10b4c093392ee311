from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from switchover.agent.wire.protocol import Incoming
from switchover.agent.wire.sections import SectionEncoder, apply_sections
from switchover.snapshot import CheckRow, Header, MigrationView, PhaseView, ServiceRow, Snapshot, StepView


def rows(*named: tuple[str, str]) -> tuple[ServiceRow, ...]:
    return tuple(ServiceRow(name, "", "docker", "running", "ok", detail, id=f"docker:{name}") for name, detail in named)


def send(line: bytes, before: Snapshot) -> tuple[Snapshot, Incoming]:
    incoming = msgspec.json.decode(line, type=Incoming)
    return apply_sections(before, incoming), incoming


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
    assert apply_sections(before, Incoming(seq=2, rows={"tables": msgspec.Raw(b"{}")})) == replace(before, seq=2)


MANY = Snapshot(
    seq=1,
    checks=tuple(CheckRow(f"c{n}", "tcp", "ok", "open") for n in range(500)),
    migration=MigrationView(
        "1",
        "running",
        tuple(
            PhaseView(f"p{p}", "", "pending", tuple(StepView(f"s{p}-{n}", "", "pending", "read") for n in range(50)))
            for p in range(20)
        ),
    ),
)


def test_of_many_checks_only_those_that_changed_are_sent() -> None:
    checks = (*MANY.checks[:99], replace(MANY.checks[99], status="crit"), *MANY.checks[100:])
    now = replace(MANY, seq=2, checks=checks)
    line = SectionEncoder().encode(MANY, now)
    assert send(line, MANY)[0] == now
    assert len(line) < 1000


def test_of_a_long_run_only_what_changed_is_sent() -> None:
    encoder, view = SectionEncoder(), MANY.migration
    written = replace(MANY, seq=2, migration=replace(view, output=("a line",), output_bytes=6))
    line = encoder.encode(MANY, written)
    assert send(line, MANY)[0] == written
    assert len(line) < 200
    step = replace(view.phases[3].steps[7], state="running")
    phase = replace(view.phases[3], steps=(*view.phases[3].steps[:7], step, *view.phases[3].steps[8:]))
    begun = replace(view, phases=(*view.phases[:3], phase, *view.phases[4:]), current_step=step.id)
    line = encoder.encode(MANY, replace(MANY, seq=3, migration=begun))
    assert send(line, MANY)[0].migration == begun
    whole = encoder.encode(None, MANY)
    assert len(line) < len(whole) / 10
    assert send(encoder.encode(MANY, replace(MANY, seq=4, migration=MigrationView())), MANY)[0].migration == (
        MigrationView()
    )
