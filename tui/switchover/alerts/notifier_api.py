"""What a notifier declares and does. One file in `notifiers/` is one notifier, found by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from switchover.alerts.alert_state import AlertEvent
from switchover.plan.kind_calls import UnavailableError
from switchover.snapshot.states import SeverityWord
from switchover_checks.api import Context

__all__ = ["NoKeys", "NotSentError", "Notification", "Notifier"]

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notifier sends. `key` names one firing of a rule, from its start to its end.

    `id` is the same in every try, so a receiver can drop a second one. With `repeated` this may have been told before:
    the agent died between sending it and writing that down.
    """

    key: str
    event: AlertEvent
    text: str
    rule: str
    at: float
    name: str = ""
    severity: SeverityWord = "warning"
    labels: tuple[tuple[str, str], ...] = ()
    link: str = ""
    id: str = ""
    repeated: bool = False
    since: float = 0.0

    @property
    def sentence(self) -> str:
        """The text for people, with a mark where they may have read it before."""
        return f"{self.text} (may have been told before)" if self.repeated else self.text


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
    """The first pauses between tries; then they double, up to 15 minutes. Without any there is one try."""
    tries_for_s: ClassVar[float] = 86400.0
    """So long it is tried; then it is said that it was not told."""
    burst: ClassVar[int] = 10
    """So many go out at once; then one each six seconds, with all that came meanwhile."""
    rings: ClassVar[bool] = False
    """Whether the screens ring."""
    fills: ClassVar[bool] = False
    """Whether `{{ alert.name }}` and its like may stand in its keys. It fills them in by `alert_text`."""
    resends_s: ClassVar[float] = 0.0
    """The receiver forgets what fires unless it is sent again in this rhythm. 0 where it remembers."""

    beats: ClassVar[bool] = False
    """Whether it is told of nothing, and asked again and again for as long as the agent watches."""

    def joins(self, keys: Mapping[str, Any]) -> bool:
        """Tell whether several notices may go out as one."""
        del keys
        return True

    async def send(self, notification: Notification, cfg: ConfigT, ctx: Context) -> None:
        """Send once. Raise `NotSentError`. The timeout and further tries are not its concern."""
        raise NotImplementedError
