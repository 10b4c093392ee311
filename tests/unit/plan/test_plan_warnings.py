"""Warnings of a plan: each mistake with its line, nothing for what is right, and never an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.docs.blocks import blocks_of, pages

import switchover
from switchover.cli import parser as cli
from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan, load_plan_text
from switchover.plan.loader.plan_warnings import plan_warnings
from switchover.plan.rules.destroying_text import destroys
from switchover.plan.rules.shell_quotes import open_quote

PLAN = """\
schema: 1
id: move
title: Move
sides: {before: {}, after: {}}
services:
  old: {kind: docker, container: old_db, side: before, until: cleanup}
  new: {kind: docker, container: new_db, side: after}
checks:
  saved: {kind: backup, path: a.tar, restore_test: 'tar -tf "$BACKUP_PATH"'}
  up: {kind: http, url: "http://127.0.0.1:1/", expect: ["status == 200"]}
phases:
  - id: backup
    steps:
      - {id: save, run: tar -cf a.tar data, effect: creates, rollback: {run: rm a.tar}}
    gate: {require: [saved, up], prove: [fast]}
  - id: cleanup
    steps:
      - {id: drop, run: rm -rf data, effect: destroys, rollback: impossible, confirm: {text: drop, require: [saved]}}
rollbacks:
  quick: {title: Back, steps: [{run: ./back.sh}], verify: [up]}
promises:
  fast: {title: Fast, before: {value: 10}, after: {value: up.time}, target: "after < before"}
troubleshooting:
  - {symptom: slow, diagnose: ["df -h", "ls -l"], solutions: [{text: call}]}
"""


def warnings(text: str, tmp_path: Path) -> list[str]:
    found = plan_warnings(load_plan_text(text, tmp_path / "p.yaml"))
    return [f"{w.line}: {w.path}: {w.message}" for w in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", until: cleanup", "", "6: services.old: step 'drop' removes it, and it is watched on: say `until: cleanup`"),
        ("side: after}", "side: after, needs: [old]}", ""),
        ("rm -rf data,", "docker rm -f new_db,", "7: services.new: step 'drop' removes it"),
        (
            "tar -cf a.tar data",
            "docker compose -p x down -v",
            "14: phases[0].steps[0].run: `docker compose",
        ),
        ("tar -cf a.tar data", "rm -r -f old", "`rm -r -f old` destroys, and the step says `effect: creates`"),
        ("tar -cf a.tar data", 'psql -c "drop table users"', "`drop table` destroys"),
        ("tar -cf a.tar data", "sudo terraform destroy -auto-approve", "`terraform destroy -auto-approve` destroys"),
        ("tar -cf a.tar data", "kubectl -n shop delete pvc data", "destroys"),
        ("tar -cf a.tar data", 'echo "rm -rf is not run"', ""),
        ("tar -cf a.tar data", "rm -rf /tmp/scratch", ""),
        (", verify: [up]", "", "20: rollbacks.quick: nothing proves that this way back worked"),
        (", prove: [fast]", "", "22: promises.fast: no gate proves this promise"),
        ("value: up.time", "value: 5", "promises.fast.after.value: `after` is a number, so nothing is measured"),
        (
            'tar -tf "$BACKUP_PATH"',
            'test -s "$BACKUP_PATH"',
            "9: checks.saved.restore_test: this restore test",
        ),
        ('tar -tf "$BACKUP_PATH"', 'tar -tf "$BACKUP_PATH" || true', "it ends well whatever happens"),
        ('tar -tf "$BACKUP_PATH"', "tar -tf b.tar", "it does not look at the backup"),
        ("rm a.tar", "'echo it''s'", "phases[0].steps[0].rollback.run: a single quote is opened"),
        ('["df -h", "ls -l"]', "[pgrep -d, x]", "troubleshooting[0].diagnose[0]: a comma has cut this command in two"),
        ('["df -h", "ls -l"]', "[psql -c 'select a, b']", "a comma has cut this command in two"),
        (", rollback: {run: rm a.tar}", "", "phases[0].steps[0]: step 'save' creates something and does not say how"),
        ("rollback: {run: rm a.tar}", "rollback: not_needed", ""),
        ("creates, rollback: {run: rm a.tar}", "read", ""),
        ("id: save", "id: up", "phases[0].steps[0].id: a check is called 'up' too"),
        ("id: save", "id: fast", "a promise is called 'fast' too"),
    ],
)
def test_a_mistake_gets_a_warning_with_its_line_and_what_is_right_gets_none(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert warnings(PLAN, tmp_path) == []
    assert old in PLAN
    found = warnings(PLAN.replace(old, new), tmp_path)
    assert len(found) == (1 if said else 0), found
    assert not said or said in found[0]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("echo 'a", "single quote"),
        ('echo "a', "double quote"),
        ("echo `a", "backquote"),
        ("echo \"it's\" 'a\"b'", ""),
        ("echo it\\'s", ""),
        ("true # it's a comment\ntrue", ""),
        ("cat <<EOF\nit's\nEOF\n", ""),
        ("cat <<'END'\nit's\nEND\necho 'x", "single quote"),
        ("echo a#it's'", ""),
    ],
)
def test_an_open_quote_is_found_as_a_shell_would(text: str, quote: str) -> None:
    assert open_quote(text) == quote


def test_what_only_names_destruction_destroys_nothing() -> None:
    for text in (
        "grep -i 'drop table' log",
        "# rm -rf /",
        "ls -rf",
        "kubectl get pods",
        "docker compose down",
        "rm -f x",
    ):
        assert destroys(text) == "", text
    for text in ("cd /srv && rm -fr data", "helm uninstall shop", "redis-cli -p 1 flushall", "find . -name x -delete"):
        assert destroys(text), text


def test_the_plans_that_we_show_have_no_warning(tmp_path: Path) -> None:
    shown = Path(switchover.__file__).parent / "examples"
    plans = [load_plan(path) for path in sorted(shown.glob("*.yaml"))]
    found = [block.text for page in pages() for block in blocks_of(page) if block.language == "yaml"]
    whole = [text for text in found if "schema: 1" in text and "id: extended" not in text]  # that one has own kinds
    plans += [load_plan_text(text, tmp_path / "p.yaml") for text in whole]
    assert len(plans) >= 4
    assert [str(warning) for plan in plans for warning in plan_warnings(plan)] == []


def test_a_warning_changes_no_exit_code_and_is_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text(PLAN.replace(", verify: [up]", ""))
    assert cli.main(["validate", str(tmp_path / "p.yaml")]) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}/p.yaml: ok, 2 phases, 2 steps, 2 checks, 1 warning\n"
    assert said.err.startswith(f"{tmp_path}/p.yaml:20:3: rollbacks.quick: warning: nothing proves")
    assert cli.main(["validate", str(tmp_path / "p.yaml"), "--format", "json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["severity"], only["line"], only["path"]) == ("warning", 20, "rollbacks.quick")


_OLD = """
checks:
  saved: {kind: backup, path: a.tar, max_age: 2h}
  up: {kind: tcp, host: localhost, port: 1}
