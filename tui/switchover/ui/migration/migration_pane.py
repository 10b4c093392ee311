"""Migration: the wizard. The tree at the left, the chosen step at the right, below what enter would do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from switchover.commands.looking import RunChecks
from switchover.snapshot import GateView, StepView
from switchover.ui.kit.actions import bound
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.pane import Pane, set_height
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.ended_lines import ended_lines
from switchover.ui.migration.notice_lines import notice_lines
from switchover.ui.migration.rollback_progress import standing_lines
from switchover.ui.migration.step_detail import gate_lines, side_lines, step_lines
from switchover.ui.migration.wizard import (
    action_line,
    current_key,
    find_gate,
    find_step,
    gate_line,
    phase_lines,
    run_line,
    tree_items,
    tree_width_for,
)
from switchover.ui.text.due_lines import group_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, rule

__all__ = ["MigrationPane"]

_SIDE_FROM = 150


class MigrationPane(Pane):
    """The wizard. Until the operator moves the cursor, it follows the run."""

    kind: ClassVar[str] = "migration"
    rank: ClassVar[int] = 60
    short_title: ClassVar[str] = "Migr"
    search: ClassVar[str] = "run wizard steps plan"
    BINDING_GROUP_TITLE = "Migration"
    BINDINGS: ClassVar[list[BindingType]] = [
        bound("advance"),
        bound("run_to_gate"),
        bound("output"),
        Binding("u", "gate", "gate", tooltip="go to the gate; on the gate: check again what it needs"),
        bound("note"),
        bound("acknowledge"),
        bound("waive"),
        bound("rollback"),
        bound("abort"),
        bound("new_run"),
        Binding("f", "follow", "follow", show=False, tooltip="let the cursor follow the run again"),
        bound("promises"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "migration")
        self.can_filter = False
        self.follows = True
        self._run = LineView(painter)
        self._tree = RowList(painter)
        self._detail = LineView(painter)
        self._side = LineView(painter)
        self._foot = LineView(painter)

    def compose(self) -> ComposeResult:
        """Run line, tree and detail, gate and action."""
        yield self._run
        with Horizontal(classes="row"):
            yield self._tree
            yield self._detail
            yield self._side
        yield self._foot

    @property
    def step(self) -> StepView | None:
        """The step under the cursor."""
        kind, _, name = self._tree.key.partition(":")
        return find_step(self.moment.data.migration, name) if kind == "step" else None

    @property
    def gate(self) -> GateView | None:
        """The gate under the cursor."""
        kind, _, name = self._tree.key.partition(":")
        return find_gate(self.moment.data.migration, name) if kind == "gate" else None

    def draw(self) -> None:
        """Draw all parts."""
        width, height = self.size
        view = self.moment.data.migration
        if not view.phases:
            self._no_plan(width, height)
            return
        head = [run_line(self.moment, width), *notice_lines(self.moment, width)]
        set_height(self._run, len(head))
        self._run.set_lines(head)
        tree_width = tree_width_for(view, width)
        self._tree.styles.width = tree_width
        self._tree.set_items(tree_items(self.moment, tree_width))
        if self.follows and self._tree.key != current_key(view):
            self._tree.select(current_key(view))
        foot = self._foot_lines(width)
        set_height(self._foot, len(foot))
        self._foot.set_lines(foot)
        room = height - len(head) - len(foot)
        side = width // 3 if width >= _SIDE_FROM else 0
        self._side.display = side > 0
        if side:
            self._side.styles.width = side
            gate = self._next_gate()
            beside = side_lines(gate if gate != self.gate else None, self.moment, side - 2, room)
            self._side.set_lines([(StyledSpan("│", "rule"), *line) for line in (beside + [()] * room)[: max(room, 0)]])
        lines = self._detail_lines(width - tree_width - 1 - side, room)
        self._detail.set_lines([(StyledSpan("│", "rule"), *line) for line in (lines + [()] * room)[: max(room, 0)]])

    def _no_plan(self, width: int, height: int) -> None:
        del width
        set_height(self._run, 0)
        self._side.display = False
        why = self.moment.link.why
        if self.moment.snapshot is not None:
            plan = self.moment.snapshot.header.plan_id
            watched = f"the plan {plan} has no phases: it is watched, there is nothing to carry out"
            why = watched if plan else "no plan is open: start with `switchover PLAN`"
        self._tree.styles.width = "1fr"
        self._tree.set_items([], (), [(), (StyledSpan(f"   {why}", "muted"),)])
        self._detail.display = False
        set_height(self._foot, 0)
        del height

    def _foot_lines(self, width: int) -> list[Line]:
        view = self.moment.data.migration
        gate = self._next_gate()
        lines: list[Line] = [rule(width)]
        if gate is not None:
            lines.append(gate_line(gate, self.moment, width))
        lines.append(
            action_line(
                view,
                width,
                sent=self.sent,
                read_only=self.moment.data.header.read_only,
                watching=self.moment.watching,
                now=self.moment.now,
                stale=self.moment.stale,
            )
        )
        return lines

    def _next_gate(self) -> GateView | None:
        """Return the gate that the run comes to next."""
        view = self.moment.data.migration
        phase = next((phase for phase in view.phases if phase.id == view.current_phase), None)
        if phase is not None and phase.gate is not None:
            return phase.gate
        done = {"passed", "rolled_back"}
        return next((phase.gate for phase in view.phases if phase.gate and phase.gate.state not in done), None)

    def _detail_lines(self, width: int, height: int) -> list[Line]:
        self._detail.display = True
        view = self.moment.data.migration
        if view.rollback is not None and self.follows and view.state != "done":
            return standing_lines(view.rollback, self.moment, width)[:height]
        if view.state in {"done", "rolled_back", "aborted"} and self.follows:
            return ended_lines(self.moment, width)
        if (step := self.step) is not None:
            return step_lines(step, self.moment, width, height)
        if (gate := self.gate) is not None:
            return gate_lines(gate, self.moment, width, height)
        if self._tree.key.startswith("group:"):
            return group_lines(view, self._tree.key.removeprefix("group:"), self.moment.now)
        name = self._tree.key.removeprefix("phase:")
        phase = next((phase for phase in self.moment.data.migration.phases if phase.id == name), None)
        return phase_lines(phase, self.moment, width) if phase is not None else []

    def on_row_list_moved(self) -> None:
        """Stop following where the operator moved away; follow again when back."""
        self.follows = self._tree.key == current_key(self.moment.data.migration)
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the gate only where there is one."""
        del parameters
        return action != "gate" or self._next_gate() is not None

    def action_gate(self) -> None:
        """Go to the next gate; on a gate, have its checks run again."""
        gate = self.gate
        if gate is not None:
            self.run_action_on_gate([need.name for need in gate.requirements])
            return
        target = self._next_gate()
        if target is not None:
            self._tree.select(f"gate:{target.phase}")

    def run_action_on_gate(self, names: list[str]) -> None:
        """Ask for the gate's checks again."""
        self.post_message(Intent(RunChecks(tuple(names)), f"checking {', '.join(names)} again"))

    def action_follow(self) -> None:
        """Let the cursor follow the run again."""
        self.follows = True
        self.draw()
