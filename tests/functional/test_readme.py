"""What the README shows works as shown."""

import asyncio
import re
from pathlib import Path

from switchover.cli.parser import VERBS
from switchover.plan.loader.load import load_plan_text
from switchover_checks.api import Status
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

_ROOT = Path(__file__).resolve().parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")


def _block(language: str, containing: str) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", _README, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if containing in block)


def test_its_plan_is_valid(tmp_path: Path) -> None:
    assert load_plan_text(_block("yaml", "schema: 1"), tmp_path / "plan.yaml").plan.id == "shop-db"


def test_its_check_kind_works(tmp_path: Path) -> None:
    source = _block("python", "QueueCheck")
    assert len(source.splitlines()) <= 30
    (tmp_path / "queue_kind.py").write_text(source)
    (tmp_path / "orders").write_text("one\ntwo\nthree\n")
    registry = Registry([tmp_path / "queue_kind.py"])

    async def probe(most: int) -> Status:
        runner = Runner(registry, lambda deadline: LocalContext(deadline, tmp_path))
        outcome = await runner.run(ProbeSpec("q", "queue", {"path": "orders", "most": most}))
        await runner.aclose()
        return outcome.result.status

    assert asyncio.run(probe(3)) is Status.OK
    assert asyncio.run(probe(2)) is Status.CRIT


def test_it_names_every_verb() -> None:
    for verb in VERBS:
        assert f"`{verb}" in _README


def test_its_links_and_pictures_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", _README):
        assert target.startswith("http") or (_ROOT / target).exists(), target


def test_its_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for name in re.findall(r"^make ([a-z]+)", _README, re.MULTILINE):
        assert name in targets
