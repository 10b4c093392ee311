"""Words that a plan no longer takes: each is refused with the word that took its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from switchover.plan.complaints import Complaint, Path
from switchover.plan.loader.document import Document, Node

__all__ = ["FORMER_WORDS", "FormerWord", "refuse_former_words"]


@dataclass(frozen=True, slots=True)
class FormerWord:
    """The word to write now, and what else has changed with it.

    With `same_form`, the value is judged on under the new word; otherwise nothing more is said about it. `only` sees
    the mapping that holds the key, for a key that is still right in other places.
    """

    now: str
    why: str = ""
    same_form: bool = True
    only: Callable[[Mapping[str, Any]], bool] | None = None
    said: str = ""
    """The whole message, where the key is not only called otherwise."""

    def message(self) -> str:
        """Say what to write."""
        if self.said:
            return self.said
        return f"this key is called {self.now!r} now" + (f": {self.why}" if self.why else "")


def _names_a_side(holder: Mapping[str, Any]) -> bool:
    """Tell a side from the variables of a process."""
    return isinstance(holder["env"], str)


def _lacks_its_kind(holder: Mapping[str, Any]) -> bool:
    """Tell the kind of a part from the type of its data."""
    return "kind" not in holder


_NOT_YET = FormerWord("", same_form=False, said="this key is not there yet: it comes with a later version")

# Place in a plan (`*` stands for a name or an index; "" is the plan itself) -> key -> the word of today.
FORMER_WORDS: Mapping[str, Mapping[str, FormerWord]] = {
    "": {
        "environments": FormerWord("sides"),
        "rollback_plans": FormerWord("rollbacks"),
        "performance": FormerWord("promises"),
        "alerts": FormerWord(
            "alerts",
            same_form=False,
            only=lambda plan: isinstance(plan["alerts"], list),
            said="each alert has a name now: write `alerts: {NAME: {when: …}}`",
        ),
        "currency": FormerWord("costs", "write `costs: {currency: EUR}`", same_form=False),
        "budget_month": FormerWord("costs", "write `costs: {budget: 15}`", same_form=False),
        "cost_sources": FormerWord("costs", "write `costs: {sources: {NAME: …}}`", same_form=False),
    },
    "vars.*": {"from_output": FormerWord("default", 'write `default: "{{ step.NAME.OUT }}"`', same_form=False)},
    "sides.*": {
        "cost_month": FormerWord(
            "costs", "write `costs: {lines: [{name: NAME, side: SIDE, stated: 15 USD/month}]}`", same_form=False
        )
    },
    "costs.lines.*": {
        "low": FormerWord("stated", "write the range: 18..22 USD/month", same_form=False),
        "high": FormerWord("stated", "write the range: 18..22 USD/month", same_form=False),
    },
    "rollbacks.*": {"budget": FormerWord("within"), "data_loss_window": FormerWord("loses")},
    "rollbacks.*.steps.*": {
        "compensate": FormerWord("rollback"),
        "checklist": _NOT_YET,
    },
    "troubleshooting.*.solutions.*": {
        "irreversible": FormerWord("effect", "write `effect: destroys`", same_form=False),
    },
    "services.*": {
        "env": FormerWord("side"),
        "when": FormerWord("since"),
        "service": FormerWord("compose_service"),
    },
    "checks.*": {
        "type": FormerWord("kind", only=_lacks_its_kind),
        "env": FormerWord("side", only=_names_a_side),
        "environment": FormerWord("env"),
        "when": FormerWord("since"),
        "retry": FormerWord("attempts", "all in all, so one more than before", same_form=False),
    },
    "metrics.*": {
        "type": FormerWord("kind", only=_lacks_its_kind),
        "env": FormerWord("side", only=_names_a_side),
    },
    "notifiers.*": {"type": FormerWord("kind", only=_lacks_its_kind), "environment": FormerWord("env")},
    "costs.sources.*": {"type": FormerWord("kind", only=_lacks_its_kind)},
    "phases.*.gate": {
        "retry": FormerWord("within", "write `within: 1m`, and `every: 5s` beside it", same_form=False),
        "soak": FormerWord("hold"),
        "roles": FormerWord("who"),
    },
    "phases.*.steps.*": {
        "verify": FormerWord("on_unknown", "write `on_unknown: {verify: [CHECK]}`", same_form=False),
        "secret_outputs": FormerWord("outputs", "write `outputs: {NAME: {from: …, secret: true}}`", same_form=False),
        "irreversible": FormerWord("rollback", "write `rollback: impossible`", same_form=False),
        "manual": FormerWord("checklist"),
        "on_fail": _NOT_YET,
        "tty": _NOT_YET,
        "evidence": FormerWord("checklist", "write `{text: …, evidence: text}` at each item", same_form=False),
    },
    "phases.*.steps.*.confirm": {"type": FormerWord("text")},
    "troubleshooting.*.solutions.*.confirm": {"type": FormerWord("text")},
}


def refuse_former_words(
    document: Document, words: Mapping[str, Mapping[str, FormerWord]] = FORMER_WORDS
) -> list[Complaint]:
    """Return a complaint for each former word, and put the word of today into `document` in its place."""
    found: list[Complaint] = []
    if document.root is not None:
        for place, of_place in words.items():  # in order: a place below a renamed key is named by the word of today
            for path, node in _nodes(document.root, (), place.split(".") if place else []):
                found += _refuse(document, path, node, of_place)
    return found


def _nodes(node: Node, path: Path, parts: list[str]) -> Iterator[tuple[Path, Node]]:
    """Yield the mappings at a place."""
    if not parts:
        if node.entries is not None:
            yield path, node
        return
    names: list[str | int] = [parts[0]]
    if parts[0] == "*":
        names = list(node.entries) if node.entries is not None else list(range(len(node.items or ())))
    for name in names:
        child = node.child(name)
        if child is not None:
            yield from _nodes(child, (*path, name), parts[1:])


def _refuse(document: Document, path: Path, node: Node, words: Mapping[str, FormerWord]) -> Iterator[Complaint]:
    if node.entries is None:
        return
    for key in [key for key in node.entries if key in words]:
        word = words[key]
        if word.only is not None and not word.only(node.data):
            continue
        entry = node.entries.pop(key)
        value = node.data.pop(key)
        document.former[(*path, key)] = entry[0]
        if word.same_form and word.now not in node.entries:
            node.entries[word.now] = entry
            node.data[word.now] = value
        yield Complaint((*path, key), word.message(), at_key=True)
