"""The line to the terminal: what is under way, what is late, and when frames wait."""

from __future__ import annotations

from switchover.terminal.link import PATIENCE, WINDOW, TerminalLink


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make() -> tuple[TerminalLink, Clock]:
    clock = Clock()
    return TerminalLink(clock), clock


def ask(link: TerminalLink) -> None:
    assert link.wants_question()
    link.asked()


def test_frames_wait_while_more_than_the_window_is_under_way() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    clock.now += 0.02
    link.answered()
    link.sent(WINDOW + 1)
    ask(link)
    assert not link.may_send()
    clock.now += 0.1
    link.answered()
    assert link.may_send()


def test_what_was_written_after_the_question_is_still_under_way_when_the_answer_comes() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    link.answered()
    link.sent(1500)
    ask(link)
    link.sent(1500)
    clock.now += 0.05
    link.answered()
    link.sent(1000)
    assert link.wants_question()
    link.asked()
    assert not link.may_send()


def test_a_terminal_that_never_answers_is_not_waited_for() -> None:
    link, clock = make()
    link.sent(WINDOW * 4)
    ask(link)
    assert link.may_send()
    clock.now += PATIENCE
    assert link.may_send()
    link.sent(WINDOW * 4)
    assert not link.wants_question()


def test_a_lost_answer_holds_the_screen_for_a_bounded_time() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    link.answered()
    link.sent(WINDOW * 2)
    ask(link)
    assert not link.may_send()
    clock.now += PATIENCE
    assert link.may_send()


def test_a_quiet_line_is_not_asked_and_a_good_one_not_mentioned() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    clock.now += 0.03
    link.answered()
    assert link.text == ""
    link.sent(200)
    assert not link.wants_question()


def test_a_poor_line_is_told_with_round_trip_and_rate() -> None:
    link, clock = make()
    link.sent(5000)
    ask(link)
    clock.now += 0.5
    link.answered()
    assert link.text == "link 500 ms 1.0 KB/s"


def test_an_answer_is_due_only_where_one_was_asked_for_and_for_a_bounded_time() -> None:
    link, clock = make()
    assert link.answer_due_in == 0
    link.sent(10)
    ask(link)
    assert link.answer_due_in == 1.0
    clock.now += 0.4
    assert abs(link.answer_due_in - 0.6) < 1e-6
    clock.now += 2
    assert link.answer_due_in == 0


def test_nobody_waits_for_a_terminal_that_never_answers() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    clock.now += PATIENCE
    assert link.may_send()
    clock.now += 30
    ask(link)
    assert link.answer_due_in == 0


def test_a_burst_on_a_quick_line_is_nothing_to_tell() -> None:
    link, clock = make()
    link.sent(10)
    ask(link)
    clock.now += 0.02
    link.answered()
    link.sent(WINDOW + 1)
    ask(link)
    assert not link.may_send()
    assert not link.poor
