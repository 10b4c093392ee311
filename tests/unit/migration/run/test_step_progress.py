"""A line of a step's output that tells how far it is."""

import pytest

from switchover.migration.reports.step_progress import progress_of


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("progress: 40 %", 0.4),
        ("  Progress: 12.5%  ", 0.125),
        ("progress: 3/10", 0.3),
        ("progress: 0.4", 0.4),
        ("progress: 0", 0.0),
        ("progress: 100 %", 1.0),
        ('{"progress": 0.4}', 0.4),
        ('{"at": "copy", "progress": "40 %"}', 0.4),
        ('{"progress": 1}', 1.0),
    ],
)
def test_a_percentage_a_part_and_a_fraction_are_understood(line: str, share: float) -> None:
    assert progress_of(("copying", line, "more")) == pytest.approx(share)


@pytest.mark.parametrize(
    "line",
    [
        "progress: 140 %",
        "progress: -1 %",
        "progress: 3/0",
        "progress: 11/10",
        "progress: 40",
        "progress: nan",
        "progress: soon",
        "progress:",
        "no progress: 40 %",
        '{"progress": 40}',
        '{"progress": true}',
        '{"progress": NaN}',
        '{"progress": 1e999}',
        '{"progress": [0.4]}',
        '{"progress": 0.4',
        '{"progress": ' + "[" * 3000,
        '["progress", 0.4]',
        '{"x": "' + "y" * 5000 + '", "progress": 0.4}',
    ],
)
def test_what_is_no_share_of_a_whole_tells_nothing(line: str) -> None:
    assert progress_of((line,)) is None


def test_the_newest_line_counts_and_one_that_tells_nothing_hides_none() -> None:
    assert progress_of(("progress: 20 %", "progress: 30 %", "progress: 900 %", "copied")) == pytest.approx(0.3)
    assert progress_of(()) is None
