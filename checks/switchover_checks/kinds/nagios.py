"""`nagios`: runs any monitoring plugin and takes over its status, text and performance data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Metric, Result, Status
from switchover_checks.kinds.command import argv_of, ending, run_clearly
from switchover_checks.language.effects import DeclaredEffect, plugin_changes
from switchover_checks.language.thresholds import read_perfdata

__all__ = ["NagiosCheck", "NagiosConfig", "read_plugin_output"]

_MOST_METRICS = 200


@dataclass(frozen=True)
class NagiosConfig:
    """The plugin to run.

    One that is called `check_…` is taken to change nothing; any other only when it is known to.
    """

    command: str | tuple[str, ...]
    """The plugin with its arguments: a list of words, or text for the shell."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables that are set besides."""
    cwd: str | None = None
    """The folder in which it runs."""
    effect: DeclaredEffect = None
    """`read` is the author's word that it changes nothing."""

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("command is empty")


class NagiosCheck:
    """Run a plugin."""

    kind: ClassVar[str] = "nagios"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = NagiosConfig
    example: ClassVar[str] = """
    kind: nagios
    command: /usr/lib/nagios/plugins/check_load -w 1
    """

    def changes(self, cfg: NagiosConfig) -> str:
        """Judge the plugin."""
        return plugin_changes(cfg.command, cfg.env, cfg.effect)

    async def probe(self, cfg: NagiosConfig, ctx: Context) -> Result:
        """Run once."""
        output = await run_clearly(ctx, argv_of(cfg.command), cfg.env, cfg.cwd)
        return read_plugin_output(output.exit_code, output.stdout, output.stderr)


def read_plugin_output(code: int, stdout: str, stderr: str) -> Result:
    """Turn what a plugin left into a result. An exit code above 3, or OK without a word, is UNKNOWN."""
    text, long_text, perfdata = _parts(stdout)
    metrics, unread = read_perfdata(perfdata)
    status = Status(code) if 0 <= code <= 3 else Status.UNKNOWN
    observed = text or stderr.strip().partition("\n")[0]
    if not 0 <= code <= 3:
        observed = f"{ending(code)}, which is no status of a plugin{': ' + observed if observed else ''}"
    elif not text and status is Status.OK:
        status, observed = Status.UNKNOWN, "the plugin said nothing"
    findings = [Finding("plugin", "OK", f"{status.name}: {observed or 'the plugin said nothing'}"[:500], status)]
    evidence = {k: v[:1000] for k, v in (("long output", long_text), ("stderr", stderr.strip())) if v}
    if unread:
        evidence["performance data"] = f"not readable: {'; '.join(unread)}"[:1000]
    summary = observed[:300] or "the plugin said nothing"
    return Result(status, summary, tuple(findings), _known(metrics), "", evidence)


def _parts(stdout: str) -> tuple[str, str, str]:
    """Split `TEXT | PERF`, then lines of long text, then ` | PERF` once more with lines of performance data."""
    first, _, others = stdout.strip("\n").partition("\n")
    text, _, perfdata = first.partition("|")
    long_text, _, more = others.partition("|")
    return text.strip(), long_text.strip(), f"{perfdata} {more}".replace("\n", " ").strip()


def _known(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    return metrics[:_MOST_METRICS]
