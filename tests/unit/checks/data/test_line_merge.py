"""Two streams of rows as bytes: every row that is not the same on both sides lies in a range that is read again."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from switchover_checks.data.comparison.line_merge import LineMerge, MergeOutcome
from switchover_checks.data.comparison.row_keys import BINARY_KEYS, BinaryKeys, OddKeyError

KEY = BinaryKeys([BINARY_KEYS["integer"]])


class Nobody:
    def passed(self, *_: object) -> None: ...


Rows = dict[int, bytes]


def line(key: int, value: bytes) -> bytes:
    return struct.pack(">hii", 2, 4, key) + struct.pack(">i", len(value)) + value


def stream(rows: Rows, batch: int) -> Iterator[list[bytes]]:
    lines = [line(key, rows[key]) for key in sorted(rows)]
    yield from (lines[start : start + batch] for start in range(0, len(lines), batch))


def merged(left: Rows, right: Rows, batches: tuple[int, int] = (7, 5)) -> MergeOutcome:
    return LineMerge(stream(left, batches[0]), stream(right, batches[1]), KEY, Nobody()).run()


def within(outcome: MergeOutcome, rows: Rows) -> list[list[int]]:
    """Return the keys that each range holds of a side."""
    ends = [(r.keys.after, r.keys.upto) for r in outcome.ranges]
    return [[k for k in sorted(rows) if (a is None or (k,) > a) and (u is None or (k,) <= u)] for a, u in ends]


@pytest.mark.parametrize("seed", range(60))
def test_every_difference_lies_in_a_range_whose_rows_were_counted(seed: int) -> None:
    rng = random.Random(seed)
    left = dict.fromkeys(rng.sample(range(-500, 500), rng.randrange(0, 400)), b"x")
    right = dict(left)
    for _ in range(rng.randrange(0, 12)):
        start = rng.randrange(-500, 500)
        for key in range(start, start + rng.choice((1, 1, 1, 40))):
            right.pop(key, None) if rng.random() < 0.5 else right.update({key: bytes([rng.randrange(97, 123)])})
    outcome = merged(left, right, (rng.randrange(1, 60), rng.randrange(1, 60)))
    differing = {k for k in left.keys() | right.keys() if left.get(k) != right.get(k)}
    assert outcome.rows == [len(left), len(right)]
    read_again = {k for keys in (*within(outcome, left), *within(outcome, right)) for k in keys}
    assert differing <= read_again
    counted = [r.rows for r in outcome.ranges]
    both = zip(within(outcome, left), within(outcome, right), strict=True)
    assert counted == [(len(a), len(b)) for a, b in both]


def test_what_is_equal_is_no_range_at_all() -> None:
    rows = dict.fromkeys(range(1000), b"v")
    assert merged(rows, rows).ranges == []
    assert merged({}, {}).rows == [0, 0]


def test_rows_that_all_differ_are_left_to_the_exact_comparison_soon() -> None:
    left, right = dict.fromkeys(range(30_000), b"a"), dict.fromkeys(range(30_000), b"b")
    outcome = merged(left, right, (2000, 2000))
    assert outcome.ranges[-1].rows is None
    assert max(outcome.rows) <= 20_000


def test_rows_out_of_order_are_never_followed() -> None:
    left = iter([[line(key, b"l") for key in (1, 3, 2, 4)]])
    right = iter([[line(key, b"r") for key in (1, 3, 2, 4)]])
    with pytest.raises(OddKeyError):
        LineMerge(left, right, KEY, Nobody()).run()
