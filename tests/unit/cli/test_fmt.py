"""`switchover fmt`: one style, each comment and value kept, the same twice, and never another meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

import switchover
from switchover.cli import parser as cli
from switchover.cli.fmt.plan_style import LONGEST_LINE, in_style
from switchover.errors import PlanError, SwitchoverError
from switchover.plan.loader.load import load_plan_text

EXAMPLES = Path(switchover.__file__).parent / "examples"
HERE = Path("p.yaml")
ODD = """\
# head

schema:   1   # the version
id: a
title: yes

vars:
    v:   {default: 007}   # three
    w: {type: str, default: 'it''s'}
# between
checks:
- &x 2026-01-31
# mid
- *x
text: |
    rm -rf  "$A"

    # no comment
folded: >-
    one
    two
# end
"""


@pytest.mark.parametrize("name", ["demo.yaml", "every_key.yaml"])
def test_a_plan_in_style_is_the_same_plan_and_stays_as_it_is(name: str) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    shown = in_style(text, HERE)
    assert load_plan_text(shown, EXAMPLES / name).plan == load_plan_text(text, EXAMPLES / name).plan
    assert in_style(shown, HERE) == shown
    assert shown.count("#") == text.count("#")


def test_comments_and_values_stay_as_they_are_written() -> None:
    shown = in_style(ODD, HERE)
    assert shown.startswith("# head\n\nschema: 1")
    for part in (
        "# the version\n",
        "default: 007}",
        "# three\n",
        "'it''s'",
        "&x 2026-01-31",
        "  # mid\n",
        "\n# between\n",
    ):
        assert part in shown
    assert '  rm -rf  "$A"\n\n  # no comment\n' in shown
    assert in_style(shown, HERE) == shown


def test_long_flow_collections_are_broken_from_the_outside() -> None:
    text = "a: {b: [x, y], c: {d: " + "e" * 80 + ", f: g}}\nh: [i, j]\n"
    shown = in_style(text, HERE)
    assert shown == "a:\n  b: [x, y]\n  c: {d: " + "e" * 80 + ", f: g}\nh: [i, j]\n"
    assert max(map(len, shown.splitlines())) <= LONGEST_LINE


def test_what_cannot_be_kept_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SwitchoverError, match="a comment would be lost"):
        in_style("x: {a: 1, # why\n  b: 2}\n", HERE)
    with pytest.raises(PlanError):
        in_style("a: 1\na: 2\n", HERE)
    (tmp_path / "p.yaml").write_text("a: [1\n")
    assert cli.main(["fmt", str(tmp_path / "p.yaml"), str(tmp_path / "none.yaml")]) == 2
    said = capsys.readouterr().err
    assert "p.yaml:" in said
    assert "there is no such file" in said
    assert (tmp_path / "p.yaml").read_text() == "a: [1\n"


def test_the_file_is_replaced_and_keeps_its_mode_and_its_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "p.yaml"
    real.write_text("a:   1\n")
    real.chmod(0o640)
    link.symlink_to("real.yaml")
    assert cli.main(["fmt", "--check", str(link)]) == 1
    assert real.read_text() == "a:   1\n"
    assert "is not in style" in capsys.readouterr().out
    assert cli.main(["fmt", str(link)]) == 0
    assert (real.read_text(), real.stat().st_mode & 0o777, link.is_symlink()) == ("a: 1\n", 0o640, True)
    before = real.stat().st_ino
    assert cli.main(["fmt", str(link)]) == 0
    assert cli.main(["fmt", "--check", str(link)]) == 0
    assert real.stat().st_ino == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.yaml", "real.yaml"]
