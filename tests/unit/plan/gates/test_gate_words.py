"""The words of gates, steps and confirmations that a plan no longer takes, each named with that of today."""

import pytest
from tests.unit.plan.conftest import Problems

_HEAD = "schema: 1\nid: a\ntitle: A\n"
_GATE = _HEAD + "phases:\n  - id: p\n    gate: {human: ok?, WORD}\n"
_STEP = _HEAD + "phases: [{id: p, steps: [{id: s, run: ls, effect: changes, WORD}]}]\n"
_LIST = _HEAD + "phases:\n  - id: p\n    steps: [{id: s, WORD}]\n"
_CONFIRM = _HEAD + "phases: [{id: p, steps: [{id: s, run: ls, effect: changes, confirm: {WORD}}]}]\n"


@pytest.mark.parametrize(
    ("plan", "word", "expected"),
    [
        (_GATE, "retry: {for: 1m, every: 5s}", "6:24: phases[0].gate.retry: this key is called 'within' now"),
        (_GATE, "soak: 0s", "6:24: phases[0].gate.soak: this key is called 'hold' now"),
        (_GATE, "roles: [lead]", "6:24: phases[0].gate.roles: this key is called 'who' now"),
        (_STEP, "irreversible: true", "irreversible: this key is called 'rollback' now: write `rollback: impossible`"),
        (_STEP, "verify: [a]", "this key is called 'on_unknown' now: write `on_unknown: {verify: [CHECK]}`"),
        (_LIST, "manual: [look]", "6:21: phases[0].steps[0].manual: this key is called 'checklist' now"),
        (
            _LIST,
            "checklist: [look], evidence: required",
            "6:40: phases[0].steps[0].evidence: this key is called 'checklist' now: write `{text: …, evidence: text}`",
        ),
        (_CONFIRM, "type: drop it", "phases[0].steps[0].confirm.type: this key is called 'text' now"),
    ],
)
def test_a_former_word_is_refused_with_that_of_today(problems: Problems, plan: str, word: str, expected: str) -> None:
    found = problems(plan.replace("WORD", word))
    assert len(found) == 1, found
    assert expected in found[0]
