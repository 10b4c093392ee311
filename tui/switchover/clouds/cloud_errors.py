"""What goes wrong with a cloud, in the words of whoever has to put it right."""

from __future__ import annotations

from enum import StrEnum

from switchover.errors import SwitchoverError

__all__ = ["CloudError", "CloudTrouble"]


class CloudTrouble(StrEnum):
    """The kinds that are treated differently."""

    LOGIN = "login"
    DENIED = "denied"
    MISSING = "missing"
    THROTTLED = "throttled"
    AWAY = "away"
    OTHER = "other"


class CloudError(SwitchoverError):
    """A cloud did not do as asked. `title` says why in one line and holds nothing secret."""

    def __init__(self, trouble: CloudTrouble, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.trouble = trouble
