"""Screens before something dangerous: what was typed before they appeared never reaches them, and they expire."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from switchover.terminal.terminal_guard import forget_typed
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.messages import ClosedByItself, Intent, Say
from switchover.ui.kit.pane import set_height
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, fit

__all__ = ["AskScreen", "GuardedScreen", "StakesScreen", "TypedScreen", "YesScreen"]


class GuardedScreen(OverScreen):
    """Takes no key that was pressed before it had stood for `GUARD_S`; goes away by itself after `EXPIRES_S`.

    Not while somebody types: what is typed for it would else reach what lies beneath.
    """

    GUARD_S = 0.3
    EXPIRES_S = 120.0
    TYPING_S = 10.0

    def __init__(self, painter: Painter, moment: RenderContext, title: str) -> None:
        super().__init__(painter, moment, title)
        self.opened_at = time.monotonic()
        self._pressed_at = float("-inf")

    def on_mount(self) -> None:
        """Forget what was typed before, and start the clock that closes this screen."""
        forget_typed()
        self.set_timer(self.EXPIRES_S, self._expire)

    def takes_key_of(self, pressed_at: float) -> bool:
        """Say whether a key that was pressed at this moment (monotonic) was meant for this screen."""
        meant = pressed_at >= self.opened_at + self.GUARD_S
        if meant:
            self._pressed_at = pressed_at
        return meant

    def guard_anew(self) -> None:
        """Ask something else from now on: what was pressed before it could be read is no answer to it."""
        self.opened_at = time.monotonic()

    def decide(self, intent: Intent) -> None:
        """Send what was decided and close, once: a second press decides nothing again."""
        if not self.left:
            self.app.post_message(intent)
            self.leave()

    def _expire(self) -> None:
        typing = isinstance(self.focused, Input) and time.monotonic() - self._pressed_at < self.TYPING_S
        if self.left or typing:  # something lies above, as the help does: this goes when it is seen again
            self.set_timer(1.0, self._expire)
            return
        self.app.post_message(Say("the confirmation expired; nothing was done"))
        self.app.post_message(ClosedByItself(time.monotonic()))
        self.leave()


class QuestionScreen(GuardedScreen):
    """Asks something, and does nothing without an answer: how it is asked and what follows are its subclasses'."""

    def question(self) -> Line:
        """Return what the operator is asked."""
        return ()

    def asks_with(self) -> Sequence[Widget]:
        """Return what stands below the question for the answer to be given in."""
        return ()

    def answer(self, typed: str) -> None:
        """Take the answer, with what was typed for it: look again whether it may be done, and do it once."""
        raise NotImplementedError


class YesScreen(QuestionScreen):
    """`y` alone says yes; enter does nothing, so that a double press never confirms."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", "yes, do it"), Binding("n", "no", "no")]

    def question(self) -> Line:
        """Return the two answers."""
        return (
            StyledSpan(" y", "key"),
            StyledSpan(" yes, do it    "),
            StyledSpan("n", "key"),
            StyledSpan(" no, go back"),
        )

    def action_no(self) -> None:
        """Go back."""
        self.action_back()

    def action_yes(self) -> None:
        """Do it."""
        self.answer("")


class TypedScreen(QuestionScreen):
    """Before what destroys: a text is typed, by hand. A paste, and anything but the text, does nothing."""

    by_hand: ClassVar[bool] = True

    def __init__(self, painter: Painter, moment: RenderContext, title: str) -> None:
        super().__init__(painter, moment, title)
        self._entry = TextEntry(painter, "type it here:")

    @property
    def must_type(self) -> str:
        """What is to be typed."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Type at once, but not before the guard has passed."""
        self._entry.take_focus()

    def question(self) -> Line:
        """Return what is to be typed."""
        typed = (
            StyledSpan(" To go on, type  "),
            StyledSpan(self.must_type, "danger"),
            StyledSpan("  and press enter. "),
        )
        return (*typed, StyledSpan("esc", "key"), StyledSpan(" goes back", "muted"))

    def asks_with(self) -> Sequence[Widget]:
        """Return the empty line."""
        return (self._entry,)

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Go on where it is exactly what was asked for."""
        if self.left:
            return
        if event.text != self.must_type or not event.text:
            self._entry.text = ""
            self.say(f"that is not “{self.must_type}”; nothing was done", error=True)
            return
        self.answer(event.text)

    def on_text_entry_left(self) -> None:
        """Go back."""
        self.action_back()

    def refuse_paste(self) -> None:
        """Say why what was pasted is not taken."""
        self.say("this must be typed, not pasted", error=True)


class StakesScreen(QuestionScreen):
    """Shows what is at stake, under a bar where it is production. `why_not` is asked again at the answer."""

    def __init__(self, painter: Painter, moment: RenderContext, title: str) -> None:
        super().__init__(painter, moment, title)
        self._bar = LineView(painter, classes="line")
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Place what is at stake, then what the answer is given in."""
        yield self.header
        yield self._bar
        yield self._body
        yield from self.asks_with()
        yield self.status
        yield self.keys

    def draw_bar(self) -> None:
        """Say where it would happen, where that is production."""
        header = self.moment.data.header
        set_height(self._bar, int(header.production))
        where = " · ".join(filter(None, (" ⚠  PRODUCTION", header.target)))
        self._bar.set_lines([(StyledSpan(fit(where, self.size.width), "danger-bar"),)])

    def why_not(self) -> str:
        """Say why it cannot be done any more; empty where it can."""
        raise NotImplementedError

    def answer(self, typed: str) -> None:
        """Do it and close, once; never where something speaks against it by now."""
        if self.left:
            return
        if why := self.why_not():
            self.say(why, error=True)
            return
        self.leave()
        self.do(typed)

    def do(self, typed: str) -> None:
        """Do what was asked about."""
        raise NotImplementedError


class AskScreen(YesScreen):
    """A yes-or-no question about an intent."""

    def __init__(
        self, painter: Painter, moment: RenderContext, title: str, lines: Sequence[Line], intent: Intent
    ) -> None:
        super().__init__(painter, moment, title)
        self._lines = tuple(lines)
        self._intent = intent
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Place the question."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def draw(self) -> None:
        """Draw the question."""
        self._body.set_all([(), *self._lines, (), self.question()])

    def answer(self, typed: str) -> None:
        """Do it."""
        del typed
        self.decide(self._intent)
