"""A file that is no plan is refused at once, with the reason, and without reading more of it than needed."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan, load_plan_text
from switchover.plan.plan_bytes import MAX_PLAN_BYTES


def _refusal(path: Path) -> str:
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    assert len(caught.value.problems) == 1
    assert caught.value.exit_code == 2
    return str(caught.value)


def _written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    return path


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: there is no such file"


def test_a_directory_is_not_a_plan(tmp_path: Path) -> None:
    assert "it is a directory" in _refusal(tmp_path)


def test_an_endless_device_is_not_a_plan() -> None:
    assert "not a regular file" in _refusal(Path("/dev/zero"))


def test_a_pipe_that_nobody_writes_to_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.yaml")
    assert "not a regular file" in _refusal(tmp_path / "plan.yaml")


def test_an_unreadable_plan_says_why(tmp_path: Path) -> None:
    path = _written(tmp_path, b"schema: 1")
    path.chmod(0)
    operator = os.geteuid()
    if operator == 0:
        os.seteuid(65534)  # root may read everything
    try:
        assert "Permission denied" in _refusal(path)
    finally:
        os.seteuid(operator)


def test_a_path_through_a_file_says_why(tmp_path: Path) -> None:
    path = _written(tmp_path, b"schema: 1")
    assert "Not a directory" in _refusal(path / "plan.yaml")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n", b"---\n", b"\xef\xbb\xbf"])
def test_an_empty_plan_says_so(tmp_path: Path, content: bytes) -> None:
    assert "the plan is empty" in _refusal(_written(tmp_path, content))


@pytest.mark.parametrize("content", [b"just text", b"- a\n- list\n", b"42"])
def test_what_is_no_mapping_is_told_what_a_plan_is(tmp_path: Path, content: bytes) -> None:
    assert "a plan is a mapping of keys" in _refusal(_written(tmp_path, content))


def test_fifty_megabytes_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    tracemalloc.start()
    try:
        assert "too large for a plan (52,428,800 bytes" in _refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_PLAN_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"schema: 1\nid: \xe9t\xe9\n", ":2:5:", "not UTF-8 (byte 0xe9)"),
        (b"schema: 1\n\0\0\0", ":2:1:", "zero byte"),
        (b"\x7fELF\x02\x01", ":", "it is a program"),
        (b"\x1f\x8b\x08rest", ":", "gzip"),
        ("schema: 1".encode("utf-16"), ":", "UTF-16"),
        (b"schema: 1\nid: \x1b[31mred\n", ":2:5:", "U+001B"),
        ("schema: 1\nid: a\u202eb\n".encode(), ":2:6:", "U+202E is invisible"),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(tmp_path: Path, content: bytes, place: str, reason: str) -> None:
    path = _written(tmp_path, content)
    message = _refusal(path)
    assert message.startswith(f"{path}{place}")
    assert reason in message


def test_the_digest_is_that_of_the_files_bytes_whatever_its_line_ends(tmp_path: Path, example: str) -> None:
    content = b"\xef\xbb\xbf" + example.replace("\n", "\r\n").encode()
    loaded = load_plan(_written(tmp_path, content))
    assert loaded.digest == hashlib.sha256(content).hexdigest()
    assert load_plan_text(loaded.text, loaded.path).digest == loaded.digest
    assert loaded.plan.id == "shop-move"


def test_paths_start_where_the_file_really_lies(tmp_path: Path, example: str) -> None:
    (tmp_path / "real").mkdir()
    path = tmp_path / "real" / "v2.yaml"
    path.write_text(example)
    (tmp_path / "current.yaml").symlink_to(path)
    assert load_plan(tmp_path / "current.yaml").directory == tmp_path / "real"


def test_a_half_written_plan_is_either_told_or_whole_but_never_a_crash(tmp_path: Path, example: str) -> None:
    told: list[PlanError] = []
    for length in range(0, len(example), 211):
        try:
            load_plan_text(example[:length], tmp_path / "plan.yaml")
        except PlanError as error:
            told.append(error)
    assert len(told) > 20
    assert all(problem.message for error in told for problem in error.problems)


def test_a_plan_of_a_thousand_steps_and_five_hundred_checks_is_read(tmp_path: Path) -> None:
    lines = ["schema: 1", "id: big", "title: Big", "checks:"]
    for number in range(500):
        lines += [f"  c{number}:", "    kind: file", f"    title: File {number}", "    path: x", "    every: 15s"]
        lines += [f"    needs: [c{number - 1}]"] if number % 10 else []
    lines.append("phases:")
    for phase in range(20):
        lines += [f"  - id: p{phase}", "    steps:"]
        for step in range(50):
            lines += [f"      - id: s{phase}-{step}", f"        title: Step {step}", "        run: |"]
            lines += ["          echo one", "          echo two", "        env: {A: '1', B: '2'}"]
            lines += ["        effect: changes", "        timeout: 60s", "        expect_duration: 10s"]
            lines += ["        rollback: {run: 'echo undo', expect_duration: 5s}"]
        lines.append(f"    gate: {{require: [c{phase}]}}")
    path = tmp_path / "big.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    plan = load_plan(path).plan
    assert len(plan.checks) == 500
    assert sum(len(phase.steps) for phase in plan.phases) == 1000
