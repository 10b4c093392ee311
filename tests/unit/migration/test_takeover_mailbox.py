"""Asking another process for its run, by two small files."""

from pathlib import Path

from tests.unit.migration.harness import BEN

from switchover.migration.run.takeover_mailbox import TakeoverMailbox


def test_a_question_waits_for_its_answer_and_no_longer_than_it_may(tmp_path: Path) -> None:
    box = TakeoverMailbox(tmp_path)
    assert box.question(100.0) is None
    question = box.ask(BEN, 100.0, 60.0)
    assert box.question(159.0) == question
    assert box.question(160.0) is None
    assert box.question(50.0) is None
    assert question.by == BEN


def test_an_answer_belongs_to_its_question_alone(tmp_path: Path) -> None:
    box = TakeoverMailbox(tmp_path)
    first = box.ask(BEN, 100.0, 60.0)
    box.answer(first, granted=False, why="refused")
    assert box.question(101.0) is None
    answer = box.answer_to(first)
    assert answer is not None
    assert (answer.granted, answer.why) == (False, "refused")
    second = box.ask(BEN, 102.0, 60.0)
    assert box.question(103.0) == second
    assert box.answer_to(second) is None


def test_a_word_from_another_terminal_is_no_answer_yet(tmp_path: Path) -> None:
    box = TakeoverMailbox(tmp_path)
    question = box.ask(BEN, 100.0, 60.0)
    box.say(question, granted=True, why="handed over")
    assert box.answer_to(question) is None
    said = box.said(question)
    assert said is not None
    assert said.granted
    assert box.said(box.ask(BEN, 101.0, 60.0)) is None


def test_what_cannot_be_read_is_no_question(tmp_path: Path) -> None:
    (tmp_path / "takeover.json").write_text("{")
    assert TakeoverMailbox(tmp_path).question(100.0) is None
