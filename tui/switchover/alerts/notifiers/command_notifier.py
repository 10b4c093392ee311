"""`command`: runs a command that passes the alert on, such as `mail` or a script of the team."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from switchover.alerts.notifier_api import Notification, Notifier, NotSentError
from switchover_checks.api import Context
from switchover_checks.kinds.command import argv_of, ending

__all__ = ["CommandNotifier", "CommandNotifierConfig"]


@dataclass(frozen=True)
class CommandNotifierConfig:
    """The command. It gets `ALERT_TEXT`, `ALERT_EVENT`, `ALERT_RULE` and `ALERT_KEY`, and exits with 0 when it is done.

    `ALERT_EVENT` is `fired`, `reminded` or `ended`; `ALERT_KEY` is the same from the first to the last of them.
    """

    command: str | tuple[str, ...]
    """The command: a list of words, or text for the shell. It runs in the folder of the plan."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables that are set besides; secrets may stand in them."""


class CommandNotifier(Notifier[CommandNotifierConfig]):
    """Runs it once; twice more where it fails."""

    kind: ClassVar[str] = "command"
    config: ClassVar[type] = CommandNotifierConfig
    takes_secrets: ClassVar[bool] = True
    timeout_s: ClassVar[float] = 30.0
    pauses_s: ClassVar[tuple[float, ...]] = (5.0, 60.0)
    example: ClassVar[str] = """
    kind: command
    command: mail -s "$ALERT_TEXT" oncall@example.org < /dev/null
    """

    async def send(self, notification: Notification, cfg: CommandNotifierConfig, ctx: Context) -> None:
        """Run it."""
        told = {
            "ALERT_TEXT": notification.sentence,
            "ALERT_EVENT": notification.event.value,
            "ALERT_RULE": notification.rule,
            "ALERT_KEY": notification.key,
        }
        try:
            output = await ctx.run(argv_of(cfg.command), env={**cfg.env, **told})
        except OSError as error:
            raise NotSentError(error.strerror or type(error).__name__, again=False) from None
        if output.exit_code:
            raise NotSentError(f"its command ended with {ending(output.exit_code)}")
