from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from switchover import __version__
from switchover.cli import parser as cli
from switchover.cli.verb_list import verbs
from switchover.errors import LockedError, PlanError, PlanProblem, RefusedError


def switchover(*words: str, cwd: Path | None = None, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-P", "-m", "switchover", *words],
        text=True,
        cwd=cwd,
        check=False,
        **{"stdin": subprocess.DEVNULL, "capture_output": True, **options},
    )


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> type:
    """Put a verb `status` in place that does what a test says."""

    class Verb:
        error: BaseException | None = None
        state: str | None = None

        @staticmethod
        def add_arguments(parser: object) -> None:
            pass

        @classmethod
        def run(cls, args: object) -> int:
            cls.state = getattr(args, "state", None)
            if cls.error is not None:
                raise cls.error
            return 4

    monkeypatch.setattr(cli, "import_module", lambda name: Verb)
    return Verb


def test_the_version_is_told_on_standard_output() -> None:
    done = switchover("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"switchover {__version__}\n", "")


def test_help_lists_every_verb_in_one_line_each() -> None:
    done = switchover("--help")
    assert done.returncode == 0
    for verb, (_, text) in verbs().items():
        assert f"  {verb}" in done.stdout
        assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek"], "did you mean `switchover check`?"),
        (["stauts", "plan.yaml"], "stauts"),
        (["nothing-like-it"], "neither a verb nor a plan file"),
        (["./absent.yaml"], "there is no plan file ./absent.yaml"),
        (["absent.yaml"], "the verbs are check, push, run"),
        (["."], "is a directory, not a plan"),
        (["--read-olny"], "did you mean --read-only?"),
        (["doctor", "--nonsense"], "see `switchover doctor --help`"),
        (["agent", "fly"], "invalid choice: 'fly'"),
        (["--state"], "expected one argument"),
    ],
)
def test_a_wrong_command_line_says_what_to_do_and_exits_with_2(words: list[str], says: str, tmp_path: Path) -> None:
    done = switchover(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--state", "--journal", "--theme", "--fps"])
def test_the_value_of_an_option_before_a_plan_is_not_taken_for_the_plan(option: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("")
    done = switchover(option, "7", "plan.yaml", cwd=tmp_path)
    assert "the screen needs a terminal" in done.stderr, done.stderr


def test_every_option_of_the_screen_that_takes_a_value_is_known_to_take_one() -> None:
    listed = re.findall(r"^  (--[\w-]+) [A-Z]+", switchover("--help").stdout, re.MULTILINE)
    assert listed
    assert not set(listed) - set(cli._WITH_VALUE)


def test_a_plan_whose_name_is_a_verb_is_opened_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "check").write_text("")
    done = switchover("./check", cwd=tmp_path)
    assert "needs a terminal" in done.stderr


def test_without_a_terminal_the_screen_is_refused_and_the_verbs_are_named(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("")
    done = switchover("p.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "switchover status PLAN" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--format", "json", "status", "a plan"],
            "write it after the verb: `switchover status 'a plan' --format json`",
        ),
        (["audit"], "write `switchover audit verify|show [PLAN]`; see `switchover audit --help`"),
        (["waive"], "write `switchover waive PLAN CHECK`"),
    ],
)
def test_what_is_lacking_or_in_the_wrong_place_is_answered_with_what_to_type(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_a_directory_that_has_gone_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {sys.executable} -P -m switchover check plan.yaml"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "current directory is gone" in done.stderr


def test_the_state_directory_may_be_named_before_or_after_the_verb(verb: type) -> None:
    for words in (["--state", "/a", "status"], ["status", "--state", "/a"], ["status", "--state=/a"]):
        verb.state = None  # type: ignore[attr-defined]
        assert cli.main(words) == 4
        assert verb.state == "/a"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (RefusedError("the gate is shut", "wait for it"), 1, "switchover: the gate is shut\n  wait for it\n"),
        (LockedError("bob drives this run"), 5, "switchover: bob drives this run\n"),
        (PlanError([PlanProblem("p.yaml", 3, 1, "vars.a", "unknown")]), 2, "p.yaml:3:1: vars.a: unknown\n"),
        (KeyboardInterrupt(), 130, "switchover: interrupted\n"),
        (RefusedError("evil \x1b[31mred\x07"), 1, "switchover: evil red\n"),
    ],
)
def test_every_error_ends_in_words_and_an_exit_code(
    verb: type, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, says: str
) -> None:
    verb.error = error  # type: ignore[attr-defined]
    assert cli.main(["status"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(says)


def test_a_defect_is_one_line_and_its_details_lie_in_a_private_file_without_secrets(
    verb: type, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PG_PASSWORD", "hunter2-canary")
    verb.error = ValueError("at postgresql://u:s3cret@db/x with hunter2-canary")  # type: ignore[attr-defined]
    assert cli.main(["--state", str(tmp_path), "status"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "unexpected ValueError" in captured.err
    (report,) = (tmp_path / "crashes").glob("*.txt")
    assert str(report) in captured.err
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text()
    assert "Traceback" in text
    assert "hunter2" not in text
    assert "s3cret" not in text


def test_reports_of_defects_do_not_pile_up(verb: type, tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    folder.mkdir()
    for number in range(30):
        (folder / f"20200101T0000{number:02}Z-1.txt").write_text("old")
    verb.error = ValueError()  # type: ignore[attr-defined]
    cli.main(["--state", str(tmp_path), "status"])
    assert len(list(folder.iterdir())) == 10


def test_a_reader_that_goes_away_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = switchover("--help", capture_output=False, stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_files_that_are_closed_harm_nothing() -> None:
    script = f"exec {sys.executable} -P -m switchover --help <&- >&-"
    done = subprocess.run(["sh", "-c", script], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_output_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = switchover("--help", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "could not be written: No space left" in done.stderr
