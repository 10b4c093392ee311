"""A plan of several files: they stand in it as if they were written there, and every mistake names both places."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import LoadedPlan, load_plan, load_plan_text
from switchover.plan.loader.plan_content import PlanContent
from switchover.plan.loader.plan_warnings import plan_warnings
from switchover.plan.loader.whole_text import join_parts, split_parts
from switchover.plan.plan_bytes import MAX_PLAN_BYTES

PLAN = """schema: 1
id: p
title: P
include: common/watch.yaml
vars: {old: {type: url, default: "postgresql://h@rds/x"}}
checks: {up: {kind: tcp, host: localhost, port: 1}}
phases:
  - id: a
    steps:
      - {id: last, uses: ./common/dump.yaml, with: {url: "{{ old }}", to: /tmp/x.dump}}
    gate: {require: [up, spot, last_proof]}
"""
WATCH = "checks: {spot: {kind: tcp, host: localhost, port: 1}}\nalerts: {spot_gone: {when: spot == CRIT}}\n"
DUMP = """inputs:
  url: {type: url}
  to: {type: path}
  most: {type: int, default: 5}
checks:
  proof: {kind: backup, path: "{{ inputs.to }}", max_age: 1h, min_size: "{{ inputs.most }}"}
steps:
  - id: dump
    run: 'pg_dump "$URL" -f "$TO"'
    env: {URL: "{{ inputs.url }}", TO: "{{ inputs.to }}.new"}
    effect: creates
    on_unknown: {verify: [proof]}
    outputs: {size: "stdout:/(.*)/"}
    rollback: not_needed
  - {id: tell, run: 'echo "$SIZE"', env: {SIZE: "{{ inputs.most }}"}, effect: read}
