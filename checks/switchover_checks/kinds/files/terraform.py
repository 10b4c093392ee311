"""`terraform`: whether what is set up is what stands in the code (no drift), from the JSON that terraform writes.

Two forms are read: `terraform show -json PLANFILE`, and the lines of `terraform plan -json`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.command import argv_of, run_clearly
from switchover_checks.kinds.file import age_findings
from switchover_checks.language.effects import DeclaredEffect, command_changes
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration

__all__ = ["TerraformCheck", "TerraformConfig"]

NAMES: dict[str, NameType] = {
    "changes": "number",
    "creates": "number",
    "updates": "number",
    "deletes": "number",
    "drift": "number",
    "resources": "list",
}
_MOST_BYTES = 256 << 20
_WORDS = {"create": "creates", "update": "updates", "delete": "deletes", "remove": "deletes"}


@dataclass(frozen=True)
class TerraformConfig:
    """A plan of terraform as JSON. Without expectations nothing is to be changed, and nothing has drifted."""

    path: str = ""
    """The file that `terraform show -json` or `terraform plan -json` wrote."""
    command: str | tuple[str, ...] = ()
    """Instead of a file: the command that writes it, such as `[terraform, plan, -json, -lock=false]`."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables of the command."""
    cwd: str | None = None
    """The folder in which it runs."""
    max_age: Duration | None = None
    """The longest time since the file was written."""
    allow: tuple[str, ...] = ()
    """Addresses that may be changed, or their beginnings: `aws_instance.old`, `module.cache`."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `changes`, `creates`, `updates`, `deletes`, `drift`, and of the list `resources`."""
    effect: DeclaredEffect = None
    """`read` is the author's word that the command changes nothing, not even a lock."""

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.command):
            raise ValueError("set path, or command")
        if self.max_age is not None and not self.path:
            raise ValueError("max_age is that of a file")


class TerraformCheck:
    """Read a plan of terraform."""

    kind: ClassVar[str] = "terraform"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = TerraformConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("changes", "", "resources that would be changed"),
        Measured("drift", "", "resources that were changed by somebody else"),
    )
    example: ClassVar[str] = """
    kind: terraform
    path: infra/plan.json
    max_age: 1h
    """

    def changes(self, cfg: TerraformConfig) -> str:
        """Judge the command; a file is only read."""
        return command_changes(cfg.command, cfg.env, cfg.effect) if cfg.command else ""

    async def probe(self, cfg: TerraformConfig, ctx: Context) -> Result:
        """Read once."""
        findings: list[Finding] = []
        if cfg.command:
            output = await run_clearly(ctx, argv_of(cfg.command), cfg.env, cfg.cwd)
            if output.exit_code not in (0, 2) or output.truncated:
                said = (output.stderr or output.stdout).strip()[-300:]
                raise ProbeError(f"exit code {output.exit_code}: {said}", phase="run", status=Status.UNKNOWN)
            text = output.stdout
        else:
            text, age = await ctx.in_thread(lambda: _file(ctx.base_dir / cfg.path))
            findings += age_findings(age, cfg.max_age)
        ctx.enter("parse")
        planned, drifted = await ctx.in_thread(lambda: _plan(text))
        ctx.enter("assert")
        planned = [(a, w) for a, w in planned if not a.startswith(cfg.allow or ("\0",))]
        drifted = [a for a in drifted if not a.startswith(cfg.allow or ("\0",))]
        facts = _facts(planned, drifted)
        names: frozenset[str] = frozenset().union(*(e.names for e in cfg.expect))
        if not names & {"changes", "creates", "updates", "deletes", "resources"}:
            shown = [f"{address} ({'+'.join(words)})" for address, words in planned]
            findings.append(Finding.compare("to change", "nothing", _few(shown), not planned))
        if "drift" not in names:
            findings.append(Finding.compare("drift", "none", _few(drifted), not drifted))
        findings += [e.check(facts) for e in cfg.expect]
        evidence = {"resources": "\n".join(facts["resources"][:50])} if facts["resources"] else {}
        return Result.of(findings, metrics=measured_in(facts, self.metrics), evidence=evidence, ok="as in the code")


