import threading

from switchover.demo import do
from switchover.demo.demo_processes import ask, end, start
from switchover.demo.layout import Demo, write_whole
from switchover.demo.shop_store import create_empty


def test_the_door_says_which_side_is_live(demo: Demo) -> None:
    status, door = ask(demo, "door", "/_door")
    assert (status, door["live"], door["environment"]) == (200, "old", "before")


def test_a_live_side_that_nobody_knows_serves_nobody(demo: Demo) -> None:
    write_whole(demo.live_file, "purple\n")
    status, answer = ask(demo, "door", "/health")
    assert status == 503
    assert "purple" in answer["error"]


def test_a_live_side_that_is_down_is_a_bad_gateway(demo: Demo) -> None:
    end(demo, "old")
    status, answer = ask(demo, "door", "/health")
    assert status == 502
    assert "old" in answer["error"]


def test_a_switch_under_load_loses_no_visitor(demo: Demo) -> None:
    create_empty(demo.store("new"))
    start(demo, "new")
    done = threading.Event()
    sides: list[str] = []
    failures: list[tuple[int, object]] = []

    def visit() -> None:
        while not done.is_set():
            status, answer = ask(demo, "door", "/health")
            if status == 200:
                sides.append(answer["side"])
            else:
                failures.append((status, answer))

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for side in ("new", "old", "new", "old", "new"):
        do.switch(demo, side)
        seen = len(sides)
        while len(sides) < seen + 20:
            assert all(visitor.is_alive() for visitor in visitors)
    done.set()
    for visitor in visitors:
        visitor.join()
    assert not failures
    assert set(sides) == {"old", "new"}
    assert ask(demo, "door", "/health")[1]["side"] == "new"


def test_the_live_side_is_kept_when_the_door_starts_again(demo: Demo) -> None:
    create_empty(demo.store("new"))
    start(demo, "new")
    do.switch(demo, "new")
    end(demo, "door")
    start(demo, "door")
    assert ask(demo, "door", "/_door")[1]["live"] == "new"
