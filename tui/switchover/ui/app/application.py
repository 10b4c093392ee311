"""The App: places Snapshots on screens and turns keys into intents. It does no I/O of its own."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme as TextualTheme

from switchover.clock import Clock, SystemClock
from switchover.errors import SwitchoverError
from switchover.terminal.screen_difference import DifferenceMixin
from switchover.ui.app.action_set import ActionSet
from switchover.ui.app.bridge import SnapshotSource
from switchover.ui.app.crash_log import keep_crash
from switchover.ui.app.main_screen import MainScreen
from switchover.ui.app.run_actions import say_stale
from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import BaseScreen, hints_from
from switchover.ui.kit.desktop import tell_desktop
from switchover.ui.kit.messages import ClosedByItself, Intent, LinkChanged, Say, SnapshotChanged
from switchover.ui.kit.pane import Pane
from switchover.ui.kit.theme import Painter, Theme
from switchover.ui.text.driver_words import who_drives
from switchover.ui.text.outdated import Outdated, agent_problem
from switchover.ui.text.render_context import AgentLink, AgentLinkState, RenderContext

if TYPE_CHECKING:
    from switchover.snapshot import AlertRow, Snapshot
    from switchover.ui.kit.terminal_handover import HandoverResult

__all__ = ["SwitchoverApp"]

_TICK_S = 1.0
_PAUSE_S = 0.7  # in the typing, after which a key is meant for what is seen
_KEYS = "keys"


class SwitchoverApp(DifferenceMixin):
    """The control centre. `failure` holds the error that ended it, `crash_log` where an unexpected one was written."""

    CSS_PATH = "styles/app.tcss"
    TITLE = "switchover"
    ENABLE_COMMAND_PALETTE = False
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+p,colon", "palette", "command", tooltip="do or open anything, found by a few letters", key_display=":"
        ),
        bound("takeover"),
        bound("leave"),
        Binding("ctrl+c", "hint_quit", show=False, system=True),
        Binding("ctrl+q", "app.leave", "quit", show=False),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, tooltip="back to the shell; fg returns"),
        Binding("ctrl+l", "repaint", "Paint anew", show=False),
        bound("plan_difference"),
        bound("help"),
    ]

    def __init__(
        self,
        source: SnapshotSource,
        themes: dict[str, Theme],
        theme_name: str,
        *,
        clock: Clock | None = None,
        read_only: bool = False,
        tab: str = "overview",
        log_path: Path | None = None,
        ticks: bool = True,
    ) -> None:
        self._themes = themes
        self._chosen = themes.get(theme_name) or themes.get("dark") or next(iter(themes.values()))
        self.keep_theme: Callable[[str], None] | None = None
        super().__init__()
        for theme in themes.values():
            self.register_theme(theme.for_textual())
        self.theme = self._chosen.name
        self.source = source
        self.clock = clock or SystemClock()
        self.read_only = read_only
        self.log_path = log_path
        self.failure: SwitchoverError | None = None
        self.crash = ""
        self.notices: list[str] = []
        self.logs_at_once: tuple[Sequence[str], Sequence[str]] | None = None
        self.lets_time_pass = ticks
        self._fresh_painter = Painter(self._chosen)
        self._stale_painter = Painter(self._chosen, stale=True)
        self._outdated = Outdated()
        self._snapshot: Snapshot | None = None
        self._link = AgentLink(AgentLinkState.STARTING, self.clock.now(), "starting the agent …")
        self._told_at = self._shown_at = self.clock.monotonic()
        self._lag_s = 0.0
        self._typed_at: float | None = None
        self.moment = RenderContext(None, self.clock.now(), self._link)
        self.painter = self._fresh_painter
        self.main = MainScreen(self.painter, self.moment, tab)
        self.does = ActionSet(self)
        for name, method in self.does.methods().items():
            setattr(self, name, method)

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen with the tabs."""
        return self.main

    def on_mount(self) -> None:
        """Begin to listen, and to let time pass."""
        self.call_after_refresh(self._begin_to_listen)
        if self.logs_at_once is not None:
            self.call_after_refresh(self.does.opener.logs, *self.logs_at_once)
        for notice in self.notices:
            self.call_after_refresh(self.say, notice, error=True)
        if self.lets_time_pass:
            self.set_interval(_TICK_S, self._let_time_pass)

    def get_theme(self, theme_name: str) -> TextualTheme | None:
        """Look a theme up; Textual asks for every painted line, and would build the table of all themes each time."""
        return self._registered_themes.get(theme_name) or super().get_theme(theme_name)

    # ------------------------------------------------------------------ data

    def _begin_to_listen(self) -> None:
        if not gc.isenabled():  # see `switchover.ui.app.opening`
            gc.freeze()
            gc.enable()
        self.run_worker(self._listen(), name="listen", exit_on_error=False)

    async def _listen(self) -> None:
        try:
            async for update in self.source.snapshots(self._hear_trouble):
                self.post_message(LinkChanged(update) if isinstance(update, AgentLink) else SnapshotChanged(update))
        except SwitchoverError as error:
            self.failure = error
            self.exit(return_code=error.exit_code)
        except Exception as error:
            self._handle_exception(error)
        finally:
            await self.source.aclose()

    def _hear_trouble(self, error: SwitchoverError) -> None:
        self.post_message(Say(error.title, error=True, hint=error.hint))

    def on_snapshot_changed(self, message: SnapshotChanged) -> None:
        """Draw the newest Snapshot."""
        snapshot = message.snapshot
        if self.read_only:
            snapshot = replace(snapshot, header=replace(snapshot.header, read_only=True))
        before = self._snapshot if self._snapshot is not None else snapshot
        known = {alert.key for alert in self._snapshot.alerts} if self._snapshot is not None else set()
        self._tell_alerts([alert for alert in snapshot.alerts if alert.key not in known])
        self.does.takeover.tell_answer(before.header, snapshot.header)
        self._snapshot = snapshot
        self._told_at = self.clock.monotonic()
        self._lag_s = max(self.clock.now() - snapshot.at, 0.0) if snapshot.at else 0.0
        self.does.run.compare(snapshot.migration)
        if not (self.link.poor and self.lets_time_pass):  # a poor line gets one drawing a second, by the tick
            self.show()
            if isinstance(self.screen, BaseScreen):
                self.screen.hurries = True
        self.does.takeover.tell_question(before.header, snapshot.header)

    def _tell_alerts(self, new: Sequence[AlertRow]) -> None:
        if any(alert.bell for alert in new):
            self.bell()
        tell_desktop(self, [alert.text for alert in new if alert.desktop])

    def on_link_changed(self, message: LinkChanged) -> None:
        """Say that the agent came or went; what was sent and not answered counts as not taken."""
        if message.link.state is AgentLinkState.LOST and self._link.state is AgentLinkState.LOST:
            self._link = AgentLink(AgentLinkState.LOST, self._link.since, message.link.why)
        else:
            self._link = message.link
        if message.link.state in {AgentLinkState.LOST, AgentLinkState.STOPPED}:
            self.does.run.forget_sent()
        elif message.link.state is AgentLinkState.LIVE:
            for screen in self.screen_stack:
                if isinstance(screen, BaseScreen):
                    screen.status.forget("not connected to the agent")
        self.show()

    def _let_time_pass(self) -> None:
        """Draw ages as they are now, unless a Snapshot has just done so."""
        if self.clock.monotonic() - self._shown_at >= _TICK_S / 2:
            self.show()

    def show(self) -> None:
        """Draw this moment on the screen that is seen."""
        if self.away:
            return
        self._shown_at = self.clock.monotonic()
        silent = self._shown_at - self._told_at + self._lag_s
        self.moment = self._present(self._snapshot, silent)
        self.painter = self._stale_painter if self.moment.stale else self._fresh_painter
        screen = self.screen
        if isinstance(screen, BaseScreen):
            with self.batch_update():
                pane = self.main.pane if screen is self.main and self.main.is_mounted and self.main.has_pane else None
                if pane is not None:
                    pane.told(sent=self.does.run.sent, busy=self.does.services.under_way)
                screen.show(self.moment, self.painter)

    def _present(self, snapshot: Snapshot | None, silent_s: float) -> RenderContext:
        """Return the moment to draw. Its time is the agent's, carried on by a clock that nobody sets."""
        if snapshot is None:
            return RenderContext(None, self.clock.now(), self._link, silent_s, self.link.text)
        now = snapshot.at + silent_s if snapshot.at else self.clock.now()
        watching = who_drives(snapshot.header, os.getpid())
        moment = RenderContext(
            self._outdated.mark(snapshot, silent_s), now, self._link, silent_s, self.link.text, watching
        )
        if not moment.stale:
            return moment
        problems = (agent_problem(self._link, now, silent_s), *snapshot.problems)
        return replace(moment, snapshot=replace(moment.data, problems=problems))

    @property
    def pane(self) -> Pane:
        """The chosen tab's pane."""
        return self.main.pane

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Put a remark or an error into the status line of the screen that is seen."""
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.say(text, error=error, hint=hint)

    def work(self, what: Coroutine[Any, Any, None], name: str, *, group: str = "default") -> None:
        """Do something beside the screen. In a group other than the default, one at a time."""
        self.run_worker(what, name=name, group=group, exclusive=group != "default")

    async def hand_over(self, argv: Sequence[str]) -> HandoverResult:
        """Give the terminal to a program until it ends."""
        from switchover.ui.kit.terminal_handover import hand_over

        return await hand_over(self, argv)

    def push_screen(self, screen: Any, *args: Any, **options: Any) -> Any:
        """Open a screen; it is drawn from the present moment."""
        result = super().push_screen(screen, *args, **options)
        self.call_after_refresh(self.show)
        return result

    def pop_screen(self) -> Any:
        """Go back; what lies beneath is drawn from the present moment."""
        result = super().pop_screen()
        self.call_after_refresh(self.show)
        return result

    # ------------------------------------------------------------------ keys

    async def on_event(self, event: events.Event) -> None:
        """Keep keys from a dangerous screen that were pressed before it could be read."""
        screen = self._screen_stack[-1] if self._screen_stack else None
        if isinstance(event, events.Key | events.Paste) and self._is_for_what_closed(event.time):
            event.stop()
            return
        if (
            isinstance(event, events.Key | events.Paste)
            and isinstance(screen, BaseScreen)
            and not screen.takes_key_of(event.time)
        ):
            event.stop()
            return
        if isinstance(screen, BaseScreen) and screen.by_hand and _is_paste(event):  # before the line that has the focus
            event.stop()
            screen.refuse_paste()
            return
        if isinstance(event, events.Key) and isinstance(screen, BaseScreen):
            screen.hurries = True
        await super().on_event(event)

    def on_closed_by_itself(self, message: ClosedByItself) -> None:
        """Let nothing that is still being typed reach what lies beneath."""
        self._typed_at = message.at

    def _is_for_what_closed(self, at: float) -> bool:
        if self._typed_at is None or at - self._typed_at > _PAUSE_S:
            self._typed_at = None
            return False
        self._typed_at = at
        return True

    async def on_intent(self, intent: Intent) -> None:
        """Send an intent; the answer goes to the status line. One that was decided on old data is not sent."""
        if self.moment.stale:
            self.does.run.forget_sent()
            say_stale(self)
            return
        self.run_worker(self.does.run.send(intent), name=intent.command.name)
        self.show()

    def on_say(self, message: Say) -> None:
        """Put a remark into the status line."""
        self.say(message.text, error=message.error, hint=message.hint)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what does something at this moment."""
        if action == "palette":
            return self.screen is self.main
        return (
            self.does.is_offered(action)
            if self.main.is_mounted and self.main.has_pane
            else super().check_action(action, parameters)
        )

    def action_help(self) -> None:
        """Open all keys that do something here, made from the bindings themselves."""
        from switchover.ui.text.keys import help_lines

        screen = self.screen
        if isinstance(screen, BaseScreen) and screen.headline == _KEYS:
            return
        hints = hints_from(screen.active_bindings.values(), only_shown=False)
        self.does.opener.lines(_KEYS, lambda _now, width, _height: help_lines(hints, width))

    def action_palette(self) -> None:
        """Open the palette."""
        from switchover.ui.app.palette_commands import palette

        self.push_screen(palette(self))

    def choose_theme(self, name: str) -> None:
        """Use another theme, and keep it for the next time."""
        self._chosen = self._themes[name]
        self._fresh_painter = Painter(self._chosen)
        self._stale_painter = Painter(self._chosen, stale=True)
        self.theme = name
        self.show()
        if self.keep_theme is not None:
            self.run_worker(self._keep_theme(self.keep_theme, name), name="keep theme", exit_on_error=False)

    async def _keep_theme(self, keep: Callable[[str], None], name: str) -> None:
        try:
            await asyncio.to_thread(keep, name)  # the settings may lie on a slow disk
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
        else:
            self.say(f"theme {name}, kept in your settings")

    @property
    def theme_names(self) -> tuple[str, ...]:
        """The themes that can be chosen."""
        return tuple(self._themes)

    def action_repaint(self) -> None:
        """Paint the whole screen anew."""
        self.repaint()

    def action_leave(self) -> None:
        """Detach from the agent; the run goes on."""
        self.exit(return_code=0)

    def action_hint_quit(self) -> None:
        """Say which key quits."""
        self.say("q quits and leaves the run going; A in tab 6 aborts it")

    # ------------------------------------------------------------------ bad days

    def _handle_exception(self, error: Exception) -> None:
        """End with one line for the operator; everything else goes into the log."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self.note_crash(error)
        self._close_messages_no_wait()

    def note_crash(self, error: Exception) -> None:
        """Keep what happened in one line, and all of it in the log."""
        self.crash = keep_crash(error, self.log_path)


def _is_paste(event: events.Event) -> bool:
    return isinstance(event, events.Paste) or (
        isinstance(event, events.Key) and event.key in {"ctrl+v", "shift+insert"}
    )