phases:
  - {id: save, steps: [{id: dump, run: tar -cf a.tar x, effect: creates, rollback: not_needed, ready: [saved]}]}
  - {id: watch, gate: {require: [up], hold: HOLD}}
  - id: drop
    steps:
      - id: gone
        run: ./gone.sh
        effect: destroys
        rollback: impossible
        confirm: {text: drop it, require: [saved]MORE}
"""


@pytest.mark.parametrize(
    ("hold", "more", "said"),
    [
        ("3h", "", "the waits before this confirmation take 3 h 00 m, and 'saved' may be 2 h 00 m old"),
        ("1h", ", cooldown: 90m", "take 2 h 30 m"),
        ("1m", ", not_before: phase.save + 24h", "take 24 h 00 m"),
        ("1h", "", ""),
        ("1h", ", not_before: phase.watch + 1h", ""),
    ],
)
def test_a_backup_that_will_be_too_old_when_it_is_needed_gets_a_warning(
    tmp_path: Path, hold: str, more: str, said: str
) -> None:
    text = "schema: 1\nid: a\ntitle: A\n" + _OLD.replace("HOLD", hold).replace("MORE", more)
    found = [one for one in warnings(text, tmp_path) if "confirmation" in one]
    assert [said in one for one in found] == [True] * bool(said), found
    assert not [one for one in warnings(text.replace("max_age: 2h", "newer_than: run"), tmp_path) if "waits" in one]


_MANAGED = """schema: 1
id: a
title: A
checks:
  listed: {kind: command, command: gcloud sql backups list}
  up: {kind: tcp, host: localhost, port: 1}
phases:
  - id: save
    steps:
      - {id: make, run: ./save.sh, effect: creates, on_unknown: {verify: [listed]}, rollback: not_needed}
    gate: {require: [up]}
  - id: drop
    steps:
      - {id: gone, run: ./gone.sh, effect: destroys, rollback: impossible, confirm: {text: drop it, require: [listed]}}
"""


def test_what_cannot_be_undone_may_rest_on_the_check_that_proves_a_managed_backup_and_is_warned_of(
    tmp_path: Path,
) -> None:
    (found,) = warnings(_MANAGED, tmp_path)
    assert "step 'gone' rests on no check of kind backup" in found
    with pytest.raises(PlanError, match="rests on no backup"):
        load_plan_text(_MANAGED.replace("require: [listed]", "require: [up]"), tmp_path / "p")
