"""What somebody noted in a plan is shown without secrets; what has to be typed or run stays exact."""

from __future__ import annotations

from pathlib import Path

from tests.unit.hub.hub_fakes import stage

from switchover.plan.loader.load import load_plan_text

NOTE = "VPN password hunter2"
PLAN = f"""\
schema: 1
id: p
title: {NOTE}
owner: {NOTE}
vars: {{v: {{ask: {NOTE}}}}}
sides: {{e: {{title: {NOTE}}}}}
services: {{s: {{kind: http, url: "http://127.0.0.1:9/", title: {NOTE}, owner: {NOTE}}}}}
checks: {{c: {{kind: file, path: x, title: {NOTE}, every: 1h}}}}
alerts: {{down: {{when: c == crit, text: {NOTE}}}}}
phases:
  - id: one
    title: {NOTE}
    steps:
      - {{id: a, title: {NOTE}, run: "true", effect: changes, blast_radius: {NOTE}, rollback: {{run: "true"}}}}
      - {{id: b, checklist: [{NOTE}]}}
    gate: {{human: {NOTE}}}
rollbacks: {{back: {{title: {NOTE}, loses: {NOTE}, steps: [{{run: "true"}}]}}}}
contacts: [{{name: {NOTE}, role: {NOTE}, phone: {NOTE}, email: {NOTE}, note: {NOTE}}}]
runbooks: [{{title: {NOTE}, url: "https://wiki.example/"}}]
troubleshooting:
  - symptom: {NOTE}
    diagnose: [sshpass -p hunter2 ssh h]
    solutions: [{{text: {NOTE}, run: sshpass -p hunter2 ssh h, confirm: {{text: password hunter2}}}}]
"""


def test_no_note_of_a_plan_keeps_a_password() -> None:
    plan = load_plan_text(PLAN, Path("p.yaml")).plan
    assert NOTE not in repr(plan)
    assert plan.troubleshooting[0].diagnose == ("sshpass -p hunter2 ssh h",)


async def test_commands_against_a_trouble_are_shown_without_passwords(tmp_path: Path) -> None:
    notes = PLAN.partition("\n")[2].replace("id: p\n", "", 1).partition("\n")[2]
    async with stage(notes, tmp_path) as live:
        snapshot = await live.until(lambda now: bool(now.known_issues))
    (issue,) = snapshot.known_issues
    assert issue.diagnose == ("sshpass -p (secret) ssh h",)
    assert issue.acts[0].command == "sshpass -p (secret) ssh h"
    assert issue.acts[0].confirm_text == "password hunter2"
    assert "password hunter2" not in "\n".join((issue.symptom, *issue.solutions, issue.acts[0].text))
