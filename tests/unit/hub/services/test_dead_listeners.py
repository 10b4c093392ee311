from __future__ import annotations

from dataclasses import replace

from switchover.hub.services.dead_listeners import DeadListeners
from switchover.snapshot import ServiceRow

WEB = ServiceRow(
    "web", "", "process", "running", "ok", id="process:7", identity="7:1", pid=7, ports=("0.0.0.0:80",)
)  # fmt: skip
OTHER = ServiceRow("job", "", "process", "running", "ok", id="process:9", identity="9:1", pid=9)
KILLED = replace(WEB, state="stopped", health="warn", detail="pid 7 ended: killed by SIGKILL", ports=(), pid=None)


def settled() -> DeadListeners:
    listeners = DeadListeners()
    assert listeners.follow((WEB, OTHER), 100.0) == ()
    assert listeners.follow((WEB, replace(OTHER)), 200.0) == ()
    return listeners


def test_a_listener_that_died_is_said_with_how_it_ended_and_stays_after_its_row_has_gone() -> None:
    listeners = settled()
    (dead,) = listeners.follow((KILLED, OTHER), 201.0)
    assert (dead.name, dead.health, dead.state, dead.wrong_since) == ("web on 0.0.0.0:80", "crit", "stopped", 201.0)
    assert dead.detail == "nothing listens on 0.0.0.0:80 any more: pid 7 ended: killed by SIGKILL"
    assert dead.actions == ("logs", "inspect"), "what is kept of it"
    assert listeners.follow((OTHER,), 9000.0) == (dead,)


def test_it_goes_once_a_person_has_seen_it_or_something_listens_there_again() -> None:
    listeners = settled()
    (dead,) = listeners.follow((OTHER,), 201.0)
    assert "pid 7 has gone" in dead.detail
    assert dead.health == "warn", "how it ended is not known"
    listeners.seen("listener:another")
    assert listeners.follow((OTHER,), 202.0) == (dead,)
    listeners.seen(dead.id)
    assert listeners.follow((replace(OTHER),), 203.0) == ()
    again = settled()
    assert again.follow((OTHER,), 201.0)
    assert again.follow((replace(WEB, id="process:8", identity="8:1", pid=8), OTHER), 202.0) == ()


def test_another_process_that_listens_there_already_is_no_loss() -> None:
    worker = replace(WEB, id="process:8", identity="8:1", pid=8)
    listeners = DeadListeners()
    listeners.follow((WEB, worker), 100.0)
    listeners.follow((replace(WEB), worker), 200.0)
    assert listeners.follow((KILLED, worker), 201.0) == ()


def test_what_listened_for_a_moment_only_was_no_service() -> None:
    listeners = DeadListeners()
    listeners.follow((WEB, OTHER), 100.0)
    assert listeners.follow((KILLED, OTHER), 130.0) == ()


def test_a_port_that_the_kernel_chose_is_told_only_of_one_that_was_killed() -> None:
    for after, told in ((OTHER, 0), (replace(KILLED, health="ok", detail="pid 7 ended: exit 0"), 0), (KILLED, 1)):
        listeners = DeadListeners()
        listeners.follow((replace(WEB, ports=("127.0.0.1:40123",)), OTHER), 100.0)
        assert len(listeners.follow((after, OTHER), 201.0)) == told


def test_a_list_without_ports_and_one_that_is_empty_say_nothing() -> None:
    listeners = settled()
    assert listeners.follow((replace(WEB, ports=()), OTHER), 201.0) == ()
    assert listeners.follow((), 202.0) == ()
    assert listeners.follow((OTHER,), 203.0)


def test_several_ports_of_one_process_are_one_loss_that_goes_port_by_port_once_they_answer_again() -> None:
    listeners = DeadListeners()
    many = replace(WEB, ports=("0.0.0.0:443", "0.0.0.0:80", "[::]:80", "127.0.0.1:9000"))
    for now in (100.0, 200.0):
        listeners.follow((replace(many), OTHER), now)
    (dead,) = listeners.follow((OTHER,), 201.0)
    assert dead.name == "web on 0.0.0.0:80, [::]:80, 0.0.0.0:443 and 1 more"
    other = replace(WEB, id="process:8", identity="8:1", pid=8, ports=("0.0.0.0:80", "[::]:80"))
    (left,) = listeners.follow((other, OTHER), 202.0)
    assert (left.id, left.name) == (dead.id, "web on 0.0.0.0:443, 127.0.0.1:9000")
    listeners.seen(dead.id)
    assert listeners.follow((replace(other), OTHER), 203.0) == ()


def test_two_processes_that_died_are_two_losses() -> None:
    listeners = DeadListeners()
    two = replace(WEB, id="process:8", identity="8:1", pid=8, ports=("0.0.0.0:81",))
    for now in (100.0, 200.0):
        listeners.follow((replace(WEB), two, OTHER), now)
    assert len(listeners.follow((OTHER,), 201.0)) == 2
