"""The useful commands of a plan: each is one key away, and what it said stands below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.keys import _character_to_key

from switchover.commands.useful import LookByCommand, RunUseful
from switchover.errors import SwitchoverError
from switchover.snapshot import SolutionView, UsefulCommandView
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.problems.known_issue_lines import Said, output_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import effect
from switchover.ui.text.styled_line import Line, StyledSpan, cut

__all__ = ["CommandsScreen"]

_FIRST_KEYS = "123456789"


class CommandsScreen(OverScreen):
    """A command's own key runs it, else its number. What only reads runs at once, the rest asks first."""

    def __init__(self, painter: Painter, moment: RenderContext, sender: Sender, run: str = "") -> None:
        super().__init__(painter, moment, "commands of the plan")
        self._sender = sender
        self._first = run
        self._busy = False
        self._said: list[Said] = []
        self._body = Scroller(painter)
        numbers = iter(_FIRST_KEYS)
        self._keys = {one.name: one.key or next(numbers, "") for one in moment.data.commands}
        for name, key in self._keys.items():
            if key:
                own = Binding(_character_to_key(key), f"useful('{name}')", name, show=False)
                self._bindings.key_to_bindings[own.key] = [own]  # before what the key does elsewhere

    def compose(self) -> ComposeResult:
        """Header, the commands and what they said, status, keys."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Run the one that was asked for."""
        self._body.focus()
        if self._first:
            self.call_after_refresh(lambda: self.action_useful(self._first))

    def draw(self) -> None:
        """Draw the commands, and what the last one said."""
        width = self.size.width
        lines: list[Line] = [()]
        for one in self.moment.data.commands:
            words, style = effect(one.effect)
            where = f" on {one.run_on}" if one.run_on else ""
            lines.append(
                (
                    StyledSpan(f" {self._keys.get(one.name, '') or ' '} ", "key"),
                    StyledSpan(f" {one.title}", "strong"),
                    StyledSpan(f"  {words}", style),
                    StyledSpan(where, "muted"),
                )
            )
            lines.append((StyledSpan(f"     $ {cut(one.command, max(width - 8, 10))}", "code"),))
        lines.append(())
        self._body.set_all([*lines, *output_lines(self._said, width)])

    def action_useful(self, name: str) -> None:
        """Run it: at once where it only reads, else once a person has said yes."""
        one = next((one for one in self.moment.data.commands if one.name == name), None)
        if one is None or self._busy:
            self.say("a command runs already: wait until it has ended" if one else "the plan has no such command now")
            return
        if self.moment.stale or self.moment.data.header.read_only:
            self.say("commands are not run here: read-only, or not connected to the agent", error=True)
            return
        if one.effect == "read":
            self._begin(one, "")
            return
        from switchover.ui.problems.solution_screen import solution_screen

        asked = SolutionView(one.title, one.command, one.effect)
        self.app.push_screen(
            solution_screen(self.painter, self.moment, asked, one.run_on, lambda typed: self._begin(one, typed))
        )

    def _begin(self, one: UsefulCommandView, confirmation: str) -> None:
        self._busy = True
        self._said = [Said(one.command)]
        self.run_worker(self._run(one, confirmation), name="useful")
        self.draw()

    async def _run(self, one: UsefulCommandView, confirmation: str) -> None:
        try:
            if one.effect == "read":
                ended = await self._sender.send(LookByCommand(one.name))
            else:
                ended = await self._sender.send(RunUseful(one.name, confirmation))
            self._said = [Said(each.command, each.exit_code, each.output) for each in ended]
        except SwitchoverError as error:
            self._said = [Said(one.command, 1, error.title)]
            self.say(error.title, error=True, hint=error.hint)
        finally:
            self._busy = False
        self.draw()
