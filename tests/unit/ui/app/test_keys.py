"""One key has one meaning in the whole program, and what cannot be taken back is asked about first."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import switchover.ui

DOCS = Path(__file__).parents[4] / "docs"

# Every action of every screen and pane, with what its key means. One that is missing fails the test.
NUMBER = "what bears this number"
TAKE = "take what is proposed or under the cursor"
MEANING = {
    "advance": TAKE,
    "run_to_gate": "up to the gate",
    "open_selected": TAKE,
    "open": TAKE,
    "choose": TAKE,
    "adopt": TAKE,
    "submit": TAKE,
    "back": "back",
    "leave": "leave this screen",
    "quit_logs": "leave this screen",
    "palette": "the palette",
    "help": "help",
    "hint_quit": "say which key leaves",
    "suspend_process": "to the shell",
    "repaint": "paint anew",
    "filter": "search by text",
    "search": "search by text",
    "match": "the next, the previous",
    "next_entry": "the next, the previous",
    "tab": NUMBER,
    "source": NUMBER,
    "kind": NUMBER,
    "solve": NUMBER,
    "pick": NUMBER,
    "next_tab": "sideways",
    "sideways": "sideways",
    "machine": "sideways",
    "move": "up and down",
    "scroll_lines": "up and down",
    "page": "a page up and down",
    "scroll_page": "a page up and down",
    "jump": "first and last",
    "top": "first and last",
    "bottom": "first and last",
    "select": "select",
    "longer": "a longer span",
    "shorter": "a shorter span",
    "toggle_choice": "select",
    "select_all": "select all",
    "output": "all there is of it",
    "open_problem": "all there is of it",
    "rehearse": "all there is of it",
    "recheck": "look again",
    "recheck_all": "look at all again",
    "again": "look again",
    "follow": "follow",
    "here": "follow",
    "wrap": "lay text out otherwise",
    "plain": "lay text out otherwise",
    "connections": "who depends on whom",
    "whole": "who depends on whom",
    "inspect": "all that its source knows",
    "service_inspect": "all that its source knows",
    "service_logs": "logs",
    "problem_logs": "logs",
    "incident": "incident",
    "ask('open')": "incident",
    "note": "a note",
    "ask('note')": "a note",
    "ask('close')": "close the incident",
    "rollback": "ways back",
    "yes": "the answer yes",
    "answer(True)": "the answer yes",
    "answer(False)": "the answer no",
    "no": "the answer no",
    "ask('find')": "search by text",
    "ask('show')": "only lines with",
    "ask('hide')": "hide lines with",
    "ask('span')": "a time",
    "error": "the next, the previous error",
    "least": "level",
    "times": "times of lines",
    "save": "save",
    "copy": "copy",
    "seen_all": "all seen",
    "take_on": "take the alert on",
    "silence": "silence",
    "sort": "sort",
    "tree": "tree",
    "toggle_found": "what else runs",
    "gate": "gate",
    "timeline": "timeline",
    "contacts": "contacts",
    "useful_commands": "commands of the plan",
    "diagnose": "diagnose",
    "promises": "proof",
    "service_actions": "actions",
    "service_shell": "shell",
    "acknowledge": "acknowledge",
    "waive": "waive",
    "abort": "abort",
    "new_run": "new run",
    "bundle": "bundle",
    "takeover": "take over",
    "plan_difference": "edited plan",
    "previous": "the line before",
}
ALLOWED = {
    ("space", "select", "a page up and down"): "a list is selected from, a text is paged through: nothing is changed",
    (
        "n",
        "the answer no",
        "the next, the previous",
    ): "to a question that fills the screen; it only closes it",
    ("q", "back", "leave this screen"): "what is seen is left; on the tabs that is the program, and the run goes on",
    ("escape", "back", "leave this screen"): "the line that is typed in is left",
}
# What changes something outside of the screen, and what stands between the key and that.
ACTS = {
    "advance": "what destroys is typed; the rest is what the line above the keys says, once however long it is held",
    "note": "a list of items, chosen and confirmed",
    "ask('note')": "a line to type in",
    "ask('open')": "a line to type in",
    "ask('close')": "a line to type in",
    "adopt": "a choice with a reason",
    "acknowledge": "a choice with a reason",
    "waive": "a choice with a reason",
    "abort": "a yes",
    "run_to_gate": "a yes, after the steps were named",
    "new_run": "a yes",
    "seen_all": "a yes",
    "take_on": "a yes",
    "silence": "a yes",
    "takeover": "a yes",
    "rollback": "a choice, then what it takes",
    "service_actions": "a menu, then what the action takes",
    "service_shell": "a shell, which is the person's own",
    "solve": "a yes or a text, unless it only reads",
    "yes": "it is the answer",
    "answer(True)": "it is the answer",
    "answer(False)": "it is the answer",
    "bundle": "a file of its own, readable by nobody else",
    "save": "a file of its own, readable by nobody else",
}


def bindings() -> Iterator[tuple[str, str, str]]:
    """Yield class, key and action of every binding in the program."""
    seen: set[type] = set()
    for module in pkgutil.walk_packages(switchover.ui.__path__, "switchover.ui."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if not issubclass(kind, DOMNode) or not kind.__module__.startswith("switchover.") or kind in seen:
                continue
            seen.add(kind)
            for binding in vars(kind).get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                for key in binding.key.split(","):
                    yield kind.__name__, key, binding.action.removeprefix("app.")


def meaning(action: str) -> str:
    return MEANING.get(action) or MEANING[action.partition("(")[0]]


def test_every_action_has_a_meaning_that_is_written_down() -> None:
    actions = {action for _, _, action in bindings()}
    assert {action for action in actions if action not in MEANING and action.partition("(")[0] not in MEANING} == set()
    names = actions | {action.partition("(")[0] for action in actions}
    assert set(MEANING) <= names, "and no other is"


def test_a_key_means_one_thing_in_the_whole_program() -> None:
    meanings: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for kind, key, action in bindings():
        meanings[key][meaning(action)].add(kind)
    allowed = {(key, frozenset(pair)) for key, *pair in ALLOWED}
    wrong = {
        key: {what: sorted(where) for what, where in found.items()}
        for key, found in meanings.items()
        if len(found) > 1 and (key, frozenset(found)) not in allowed
    }
    assert not wrong
    needed = {(key, frozenset(found)) for key, found in meanings.items() if len(found) > 1}
    assert {entry for entry in allowed if entry not in needed} == set(), "an exception that nothing needs is none"


def test_a_meaning_has_one_key_besides_the_ones_that_move() -> None:
    moving = {
        "up and down",
        "a page up and down",
        "first and last",
        "sideways",
        NUMBER,
        "the palette",
    }
    other = {"leave this screen", "back", "the next, the previous", "the next, the previous error"}
    keys: dict[str, set[str]] = defaultdict(set)
    for _, key, action in bindings():
        keys[meaning(action)].add(key)
    several = {what: found for what, found in keys.items() if len(found) > 1 and what not in moving | other}
    assert not several


def test_a_key_that_changes_something_means_nothing_harmless_elsewhere() -> None:
    acting = {meaning(action) for action in ACTS} - {
        NUMBER,
        TAKE,
    }
    keys = {key for _, key, action in bindings() if meaning(action) in acting} - {"n"}
    assert len(keys) > 10
    for key in keys:
        others = {meaning(other) for _, same, other in bindings() if same == key}
        assert len(others) == 1, (key, others)


def test_keys_that_the_screens_read_by_themselves_only_move() -> None:
    """`on_key` sees keys beside the bindings: none of them may do anything."""
    texts = [path.read_text("utf-8") for path in Path(switchover.ui.__path__[0]).rglob("*.py")]
    readers = [
        found[0]
        for text in texts
        for found in re.finditer(r"def on_key\(self.*?(?=\n    def |\nclass |\Z)", text, re.DOTALL)
    ]
    assert readers
    for reader in readers:
        keys = set(re.findall(r'"([a-z+0-9_]+)":', reader))
        assert keys <= {"up", "down", "pageup", "pagedown", "ctrl+n", "ctrl+k"}, reader


def test_the_pages_name_only_keys_that_there_are() -> None:
    known = {key for _, key, _ in bindings()}
    text = "".join((DOCS / page).read_text("utf-8") for page in ("first-plan.md", "on-call.md", "team.md"))
    rows = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    named = {key for row in rows for cell in row.split("|") for key in re.findall(r"`([A-Za-z])`", cell)}
    assert named <= known
    assert {"a", "W", "P", "x", "S", "D", "R"} <= named


@pytest.mark.parametrize("action", sorted(ACTS))
def test_what_acts_is_written_down_with_what_guards_it(action: str) -> None:
    assert any(bound == action or bound.partition("(")[0] == action for _, _, bound in bindings())
    assert ACTS[action]
