"""What a person can do on a screen, listed once: keys, palette, help and the guard all read this table.

A part of the App does an action in its method `action_NAME`. A pane says with `bound` that an action's key works there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual.binding import Binding

from switchover.snapshot.tiers import ACTIONS as SERVICE_ACTIONS

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView, Snapshot
    from switchover.ui.app.action_set import ActionSet

__all__ = ["ACTIONS", "ScreenAction", "Touches", "bound"]


def _always(_at: ActionSet) -> bool:
    return True


class Touches(StrEnum):
    """What an action changes."""

    NOTHING = "nothing"
    RUN = "the run and its journal"
    HOST = "services, or whatever a shell can reach"


@dataclass(frozen=True, slots=True)
class ScreenAction:
    """Something to do. `words` are others that people say for it; one without a key is found in the palette.

    What `changes` something is neither offered nor done for one who only watches. `offered` says whether it would do
    something now; it is asked once there is data, or where it `needs_data` not.
    """

    name: str
    key: str
    title: str
    tooltip: str
    offered: Callable[[ActionSet], bool] = _always
    changes: Touches = Touches.NOTHING
    words: str = ""
    shown: bool = True
    needs_data: bool = True

    def is_offered(self, at: ActionSet) -> bool:
        """Say whether it would do something now: only then its key is shown, and works."""
        data = at.moment.snapshot
        if data is None:
            return not self.needs_data
        if self.changes is not Touches.NOTHING and (data.header.read_only or at.moment.watching):
            return False
        if self.changes is Touches.RUN and data.migration.journal_refused:
            return False
        return self.offered(at)


def bound(name: str, *, title: str = "", shown: bool | None = None) -> Binding:
    """Return the key of an action, for the pane or screen where it works."""
    action = ACTIONS[name]
    return Binding(
        action.key,
        f"app.{name}",
        title or action.title,
        show=action.shown if shown is None else shown,
        tooltip=action.tooltip,
    )


def _data(at: ActionSet) -> Snapshot:
    return at.moment.data


def _run(at: ActionSet) -> MigrationView:
    return at.moment.data.migration


def _has_log(at: ActionSet) -> bool:
    return any("logs" in row.actions for row in at.at_hand.services())


def _can_act(at: ActionSet) -> bool:
    return any(can in SERVICE_ACTIONS for row in at.at_hand.services() for can in row.actions)


def _has_shell(at: ActionSet) -> bool:
    rows = at.at_hand.services()
    return len(rows) == 1 and "exec" in rows[0].actions


def _has_items(at: ActionSet) -> bool:
    return any(step.checklist for phase in _run(at).phases for step in phase.steps)


def _incident(at: ActionSet) -> bool:
    return not (_data(at).header.read_only and _data(at).incident is None)


def _seen_all(at: ActionSet) -> bool:
    return not _data(at).header.read_only and at.at_hand.keeps_anything()


_IDLE = {"none", "wait", "later", "done"}
_OPEN = {"running", "waiting", "failed", "unknown"}
_ENDED = {"done", "rolled_back", "aborted"}
_LISTED = (
    # the run
    ScreenAction("advance", "enter", "next", "do what the line above the keys says",
                 lambda at: _run(at).action.kind not in _IDLE, Touches.RUN, "run start step go continue"),
    ScreenAction("run_to_gate", "U", "to the gate", "run all steps up to the next gate; again: stop after one",
                 lambda at: _run(at).to_gate or (_run(at).action.kind == "step" and not _run(at).action.dangerous),
                 Touches.RUN, "run all steps phase continue"),
    ScreenAction("output", "o", "output", "all output of the step under the cursor",
                 lambda at: at.at_hand.step() is not None),
    ScreenAction("note", "plus", "note", "tick the items of a checklist, with evidence", _has_items, Touches.RUN),
    ScreenAction("acknowledge", "a", "acknowledge", "let a warning pass while it stays one, with a reason",
                 lambda at: at.at_hand.can_let_pass("acknowledge"), Touches.RUN, "ack accept"),
    ScreenAction("waive", "W", "waive", "let a check that is not fine pass for a while, with a reason",
                 lambda at: at.at_hand.can_let_pass("waive"), Touches.RUN),
    ScreenAction("rollback", "R", "roll back", "the ways back: what each does, takes and loses",
                 lambda at: bool(_run(at).rollbacks), Touches.RUN, "undo revert back"),  # a way that is closed says why
    ScreenAction("abort", "A", "abort", "stop the running step and the run",
                 lambda at: _run(at).state in _OPEN, Touches.RUN, "stop cancel kill"),
    ScreenAction("cancel_put_off", "", "cancel put off", "take back that the run goes on by itself at a later time",
                 lambda at: bool(_run(at).put_off), Touches.RUN, "at schedule later appointment"),
    ScreenAction("new_run", "F", "new run", "begin again, where the last run has ended",
                 lambda at: _run(at).state in _ENDED, Touches.RUN),
    ScreenAction("promises", "p", "proof", "what the migration promised, measured before and after",
                 lambda at: bool(_run(at).promises), shown=False),
    ScreenAction("plan_difference", "P", "edited plan", "what was edited in the plan's file; adopt it from there",
                 lambda at: _data(at).header.plan_edited and at.at_hand.is_on_main()),
    ScreenAction("takeover", "T", "take over", "ask whoever drives for the run, or answer one who asks",
                 lambda at: at.takeover.can_take_over()),
    # what is wrong
    ScreenAction("open_selected", "enter", "open", "everything about the row under the cursor",
                 lambda at: at.at_hand.can_open()),
    ScreenAction("open_problem", "o", "details", "the check or the service with everything that is known",
                 shown=False, needs_data=False),
    ScreenAction("diagnose", "d", "diagnose", "run the commands that look closer at this trouble",
                 lambda at: at.at_hand.entry() is not None, needs_data=False),
    ScreenAction("problem_logs", "l", "logs", "the log of the service that the problem is about",
                 lambda at: at.at_hand.is_about_service(), words="logs tail follow", needs_data=False),
    ScreenAction("recheck", "r", "recheck", "run this check now",
                 lambda at: at.at_hand.check() is not None, words="check again refresh"),
    ScreenAction("recheck_all", "V", "check all", "run all checks now that are watched",
                 lambda at: bool(_data(at).checks), words="run every check again now refresh", shown=False),
    ScreenAction("timeline", "t", "timeline", "what happened, newest first",
                 lambda at: bool(_data(at).timeline), words="history events"),
    ScreenAction("incident", "i", "incident", "open an incident, add a note to it, close it",
                 _incident, needs_data=False),
    ScreenAction("bundle", "B", "bundle", "one redacted file for a colleague: problems, timeline, logs",
                 lambda at: at.problems.can_bundle(), needs_data=False),
    ScreenAction("contacts", "c", "contacts", "whom to call and what to read",
                 lambda at: bool(_data(at).contacts), words="phone oncall who runbook"),
    ScreenAction("useful_commands", "X", "commands", "the useful commands of the plan, each one key away",
                 lambda at: bool(_data(at).commands), words="useful run shell do"),
    ScreenAction("take_on", "K", "take on", "acknowledge the alert: it is neither repeated nor escalated for a day",
                 lambda at: (row := at.at_hand.alert()) is not None and not row.note.startswith("acknowledged"),
                 words="acknowledge ack alert"),
    ScreenAction("silence", "Z", "silence", "tell nobody of the alert for an hour",
                 lambda at: (row := at.at_hand.alert()) is not None and not row.note.startswith("silenced"),
                 words="silence mute alert", shown=False),
    ScreenAction("seen_all", "M", "all seen", "let go of all that is kept until seen", _seen_all, shown=False),
    # services
    ScreenAction("service_actions", "x", "actions", "what can be done to the row, or to all selected rows",
                 _can_act, Touches.HOST, "restart stop start kill scale pause"),
    ScreenAction("service_logs", "l", "logs", "the logs of the row, or of all selected rows together",
                 _has_log, words="logs tail follow"),
    ScreenAction("service_shell", "S", "shell", "a shell in it; leaving the shell comes back here",
                 _has_shell, Touches.HOST, "exec terminal bash"),
    ScreenAction("connections", "D", "who needs whom", "what it needs, what needs it, where it is broken",
                 lambda at: bool(at.at_hand.services()), words="dependencies graph needs"),
    ScreenAction("service_inspect", "I", "inspect", "all that its source knows of it",
                 lambda at: bool(at.at_hand.services()), shown=False),
    ScreenAction("service_pager", "", "log by its own command",
                 "such as journalctl, on this terminal; leaving it comes back here", _has_log),
    ScreenAction("shell_here", "", "shell here", "your own shell on this host; leaving it comes back here",
                 changes=Touches.HOST),
    # the screen
    ScreenAction("leave", "q", "quit", "detach; the run and the watching go on",
                 words="exit quit detach", shown=False, needs_data=False),
    ScreenAction("help", "question_mark", "help", "all keys that do something here", needs_data=False),
)  # fmt: skip
ACTIONS: Mapping[str, ScreenAction] = MappingProxyType({action.name: action for action in _LISTED})