"""


def write(folder: Path, **files: str) -> Path:
    (folder / "common").mkdir(exist_ok=True)
    for name, text in {"watch": WATCH, "dump": DUMP, **files}.items():
        (folder / ("plan.yaml" if name == "plan" else f"common/{name}.yaml")).write_text(text)
    if "plan" not in files:
        (folder / "plan.yaml").write_text(PLAN)
    return folder / "plan.yaml"


def load(folder: Path, **files: str) -> LoadedPlan:
    return load_plan(write(folder, **files))


def refused(folder: Path, **files: str) -> list[str]:
    with pytest.raises(PlanError) as error:
        load(folder, **files)
    return [str(problem).removeprefix(f"{folder}/") for problem in error.value.problems]


def test_the_parts_of_an_included_file_stand_in_the_plan(tmp_path: Path) -> None:
    plan = load(tmp_path).plan
    assert list(plan.checks) == ["up", "spot", "last_proof"]
    assert plan.alerts["spot_gone"].when == "spot == CRIT"


def test_used_steps_stand_in_the_place_of_the_step_with_its_name_in_front(tmp_path: Path) -> None:
    plan = load(tmp_path).plan
    dump, tell = plan.all_steps
    assert (dump.id, dump.verify, tell.id) == ("last_dump", ("last_proof",), "last_tell")
    assert (dump.run, dump.env) == ('pg_dump "$URL" -f "$TO"', {"URL": "{{ old }}", "TO": "/tmp/x.dump.new"})
    assert tell.env == {"SIZE": "5"}
    assert plan.checks["last_proof"].config == {"path": "/tmp/x.dump", "max_age": "1h", "min_size": 5}


def test_an_output_of_a_used_step_is_named_with_its_name_in_front(tmp_path: Path) -> None:
    parts = {
        "common/watch.yaml": WATCH,
        "common/dump.yaml": DUMP.replace('inputs.most }}"}, eff', 'step.dump.size }}"}, eff'),
    }
    plan = load_plan_text(join_parts(PLAN, parts), tmp_path / "plan.yaml", frozen=True).plan
    assert plan.all_steps[1].env == {"SIZE": "{{ step.last_dump.size }}"}


def test_a_file_may_use_another_and_what_it_names_is_beside_it(tmp_path: Path) -> None:
    first = "{id: first, uses: dump.yaml, with: {url: 'http://a', to: /a}}"
    twice = f"steps: [{first}, {{id: say, run: 'true', effect: read}}]"
    text = PLAN.replace("dump.yaml", "twice.yaml").replace('{url: "{{ old }}", to: /tmp/x.dump}', "{}")
    plan = load(tmp_path, twice=twice, plan=text.replace("last_proof", "last_first_proof")).plan
    assert [step.id for step in plan.all_steps] == ["last_first_dump", "last_first_tell", "last_say"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"watch": WATCH.replace("host", "hots")},
            (
                "common/watch.yaml:1:28: checks.spot.hots: a check of kind tcp has no key 'hots'; did you mean 'host'? "
                "(included at plan.yaml:4:10)"
            ),
        ),
        (
            {"dump": DUMP.replace("max_age", "max_aeg")},
            (
                "common/dump.yaml:6:50: checks.last_proof.max_aeg: a check of kind backup has no key 'max_aeg'; "
                "did you mean 'max_age'? (used as 'last' at plan.yaml:10:9)"
            ),
        ),
        (
            {"watch": WATCH.replace("spot: {", "up: {").replace("spot ==", "up ==")},
            (
                "common/watch.yaml:1:10: checks has 'up' already, at plan.yaml:6:10; give one of the two another name "
                "(included at plan.yaml:4:10)"
            ),
        ),
        (
            {"plan": PLAN.replace("common/watch.yaml", "[common/watch.yaml, common/dump.yaml]")},
            (
                "common/dump.yaml:1:1: 'inputs' belongs into the plan itself: what is included brings parts of it "
                "(included at plan.yaml:4:30)"
            ),
        ),
        (
            {"watch": "include: more.yaml\n", "more": "include: watch.yaml\n"},
            (
                "common/more.yaml:1:10: this never ends: common/watch.yaml → common/more.yaml → common/watch.yaml "
                "(included at common/watch.yaml:1:10)"
            ),
        ),
        (
            {"dump": DUMP + "  - {id: again, uses: dump.yaml}\n"},
            (
                "common/dump.yaml:16:23: this never ends: common/dump.yaml → common/dump.yaml "
                "(used as 'last' at plan.yaml:10:9)"
            ),
        ),
        (
            {"plan": PLAN.replace("common/watch.yaml", "plan.yaml")},
            "plan.yaml:4:10: this never ends: plan.yaml → plan.yaml",
        ),
        (
            {"plan": PLAN.replace("common/watch.yaml", "../watch.yaml")},
            "plan.yaml:4:10: '../watch.yaml' is not in the plan's folder: a plan includes only what lies there",
        ),
        (
            {"plan": PLAN.replace("common/watch.yaml", "common/none.yaml")},
            "plan.yaml:4:10: common/none.yaml: there is no such file",
        ),
        (
            {"plan": PLAN.replace("to: /tmp", "too: /tmp")},
            "plan.yaml:10:26: the input 'to' is missing: common/dump.yaml:3:3 asks for it; give it in `with`",
        ),
        (
            {"plan": PLAN.replace("to: /tmp/x.dump", "to: /tmp/x.dump, most: many")},
            "plan.yaml:10:94: most: 'many' is not a whole number (common/dump.yaml:4:3)",
        ),
        (
            {"plan": PLAN.replace("id: last", "id: last, effect: read")},
            (
                "plan.yaml:10:20: a step that uses a file takes only id, uses, with: "
                "'effect' belongs into common/dump.yaml"
            ),
        ),
        (
            {"dump": DUMP.replace("inputs.to }}.new", "inputs.ot }}.new")},
            "common/dump.yaml:10:40: there is no input 'ot'; did you mean 'most'? (used as 'last' at plan.yaml:10:9)",
        ),
        (
            {"dump": DUMP.replace('"$URL" -f', "{{ inputs.url }} -f")},
            "common/dump.yaml:9:10: phases[0].steps[0].run: a template inside shell text",
        ),
        ({"watch": "checks: ["}, "common/watch.yaml:1:10: "),
    ],
)
def test_a_mistake_names_the_file_and_where_the_plan_brings_it_in(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    assert any(problem.startswith(said) for problem in refused(tmp_path, **files)), refused(tmp_path, **files)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "common" / "watch.yaml").unlink()
    outside = tmp_path.parent / f"{tmp_path.name}.yaml"
    outside.write_text(WATCH)
    (tmp_path / "common" / "watch.yaml").symlink_to(outside)
    with pytest.raises(PlanError, match="leads out of the plan's folder"):
        load_plan(tmp_path / "plan.yaml")


def test_the_size_limit_counts_a_file_and_not_the_whole(tmp_path: Path) -> None:
    half = "#" * (MAX_PLAN_BYTES - 1000) + "\n"
    assert load(tmp_path, watch=half + WATCH, plan=PLAN.replace("title: P", f"title: P\n{half}")).plan.id == "p"
    assert "too large" in refused(tmp_path, watch=half + half + WATCH)[0]


def test_a_frozen_plan_is_whole_whatever_became_of_its_files(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert list(split_parts(loaded.text)[1]) == ["common/watch.yaml", "common/dump.yaml"]
    for file in (tmp_path / "common").iterdir():
        file.unlink()
    again = load_plan_text(loaded.text, tmp_path / "plan.yaml", frozen=True)
    assert (again.plan, again.digest, again.text) == (loaded.plan, loaded.digest, loaded.text)


def test_an_edit_of_an_included_file_is_an_edit_of_the_plan_and_asks_for_trust_again(tmp_path: Path) -> None:
    before, seen = load(tmp_path), PlanContent.of(tmp_path / "plan.yaml")
    assert seen.digest == before.content.digest
    after = load(tmp_path, watch=WATCH.replace("port: 1", "port: 2"))
    changed = PlanContent.of(tmp_path / "plan.yaml")
    assert before.digest != after.digest
    assert (changed.plan, changed.digest) == (seen.plan, after.content.digest)
    edited = [path for path, digest in changed.files.items() if seen.files[path] != digest]
    assert edited == [str(tmp_path / "common/watch.yaml")]


def test_warnings_see_included_files(tmp_path: Path) -> None:
    loaded = load(tmp_path, dump=DUMP.replace("echo", "rm -rf /x; echo"))
    assert [str(warning).removeprefix(f"{tmp_path}/").partition(":")[0] for warning in plan_warnings(loaded)] == [
        "common/dump.yaml"
    ]


def test_a_plan_of_one_file_is_its_own_text(tmp_path: Path) -> None:
    text = "schema: 1\nid: p\ntitle: It includes nothing\nphases: [{id: a, steps: [{id: s, run: x, effect: read}]}]\n"
    loaded = load_plan_text(text, tmp_path / "p.yaml")
    assert (loaded.text, loaded.content.plan) == (text, loaded.digest)


def test_a_second_document_in_a_plan_is_no_part_of_it(tmp_path: Path) -> None:
    text = "schema: 1\nid: p\ntitle: P\n\n--- # part of the plan: x.yaml\nchecks: {}\n"
    with pytest.raises(PlanError, match="a second document"):
        load_plan_text(text, tmp_path / "p.yaml")
