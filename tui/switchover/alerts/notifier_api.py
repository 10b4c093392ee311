"""What a notifier declares and does. One file in `notifiers/` is one notifier, found by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from switchover.alerts.alert_state import AlertEvent
from switchover.plan.kind_calls import UnavailableError
from switchover_checks.api import Context

__all__ = ["NoKeys", "NotSentError", "Notification", "Notifier"]

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notifier sends. `key` names one firing of a rule, from its start to its end."""

    key: str
    event: AlertEvent
    text: str
    rule: str
    at: float


class NotSentError(UnavailableError):
    """It was not sent; the text says why, in a few words and without a secret.

    `retry_after_s` is how long the receiver wants to be left alone. `again=False` means that another try is no use.
    """

    def __init__(self, reason: str, *, retry_after_s: float = 0.0, again: bool = True) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.again = again


@dataclass(frozen=True)
class NoKeys:
    """No keys at all. A notifier that needs none may be named in `notify` by its kind."""


class Notifier(Generic[ConfigT]):
    """Tells somebody of an alert. `config` is a frozen dataclass: its fields are the keys, with the text below each."""

    kind: ClassVar[str]
    config: ClassVar[type] = NoKeys
    example: ClassVar[str]
    """A notifier of this kind in YAML."""
    takes_secrets: ClassVar[bool] = False
    """Whether its keys may hold secrets."""
    timeout_s: ClassVar[float] = 10.0
    """After so many seconds a try is given up."""
    pauses_s: ClassVar[tuple[float, ...]] = ()
    """The pauses before further tries. Without any there is one try."""
    rings: ClassVar[bool] = False
    """Whether the screens ring."""

    async def send(self, notification: Notification, cfg: ConfigT, ctx: Context) -> None:
        """Send once. Raise `NotSentError`. The timeout and further tries are not its concern."""
        raise NotImplementedError
