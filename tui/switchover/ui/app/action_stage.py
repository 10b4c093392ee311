"""What the keys' actions need of the App: what is shown, and how to open a screen."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen

from switchover.clock import Clock
from switchover.terminal.link import TerminalLink
from switchover.ui.app.bridge import SnapshotSource
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext

if TYPE_CHECKING:
    from switchover.ui.app.main_screen import MainScreen
    from switchover.ui.kit.terminal_handover import HandoverResult

__all__ = ["ActionStage"]


class ActionStage(Protocol):
    """The App, as far as an action needs it."""

    source: SnapshotSource
    moment: RenderContext
    painter: Painter
    main: MainScreen
    clock: Clock
    link: TerminalLink
    lets_time_pass: bool

    @property
    def screen(self) -> Screen[Any]:
        """The screen that is seen."""
        ...

    @property
    def screen_stack(self) -> Sequence[Screen[Any]]:
        """All screens that are open, the one that is seen last."""
        ...

    @property
    def size(self) -> Size:
        """The size of the terminal."""
        ...

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Put a remark or an error into the status line."""
        ...

    def show(self) -> None:
        """Draw this moment."""
        ...

    def bell(self) -> None:
        """Ring."""

    def push_screen(self, screen: Any) -> Any:
        """Open a screen."""
        ...

    def post_message(self, message: Message) -> bool:
        """Send a message, such as an intent."""
        ...

    def work(self, what: Coroutine[Any, Any, None], name: str, *, group: str = "default") -> None:
        """Do something beside the screen. In a group other than the default, one at a time."""
        ...

    async def hand_over(self, argv: Sequence[str]) -> HandoverResult:
        """Give the terminal to a program until it ends."""
        ...
