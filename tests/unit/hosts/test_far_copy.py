"""The copy of an output from another machine: uncovered, redacted, its gaps told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchover.hosts.there.keystream import BLOCK, Keystream
from switchover.migration.steps.far_copy import FarCopy
from switchover.migration.steps.sealing import seal

KEY = b"k" * 32


@given(st.integers(0, 3 * BLOCK), st.binary(max_size=3 * BLOCK), st.integers(0, 3 * BLOCK))
def test_what_is_covered_anywhere_is_uncovered_there_in_whatever_parts(offset: int, data: bytes, cut: int) -> None:
    covered = Keystream(KEY).cross(offset, data)
    again = Keystream(KEY)
    assert again.cross(offset, covered[:cut]) + again.cross(offset + len(covered[:cut]), covered[cut:]) == data
    assert len(data) < 16 or covered != data


def _copy(folder: Path, **secrets: str) -> FarCopy:
    return FarCopy(folder, KEY, secrets, {}, 1 << 20)


def _text(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.glob("out-*")))


def _take(copy: FarCopy, offset: int, data: bytes) -> None:
    copy.take(offset, Keystream(KEY).cross(offset, data))


def test_what_comes_twice_is_written_once(tmp_path: Path) -> None:
    copy = _copy(tmp_path)
    _take(copy, 0, b"one two ")
    _take(copy, 4, b"two three")
    copy.finish()
    assert _text(tmp_path) == "one two three"


def test_a_secret_is_taken_out_across_parts(tmp_path: Path) -> None:
    copy = _copy(tmp_path, pw="hunter2-hunter2")
    _take(copy, 0, b"pw=hunter2-")
    _take(copy, 11, b"hunter2\n")
    copy.finish()
    assert "hunter2" not in _text(tmp_path)


def test_behind_a_gap_no_half_of_a_secret_is_shown(tmp_path: Path) -> None:
    copy = _copy(tmp_path, pw="hunter2-hunter2")
    _take(copy, 0, b"begin\npw=hunter2-")
    _take(copy, 1000, b"hunter2\n" + b"." * 500 + b"\nend\n")
    copy.finish()
    text = _text(tmp_path)
    assert "[983 bytes were not kept]" in text
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    assert "hunter2" not in text


@pytest.mark.parametrize("value", ["s3cr3t-s3cr3t"])
def test_a_value_that_nobody_may_read_is_hidden_from_when_it_is_told(tmp_path: Path, value: str) -> None:
    copy = _copy(tmp_path)
    copy.hide({"step.pw": seal(KEY, value, "hidden")})
    _take(copy, 0, f"pw={value}\n".encode())
    copy.finish()
    assert value not in _text(tmp_path)
