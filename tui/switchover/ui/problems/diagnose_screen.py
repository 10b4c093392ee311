"""A diagnosis: why the entry fits, what its commands say as each ends, and what may help, by its number."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from switchover.commands.problems import CancelDiagnosis, CommandResult, Diagnose, LookAtIssue, SolveIssue
from switchover.errors import SwitchoverError
from switchover.snapshot import KnownIssueView, SolutionView
from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.problems.known_issue_lines import Said, Takes, advice_lines, output_lines, takes_of
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["DiagnoseScreen"]

_WIDE_FROM = 120
_AT_ONCE = 3  # commands beside each other; one that hangs keeps only its own place
_READ_ONLY = "watching only: the commands are shown, not run"


class DiagnoseScreen(OverScreen):
    """Runs the commands when it opens and ends them when it closes. `r` runs them again; a number runs a solution."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "run again"),
        *[Binding(str(number), f"solve({number - 1})", f"Solution {number}", show=False) for number in range(1, 10)],
        Binding("n", "next_entry", "next entry", tooltip="another entry that fits too"),
        bound("open_problem", shown=True),
        bound("problem_logs"),
        bound("timeline"),
        bound("incident"),
        bound("contacts"),
        bound("rollback"),
    ]

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        entries: Sequence[KnownIssueView],
        about: str,
        sender: Sender,
        service: str = "",
    ) -> None:
        count = f" 1 of {len(entries)}" if len(entries) > 1 else ""
        super().__init__(painter, moment, f"diagnosis{count}: {entries[0].symptom}")
        self.service = service
        self._entries = tuple(entries)
        self._trouble = entries[0]
        self._about = about
        self._sender = sender
        self._token = f"{os.getpid()}-{time.monotonic_ns()}"
        self._said: list[Said] = []
        self._acted: list[Said] = []
        self._busy: int | None = None
        self._advice = Scroller(painter, id="advice")
        self._output = Scroller(painter, id="output")

    def compose(self) -> ComposeResult:
        """Place what may help beside what was found; under each other where it is narrow."""
        yield self.header
        with Horizontal(classes="row"):
            yield self._advice
            yield self._output
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Run it."""
        self._output.focus()
        self.run_worker(self._open(), name="look")

    def on_unmount(self) -> None:
        """End what nobody looks at any more."""
        if any(one.exit_code is None for one in self._said):
            self.app.run_worker(self._cancel(self._token), name="cancel", exit_on_error=False)

    async def _cancel(self, token: str) -> None:
        try:
            await self._sender.send(CancelDiagnosis(token))
        except SwitchoverError:
            return  # the agent ends them with the line

    # Looking closer

    async def _open(self) -> None:
        try:
            self._trouble = await self._sender.send(LookAtIssue(self._trouble.id, self._about))
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
        self.action_again()

    def action_again(self) -> None:
        """Run the commands, once at a time."""
        if any(one.exit_code is None and not one.waits for one in self._said):
            return
        labels = (*self._trouble.shows, *("" for _ in self._trouble.diagnose))
        self._said = [
            Said(command, waits=True, shows=shows)
            for command, shows in zip(self._trouble.diagnose, labels, strict=False)
        ]
        if self.moment.data.header.read_only:
            self.draw()
            return
        self.run_worker(self._run(), name="diagnose")
        self.draw()

    async def _run(self) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> None:
            async with slots:
                self._said[number] = replace(self._said[number], waits=False)
                self.draw()
                self._said[number] = await self._ask(number)
                self.draw()

        await asyncio.gather(*(one(number) for number in range(len(self._said))))
        self.show_keys()

    async def _ask(self, number: int) -> Said:
        before = self._said[number]
        try:
            ended = await self._sender.send(Diagnose(self._trouble.id, self._about, number, self._token))
        except SwitchoverError as error:
            return replace(self._said[number], exit_code=1, output=error.title)
        found = ended[0] if ended else CommandResult()
        return replace(
            self._said[number],  # what was done meanwhile has marked it
            command=found.command or before.command,
            exit_code=found.exit_code,
            output=found.output,
        )

    def action_next_entry(self) -> None:
        """Look at the next entry that fits; what the one before runs is ended."""
        if self._busy is not None:
            self.say("a solution runs already: wait until it has ended", error=True)
            return
        place = [entry.id for entry in self._entries].index(self._trouble.id)
        self._trouble = self._entries[(place + 1) % len(self._entries)]
        number = self._entries.index(self._trouble) + 1
        self.headline = f"diagnosis {number} of {len(self._entries)}: {self._trouble.symptom}"
        self.workers.cancel_node(self)
        self.app.run_worker(self._cancel(self._token), name="cancel", exit_on_error=False)
        self._token = f"{os.getpid()}-{time.monotonic_ns()}"
        self._said, self._acted = [], []
        self.show(self.moment, self.painter)
        self.run_worker(self._open(), name="look")

    # What may help

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the numbers of solutions that can be run, while none is."""
        if action == "next_entry":
            return len(self._entries) > 1
        if action != "solve":
            return True
        number = parameters[0]
        acts = self._trouble.acts
        can = isinstance(number, int) and number < len(acts) and takes_of(acts[number]) != Takes.BY_HAND
        return can and self._can_act

    @property
    def _can_act(self) -> bool:
        return not (self.moment.data.header.read_only or self.moment.watching)

    def action_solve(self, number: int) -> None:
        """Run a solution: at once where it only reads, else once it was confirmed."""
        if self._busy is not None:
            self.say("a solution runs already: wait until it has ended", error=True)
            return
        if self.moment.stale:
            self.say("not connected to the agent: nothing is started from here", error=True)
            return
        solution = self._trouble.acts[number]
        if not solution.asks:
            self._confirm(number, solution, {})
            return
        from switchover.ui.kit.values_screen import ValuesScreen

        def take(answers: dict[str, str]) -> None:
            self._confirm(number, solution, answers)

        note = "The command gets these as variables."
        self.app.push_screen(ValuesScreen(self.painter, self.moment, solution.text, note, solution.asks, take))

    def _confirm(self, number: int, solution: SolutionView, answers: dict[str, str]) -> None:
        """Run it once it was confirmed, where that is needed."""
        if takes_of(solution) == Takes.READ:
            self._begin(number, "", answers)
            return
        from switchover.ui.problems.solution_screen import solution_screen

        self.app.push_screen(
            solution_screen(
                self.painter, self.moment, solution, self._about, lambda typed: self._begin(number, typed, answers)
            )
        )

    def _begin(self, number: int, confirmation: str, answers: dict[str, str]) -> None:
        if self._busy is not None:
            return
        self._busy = number
        solution = self._trouble.acts[number]
        self._acted.append(Said(solution.command, solution=True))
        self.run_worker(self._solve(number, solution, confirmation, answers), name="solve")
        self.draw()

    async def _solve(self, number: int, solution: SolutionView, confirmation: str, answers: dict[str, str]) -> None:
        wish = SolveIssue(self._trouble.id, number, self._about, confirmation, answers)
        try:
            ended = await self._sender.send(wish)
            self._acted[-1] = Said(solution.command, ended.exit_code, ended.output, solution=True)
            if takes_of(solution) != Takes.READ:
                self._said = [replace(one, outdated=True) for one in self._said]
        except SwitchoverError as error:
            self._acted[-1] = Said(solution.command, 1, error.title, solution=True)
            self.say(error.title, error=True, hint=error.hint)
        finally:
            self._busy = None
        self.draw()
        self.show_keys()

    # Drawing

    def draw(self) -> None:
        """Draw what is known so far."""
        if not self.is_mounted:
            return
        width = self.size.width
        wide = width >= _WIDE_FROM
        left = width * 2 // 5 if wide else width
        advice = advice_lines(self._trouble, left - 2, busy=self._busy, can_act=self._can_act)
        if wide:
            self._advice.display = True
            self._advice.styles.width = left
            self._advice.set_all(advice)
            self._output.set_all([(StyledSpan("│", "rule"), *line) for line in self._found(width - left - 2)])
        else:
            self._advice.display = False
            self._output.set_all([*advice, (), *self._found(width)])

    def _found(self, width: int) -> list[Line]:
        lines: list[Line] = []
        if self._acted:
            lines += [(StyledSpan(" what was done", "heading"),), *output_lines(self._acted, width)]
        lines.append((StyledSpan(" a closer look", "heading"),))
        if any(one.outdated for one in self._said):
            lines[-1] = (
                *lines[-1],
                StyledSpan("  from before what was done · ", "late"),
                StyledSpan("r", "key"),
                StyledSpan(" looks again"),
            )
        if self.moment.data.header.read_only:
            lines += [(StyledSpan(" "), *line) for line in wrap(_READ_ONLY, width - 2, "late")]
        if not self._said:
            lines.append((StyledSpan("   this entry has no commands", "muted"),))
        return [*lines, *output_lines(self._said, width)]