def _file(path: Path) -> tuple[str, float]:
    try:
        info = path.stat()
        if info.st_size > _MOST_BYTES:
            raise ProbeError(f"{path} is too large", phase="parse", status=Status.UNKNOWN)
        return path.read_text(encoding="utf-8", errors="replace"), time.time() - info.st_mtime
    except OSError as error:
        raise ProbeError(f"{path}: {error.strerror or error}", phase="parse", status=Status.UNKNOWN) from None


Planned = list[tuple[str, tuple[str, ...]]]


def _plan(text: str) -> tuple[Planned, list[str]]:
    """Return what is to be changed and how, and what has drifted. Raise `ProbeError` where it is no whole plan."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _lines(text)
    if not isinstance(whole, Mapping) or "format_version" not in whole or "planned_values" not in whole:
        return _lines(text)
    if whole.get("errored") is True:
        raise ProbeError("the plan ended with an error, so it says nothing", phase="parse", status=Status.UNKNOWN)
    if whole.get("complete") is False:
        words = "the plan is not complete: it looks at a part only"
        raise ProbeError(words, phase="parse", status=Status.UNKNOWN)
    return _changes(whole.get("resource_changes")), [a for a, _ in _changes(whole.get("resource_drift"))]


def _changes(listed: Any) -> Planned:
    found = []
    if listed is not None and not isinstance(listed, list):
        raise ProbeError("its resources are no list", phase="parse", status=Status.UNKNOWN)
    for one in listed if listed is not None else ():
        change = one.get("change") if isinstance(one, Mapping) else None
        words = tuple(map(str, (isinstance(change, Mapping) and change.get("actions")) or ()))
        if not words:
            raise ProbeError("it names a resource and not what becomes of it", phase="parse", status=Status.UNKNOWN)
        if set(words) - {"no-op", "read"}:
            found.append((str(one.get("address", "?")), words))
    return found


def _lines(text: str) -> tuple[Planned, list[str]]:
    planned: Planned = []
    drifted: list[str] = []
    whole, counted = False, 0
    for line in text.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(told, Mapping):
            continue
        change = told.get("change") or {}
        address = str((change.get("resource") or {}).get("addr", "?"))
        match told.get("type"):
            case "planned_change" if change.get("action") not in ("no-op", "read"):
                words = ("delete", "create") if change.get("action") == "replace" else (str(change.get("action")),)
                planned.append((address, words))
            case "resource_drift":
                drifted.append(address)
            case "change_summary":
                whole, counted = True, _counted(told.get("changes"))
            case "diagnostic" if told.get("@level") == "error":
                raise ProbeError(f"terraform: {str(told.get('@message'))[:200]}", phase="run", status=Status.UNKNOWN)
    if not whole:
        raise ProbeError("it is no whole plan of terraform as JSON", phase="parse", status=Status.UNKNOWN)
    if counted and not planned:
        why = f"its summary counts {counted} changes, and not one is told"
        raise ProbeError(why, phase="parse", status=Status.UNKNOWN)
    return planned, drifted


def _counted(summary: Any) -> int:
    numbers = summary if isinstance(summary, Mapping) else {}
    found = [numbers.get(name, 0) for name in ("add", "change", "remove")]
    return sum(number for number in found if isinstance(number, int))


def _facts(planned: Planned, drifted: Sequence[str]) -> dict[str, Any]:
    counts = Counter(_WORDS[word] for _, words in planned for word in words if word in _WORDS)
    return {
        "changes": len(planned),
        **{name: counts[name] for name in ("creates", "updates", "deletes")},
        "drift": len(drifted),
        "resources": list(dict.fromkeys([*(address for address, _ in planned), *drifted])),
    }


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more if names else "nothing"
