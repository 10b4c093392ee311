import sqlite3

import pytest
from tests.functional.demo.conftest import Switchover

from switchover.demo import do, faults, shop_store
from switchover.demo.demo_processes import ask, start
from switchover.demo.layout import Demo, Side


@pytest.fixture
def copied(demo: Demo) -> Demo:
    """Return a demo whose data has been moved and whose new side is live."""
    shop_store.create_empty(demo.store("new"))
    start(demo, "new")
    shop_store.copy(demo, lambda _: None, pause_s=0)
    do.make_index(demo)
    do.switch(demo, "new")
    return demo


def _orders(demo: Demo, side: Side) -> list[tuple[object, ...]]:
    with shop_store.connect(demo, side) as opened:
        return opened.execute("SELECT * FROM orders ORDER BY id").fetchall()


def test_the_index_makes_the_report_fast(copied: Demo) -> None:
    old, new = (ask(copied, side, "/report", timeout_s=60)[1] for side in ("old", "new"))
    assert old["open_orders"] == new["open_orders"]
    assert old["query_ms"] > 5 * new["query_ms"]


def test_down_takes_the_live_service_away_and_mending_brings_it_back(demo: Demo) -> None:
    faults.break_it(demo, "down")
    assert ask(demo, "door", "/health")[0] == 502
    faults.mend(demo)
    assert ask(demo, "door", "/health")[0] == 200


@pytest.mark.parametrize("after_the_switch", [False, True])
def test_disk_makes_writes_fail_for_want_of_room(
    after_the_switch: bool, demo: Demo, request: pytest.FixtureRequest
) -> None:
    if after_the_switch:
        request.getfixturevalue("copied")
    faults.break_it(demo, "disk")
    status, health = ask(demo, "door", "/health")
    assert (status, health["writable"]) == (503, False)
    assert "full" in health["error"]
    assert ask(demo, "door", "/customers/1")[0] == 200
    faults.mend(demo)
    assert ask(demo, "door", "/health")[1]["writable"] is True


def test_slow_makes_lookups_slow_until_it_is_mended(copied: Demo) -> None:
    before = ask(copied, "door", "/stats")[1]["query_ms"]
    faults.break_it(copied, "slow")
    slow = ask(copied, "door", "/stats", timeout_s=60)[1]["query_ms"]
    faults.mend(copied)
    after = ask(copied, "door", "/stats")[1]["query_ms"]
    assert slow > 20 * before
    assert slow > 20 * after


def test_corrupt_alters_rows_behind_the_copy(copied: Demo) -> None:
    assert _orders(copied, "old") == _orders(copied, "new")
    faults.break_it(copied, "corrupt")
    assert len(_orders(copied, "old")) == len(_orders(copied, "new"))
    assert _orders(copied, "old") != _orders(copied, "new")
    faults.mend(copied)
    assert _orders(copied, "old") == _orders(copied, "new")


def test_corrupt_damages_the_backup_where_nothing_is_copied_yet(demo: Demo) -> None:
    before = demo.nightly.read_bytes()
    faults.break_it(demo, "corrupt")
    faults.break_it(demo, "corrupt")
    assert demo.nightly.read_bytes() != before
    faults.mend(demo)
    assert demo.nightly.read_bytes() == before


def test_a_damaged_backup_fails_its_restore_test(demo: Demo) -> None:
    damaged = demo.nightly.read_bytes()[: 100 * 4096]
    demo.nightly.write_bytes(damaged)
    with pytest.raises(sqlite3.DatabaseError):
        shop_store.restore_test(demo.nightly, demo.directory / "scratch")


def test_practice_keeps_its_secret_unless_asked(demo: Demo, switchover: Switchover) -> None:
    secret = switchover("demo", demo.directory, "--fault", "disk", "--headless")
    told = switchover("demo", demo.directory, "--fault", "disk", "--explain", "--headless")
    assert "something is broken now; find it" in secret.stderr.lower()
    assert "quota" not in secret.stderr
    assert "quota" in told.stderr
    assert "--mend" in secret.stderr
    assert secret.stdout == f"{demo.plan}\n"


def test_mending_where_nothing_is_broken_says_so(demo: Demo, switchover: Switchover) -> None:
    done = switchover("demo", demo.directory, "--mend")
    assert (done.returncode, done.stdout) == (0, "nothing was broken\n")
