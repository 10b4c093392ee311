"""Following output by absolute offset."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.migration.steps.bounded_output import BoundedOutput, Captures
from switchover.migration.steps.step_output import read_output, read_tail
from switchover.redaction import sanitize

_TEXT = st.lists(
    st.sampled_from([b"line\n", "é日✓".encode(), b"\x1b[31m", b"\x1b]0;t\x07", b"\xff", b"a\r", b"\r\n", b"x" * 40]),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(_TEXT, st.integers(1, 50), st.lists(st.integers(1, 60), min_size=1, max_size=9))
def test_whatever_the_chunks_a_follower_sees_all_of_it_once(parts: list[bytes], limit: int, cuts: list[int]) -> None:
    data = b"".join(parts)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        output = BoundedOutput(name, 10_000, 10_000)
        seen, offset, written, turn = "", 0, 0, 0
        complete = False
        while not complete:
            count = cuts[turn % len(cuts)]
            output.write(data[written : written + count])
            written += count
            turn += 1
            chunk = read_output(directory, offset, limit, ended=written >= len(data))
            assert chunk.next_offset >= offset
            seen, offset, complete = seen + chunk.text, chunk.next_offset, chunk.complete
        output._close()
        assert offset == len(data)
        assert seen == sanitize(data)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", seen)


def test_what_was_dropped_is_said_and_the_rest_follows(tmp_path: Path) -> None:
    output = BoundedOutput(str(tmp_path), 100, 50)
    for number in range(100):
        output.write(f"line {number:03}\n".encode())
    output._close()
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 200
    first = read_output(tmp_path, 0, 10_000, ended=True)
    assert (len(first.text), first.next_offset) == (100, 100)
    rest = read_output(tmp_path, first.next_offset, 10_000, ended=True)
    assert "bytes were not kept]" in rest.text
    assert rest.text.endswith("line 099\n")
    assert (rest.next_offset, rest.complete) == (900, True)
    lines, total = read_tail(tmp_path, 3)
    assert (lines, total) == (("line 097", "line 098", "line 099"), 900)


def test_no_output_at_all_is_complete(tmp_path: Path) -> None:
    assert read_output(tmp_path, 0, 100, ended=True).complete
    assert read_tail(tmp_path, 10) == ((), 0)


def test_the_last_match_wins_across_chunks_and_without_a_line_end() -> None:
    captures = Captures({"ip": r"^IP=(\S+)$", "whole": r"v\d+"})
    for part in (b"IP=1\nx v1 I", b"P=2\nIP=", b"3\r\n v2\nIP=4 5\n", b"IP=", b"6"):
        captures.feed(part)
    captures.finish()
    assert captures.values == {"ip": "6", "whole": "v2"}
