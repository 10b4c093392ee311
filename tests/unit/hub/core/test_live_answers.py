"""Which side serves now, asked of a file, a symbolic link, a command or DNS."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.checks.kinds.test_dns import name_server
from tests.unit.health.health_fakes import StillClock, plan, scope_of

from switchover.errors import PlanError
from switchover.hub.core.live_side import LiveSide
from switchover.metrics.json_documents import JsonDocuments
from switchover.plan.loader.load import load_plan_text

PLAN = "sides: {{before: {{}}, after: {{}}}}\nlive: {{{probe}}}\n"


async def asked(folder: Path, probe: str) -> LiveSide:
    loaded = plan(PLAN.format(probe=probe))
    assert loaded.plan.live is not None
    live = LiveSide(loaded.plan, loaded.plan.live, JsonDocuments(), StillClock(), folder)
    await live.ask(scope_of(loaded))
    return live


@pytest.mark.parametrize("probe", ["file: live", "symlink: current", "run: cat live"])
async def test_the_side_that_a_file_a_link_or_a_command_names_is_live(tmp_path: Path, probe: str) -> None:
    (tmp_path / "live").write_text("after\n")
    (tmp_path / "current").symlink_to("/srv/after")
    live = await asked(tmp_path, probe)
    assert (live.side, live.why) == ("after", "")


@pytest.mark.parametrize(
    ("probe", "why"),
    [
        ("file: none", "none: No such file or directory"),
        ("symlink: none", "none: No such file or directory"),
        ("run: exit 3", "the command ends with 3"),
        ("run: echo elsewhere", "names 'elsewhere', which is no side of the plan; it has before, after"),
    ],
)
async def test_what_names_no_side_says_why(tmp_path: Path, probe: str, why: str) -> None:
    live = await asked(tmp_path, probe)
    assert (live.side, live.why) == ("", why)


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ("file: a, run: b", "the live side is asked of one thing"),
        ("every: 5s", "the live side is asked of one thing"),
        ("run: 'cat {{ id }}'", "a template inside shell text"),
        ("dns: a.example.org", "say which records each side has"),
        ("dns: a.example.org, answers: {befor: 192.0.2.1}", "there is no side 'befor'"),
        ("dns: a.example.org, answers: {before: 192.0.2.1, after: [192.0.2.1]}", "they tell nothing apart"),
        ("url: 'http://a', record: A", "`record` is for a live side that DNS tells"),
    ],
)
def test_a_probe_of_nothing_or_of_several_things_is_refused(probe: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        load_plan_text(
            f"schema: 1\nid: p\ntitle: P\nsides: {{before: {{}}, after: {{}}}}\nlive: {{{probe}}}\n", Path("p.yaml")
        )


@pytest.mark.parametrize(
    ("name", "answers", "side", "why"),
    [
        ("Shop.example.org", "{before: 192.0.2.1, after: [203.0.113.11, 203.0.113.10]}", "after", ""),
        ("shop.example.org", "{before: 192.0.2.1, after: 203.0.113.10}", "", "which is no side's"),
        ("gone.example.org", "{before: 192.0.2.1}", "", "gone.example.org is nothing, which is no side's"),
    ],
)
async def test_the_side_whose_records_a_name_has_is_live(
    tmp_path: Path, name: str, answers: str, side: str, why: str
) -> None:
    async with name_server() as server:
        live = await asked(tmp_path, f'dns: {name}, server: "{server}", answers: {answers}')
    assert (live.side, why in live.why) == (side, True)


async def test_a_server_that_does_not_answer_names_no_side(tmp_path: Path) -> None:
    live = await asked(tmp_path, 'dns: shop.example.org, server: "127.0.0.1:9", answers: {before: 192.0.2.1}')
    assert (live.side, "connection refused" in live.why) == ("", True)
