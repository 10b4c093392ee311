"""What the pages show works as shown; what is written from the code says what the code says."""

from __future__ import annotations

import asyncio
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from tests.bench.__main__ import _NAMES as MEASUREMENTS
from tests.docs import pages as written
from tests.docs.blocks import DOCS, ROOT, Block, Command, blocks_of, hand_written_pages, inline_commands, pages
from tests.docs.playing import lay_down, play

from switchover.cli.parser import screen_parser, verb_parser
from switchover.cli.verb_list import verbs
from switchover.plan.conditions import parse_condition
from switchover.plan.loader.load import load_plan_text
from switchover.settings import load_settings
from switchover_checks.api import Status
from switchover_checks.language.expect import NameType, parse
from switchover_checks.language.thresholds import parse_range
from switchover_checks.language.units import parse_duration, parse_size
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

README = ROOT / "README.md"
BLOCKS = [block for page in pages() for block in blocks_of(page)]
STATE = "docs/state.md"  # in a folder of its own
HOSTS = "docs/hosts.md"  # its plan is only looked at
PLAYED = ("docs/first-plan.md", "docs/on-call.md", "docs/alerts.md", "docs/team.md")  # in this order, in one folder
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", [*written.PAGES, *written.PARTS])
def test_a_page_written_from_the_code_says_what_the_code_says(name: str) -> None:
    assert name not in written.drifted(DOCS), f"docs/{name}.md has drifted: `{written.COMMAND}` mends it"


def test_a_page_that_has_drifted_is_named_and_mended(tmp_path: Path) -> None:
    assert written.write_pages(tmp_path) == [*written.PAGES, *written.PARTS]
    assert written.drifted(tmp_path) == []
    page = tmp_path / "cli.md"
    page.write_text(page.read_text("utf-8").replace("`--until`", "`--untill`"), encoding="utf-8")
    assert written.drifted(tmp_path) == ["cli"]
    assert written.write_pages(tmp_path) == ["cli"]
    assert written.drifted(tmp_path) == []


