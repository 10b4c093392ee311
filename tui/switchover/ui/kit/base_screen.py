"""What all screens have: the header that never lies, the status line, the keys that do something here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from switchover.ui.kit.bars import HeaderBar, KeyBar, StatusLine
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.text.keys import KeyHint, key_name
from switchover.ui.text.render_context import RenderContext

REMARK_S = 4.0
_ARROWS = {"up", "down", "left", "right"}
_TEXTUALS_OWN = {"app.focus_next", "app.focus_previous", "screen.copy_text"}

__all__ = ["BaseScreen", "OverScreen", "hints_from"]


def hints_from(bindings: Iterable[ActiveBinding], *, only_shown: bool) -> tuple[KeyHint, ...]:
    """Collect keys that do the same into one hint each, in the order in which they are bound."""
    hints: dict[tuple[object, str], KeyHint] = {}
    for active in bindings:
        binding = active.binding
        if not binding.description or binding.system or not active.enabled or (only_shown and not binding.show):
            continue
        if binding.action in _TEXTUALS_OWN:
            continue
        name = (active.node, binding.action)
        group = active.node.BINDING_GROUP_TITLE or "Moving"
        before = hints.get(name)
        keys = (*before.keys, binding.key) if before else (binding.key,)
        hints[name] = KeyHint(keys, binding.description, binding.tooltip, group)
    return tuple(hints.values())


def _is_typed(key: str) -> bool:
    return len(key_name(key)) == 1 and key not in _ARROWS


class BaseScreen(Screen[None]):
    """A screen that is drawn from a RenderContext. Subclasses draw their own part in `draw`.

    What is entered on one that is `by_hand` is never pasted.
    """

    by_hand: ClassVar[bool] = False

    def __init__(self, painter: Painter, moment: RenderContext, title: str = "") -> None:
        super().__init__()
        self.painter = painter
        self.moment = moment
        self.headline = title
        self.header = HeaderBar(painter, moment, title=title)
        self.status = StatusLine(painter)
        self.keys = KeyBar(painter)
        self._notice_timer: Timer | None = None
        self.hurries = False

    @property
    def tab(self) -> str:
        """The tab that is chosen; empty on a screen without tabs."""
        return ""

    def on_idle(self) -> None:
        """Paint what a key or news has changed at once. Textual's timer may have just painted, and then waits.

        Where more is waiting already, the timer paints what all of it comes to.
        Private parts of Textual used: `Screen._dirty_widgets`, `Screen._on_timer_update`.
        """
        if self.hurries and self._dirty_widgets and not (self.app.message_queue_size or self.app._batch_count):  # noqa: SLF001
            self.hurries = False
            self._on_timer_update()

    def takes_key_of(self, pressed_at: float) -> bool:
        """Say whether a key that was pressed at this moment (monotonic) was meant for this screen."""
        del pressed_at
        return True

    def refuse_paste(self) -> None:
        """Say why what was pasted is not taken."""

    def show(self, moment: RenderContext, painter: Painter) -> None:
        """Draw a new RenderContext, perhaps with another painter."""
        self.moment = moment
        if painter is not self.painter:
            self.painter = painter
            for view in self.query(LineView):
                view.paint_with(painter)
        if self.is_mounted:
            self.draw()
            self.header.show(moment, tab=self.tab, title=self.headline)
            self.show_keys()

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Show an error until it has been read; a remark for a moment, in the place of the keys."""
        if error:
            self.status.say(text, hint=hint)
            return
        self.keys.notice(text)
        if self._notice_timer is not None:
            self._notice_timer.stop()
        self._notice_timer = self.set_timer(REMARK_S, lambda: self.keys.notice(""))

    def draw(self) -> None:
        """Draw this screen's own part from `self.moment`."""

    def show_keys(self) -> None:
        """Show the keys that do something at this moment; help comes last and always stays."""
        hints = hints_from(self.active_bindings.values(), only_shown=True)
        if isinstance(self.focused, Input):  # what can be typed is typed
            hints = tuple(hint for hint in hints if not _is_typed(hint.keys[0]) or hint.label == "help")
        self.keys.show(tuple(sorted(hints, key=lambda hint: hint.label == "help")))

    def on_mount(self) -> None:
        """Draw the first time."""
        self.call_after_refresh(lambda: self.show(self.moment, self.painter))

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new size, once the parts have theirs."""
        self.call_after_refresh(lambda: self.show(self.moment, self.painter))


class OverScreen(BaseScreen):
    """A screen over the tabs: escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", tooltip="close this and go back"),
    ]
    BINDING_GROUP_TITLE = "Here"

    @property
    def left(self) -> bool:
        """It is no longer the visible screen, so a key that came a moment too late does nothing here."""
        return self.app.screen is not self

    def leave(self) -> None:
        """Close this screen, once: a second press closes nothing that lies beneath."""
        if not self.left:
            self.dismiss()

    def action_back(self) -> None:
        """Go back."""
        if not self.status.clear():
            self.leave()