@pytest.mark.parametrize("name", ["plan-reference", "checks-reference", "metrics-reference"])
def test_every_key_says_what_it_means(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text("utf-8")
    tables = re.findall(r"^\| key \| takes \| default \| meaning \|\n.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 10
    assert [row for row in rows if row.endswith("| |")] == []


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a host without Docker and without clouds."""
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    return folder


def test_every_command_that_a_page_shows_does_what_it_promises(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [block for page in PLAYED for block in BLOCKS if block.page == page]
    lay_down(blocks, workspace)
    said = play([command for block in blocks if block.mark == "" for command in block.commands()], workspace, capsys)
    assert "run 2 is done" in said
    assert (workspace / "report.md").exists()
    assert not (workspace / "old").exists()


def test_the_state_of_an_open_run_is_backed_up_and_restored_as_its_page_shows(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [block for block in BLOCKS if block.page == STATE]
    lay_down(blocks, workspace)
    said = play([command for block in blocks if block.mark == "" for command in block.commands()], workspace, capsys)
    assert "run 1 is done" in said
    assert "would remove" in said
    assert said.count("first started") == 1  # of all that the commands say, once


def test_the_plan_with_other_machines_is_valid_as_its_page_shows(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = [block for block in BLOCKS if block.page == HOSTS]
    lay_down(blocks, workspace)
    assert "ok" in play(
        [command for block in blocks if block.mark == "" for command in block.commands()], workspace, capsys
    )


def test_every_block_of_commands_is_played_or_says_that_it_is_only_shown() -> None:
    assert {block.mark for block in BLOCKS if block.is_commands} <= {"", "shown", "postgresql", "redis"}
    unplayed = {block.page for block in BLOCKS if block.is_commands and block.mark != "shown"} - {*PLAYED, STATE, HOSTS}
    assert unplayed <= {"README.md", "CONTRIBUTING.md"}, "what these two show is `make` and the demo"


def _mistake(command: Command) -> str:
    """Say what is wrong with a whole command line; empty where it can be typed as it stands."""
    words = shlex.split(command.line.partition(" > ")[0])
    if words[0] == "make":
        return "" if words[1] in TARGETS else f"make has no {words[1]}"
    if words[:2] == ["python", "-m"] and words[2] == "tests.bench":
        return ", ".join(sorted({*words[3:]} - {*MEASUREMENTS}))
    if words[0] != "switchover":
        return ""
    parser = verb_parser(words[1]) if len(words) > 1 and words[1] in verbs() else screen_parser()
    try:
        parser.parse_intermixed_args(words[2:] if parser.prog != "switchover" else words[1:])
    except Exception as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_in_a_block_can_be_typed(page: Path) -> None:
    commands = [command for block in blocks_of(page) for command in block.commands()]
    assert [found for command in commands if (found := _mistake(command))] == []


def test_a_sentence_names_only_verbs_and_options_that_there_are() -> None:
    commands = [command for page in pages() for command in inline_commands(page)]
    assert len(commands) > 20
    for command in commands:
        words = command.line.split()
        if words[0] == "make":
            assert words[1] in TARGETS, command
        elif words[1] in verbs():
            known = verb_parser(words[1])._option_string_actions
            assert {word.partition("=")[0] for word in words[2:] if word.startswith("--")} <= {*known}, command
        else:
            assert words[1] in ("VERB", "[PLAN]", "PLAN") or words[1].endswith(".yaml"), command


def test_a_mistake_in_a_page_would_be_found() -> None:
    block = Block("docs/x.md", "sh", "", "$ switchover check p.yaml --untill x   # exit code 3\n# a comment\n")
    (command,) = block.commands()
    assert (command.line, command.code) == ("switchover check p.yaml --untill x", 3)
    assert _mistake(command)
    assert _mistake(Command("", "make nonsense", 0))
    assert not _mistake(Command("", "switchover check p.yaml", 0))


def test_plans_are_valid(tmp_path: Path) -> None:
    plans = [block for block in BLOCKS if block.language == "yaml" and "schema: 1" in block.text]
    plans = [
        block for block in plans if block.page != "docs/extending.md"
    ]  # its kinds are built first, by another test
    found = {load_plan_text(block.text, tmp_path / "plan.yaml").plan.id for block in plans}
    assert {"shop-db", "notes"} <= found


def test_settings_can_be_read(tmp_path: Path) -> None:
    settings = [block.text for block in BLOCKS if block.language == "toml" and not block.mark.startswith("themes/")]
    assert len(settings) >= 2
    for text in settings:
        (tmp_path / "settings.toml").write_text(text)
        assert tomllib.loads(text)
        load_settings(tmp_path / "settings.toml")


def test_the_check_kind_works(tmp_path: Path) -> None:
    (source,) = [block for block in BLOCKS if block.mark == "queue_kind.py"]
    assert len(source.text.splitlines()) <= 30
    lay_down([source], tmp_path)
    (tmp_path / "orders").write_text("one\ntwo\nthree\n")
    registry = Registry([tmp_path / "queue_kind.py"])

    async def probe(most: int) -> Status:
        runner = Runner(registry, lambda deadline: LocalContext(deadline, tmp_path))
        outcome = await runner.run(ProbeSpec("q", "queue", {"path": "orders", "most": most}))
        await runner.aclose()
        return outcome.result.status

    assert asyncio.run(probe(3)) is Status.OK
    assert asyncio.run(probe(2)) is Status.CRIT


NAMES: dict[str, NameType] = {
    "status": "number",
    "time": "duration",
    "body": "any",
    "state": "text",
    "restarts": "number",
    "oom": "bool",
}


def test_expressions_can_be_read() -> None:
    expectations, conditions, loop = (block.text for block in blocks_of(DOCS / "expressions.md"))
    for line in expectations.splitlines():
        parse(re.split(r"\s{2,}", line)[0], NAMES)
    for line in conditions.splitlines():
        parse_condition(line)
    looped = load_plan_text(f"schema: 1\nid: p\ntitle: P\n{loop}", Path("plan.yaml")).plan
    assert list(looped.checks) == ["up[anima]", "up[neo]"]
    text = (DOCS / "expressions.md").read_text("utf-8")
    units, ranges = (text.partition(f"## {title}\n")[2].partition("\n## ")[0] for title in ("Units", "Ranges"))
    durations, sizes = (re.findall(r"`([^`]+)`", line.split("|")[1]) for line in units.splitlines()[3:5])
    assert all(parse_duration(one) for one in durations)
    assert all(parse_size(one) for one in sizes)
    found = re.findall(r"^\| `([^`]+)` \|", ranges, re.MULTILINE) + re.findall(r"`(\S+:\S*)`", ranges)
    assert len(found) >= 8
    assert all(parse_range(one) for one in found)


def test_links_and_pictures_are_there() -> None:
    links = [
        (page, *found)
        for page in pages()
        for found in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text("utf-8"))
        if not found[0].startswith("http")
    ]
    assert len(links) > 20
    for page, target, anchor in links:
        linked = page.parent / target if target else page
        assert linked.exists(), (page, target)
        assert not anchor or anchor in _anchors(linked), f"{page}: {target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_reached_from_the_index() -> None:
    linked = set(re.findall(r"\]\(([^)#]+\.md)", (DOCS / "index.md").read_text("utf-8")))
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert there - linked == {"index.md"}


def test_the_readme_is_a_page_and_names_what_runs_the_tests() -> None:
    text = README.read_text("utf-8")
    assert len(text.split()) <= 1000
    assert "make test" in text
    assert "](screenshots/" in text


def test_sentences_are_short_enough_to_be_read_once() -> None:
    read = 0
    for page in hand_written_pages():
        prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        prose = re.sub(r"^(\||#|!).*$", "\n", prose, flags=re.MULTILINE)
        sentences = [
            s for s in re.split(r"(?<=[.!?])\s+|\n\n|^\s*(?:[*-]|\d+\.) ", prose, flags=re.MULTILINE) if s.strip()
        ]
        if page.name == "CONTRIBUTING.md" or not sentences:
            continue
        mean = sum(len(sentence.split()) for sentence in sentences) / len(sentences)
        assert mean <= 14, f"{page.name}: {mean:.1f} words a sentence"
        read += 1
    assert read > 5
