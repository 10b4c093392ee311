from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]
Check = Callable[..., tuple[int, str, str]]

FINE = '{kind: command, command: "true"}'
WARNS = '{kind: disk, path: /, warn: "100%:"}'
FAILS = '{kind: command, command: "echo broken; false"}'
HANGS = '{kind: command, command: "sleep 60", timeout: 300ms}'


@pytest.mark.parametrize(
    ("checks", "code", "word"),
    [
        ({"a": FINE}, 0, "ok"),
        ({"a": FINE, "b": WARNS}, 1, "warn"),
        ({"a": FINE, "b": WARNS, "c": FAILS}, 2, "crit"),
        ({"a": FINE, "b": WARNS, "c": HANGS}, 3, "unknown"),
        ({"a": HANGS, "b": FAILS}, 2, "crit"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_check(
    check: Check, write: Write, checks: dict[str, str], code: int, word: str
) -> None:
    exit_code, out, _ = check(write(**checks), "--format", "json")
    assert (exit_code, json.loads(out)["status"]) == (code, word)


def test_the_table_lines_up_worst_first_and_shows_expected_against_observed(check: Check, write: Write) -> None:
    _, out, err = check(write(fine=FINE, broken_badly=FAILS))
    lines = out.splitlines()
    column = lines[0].index("kind")
    assert [line[column:].split()[0] for line in lines if line.startswith(("ok", "crit"))] == ["command", "command"]
    assert lines[1].startswith("crit   broken_badly")
    assert any(line.strip().startswith("expected") for line in lines)
    assert any(line.strip().startswith("observed") and "1" in line for line in lines)
    assert lines[-1] == "2 checks: 1 crit, 1 ok"
    assert err == ""


def test_json_has_exactly_the_promised_shape_and_stands_alone(check: Check, write: Write) -> None:
    _, out, err = check(write(a=FAILS), "--format", "json")
    document: dict[str, Any] = json.loads(out)
    assert set(document) == {"schema", "plan", "status", "checks"}
    assert (document["schema"], document["plan"]) == ("switchover/check/1", "shop")
    (only,) = document["checks"]
    keys = {"name", "kind", "status", "summary", "phase", "duration_ms", "findings", "metrics", "evidence"}
    assert set(only) == keys
    assert (only["name"], only["kind"], only["status"]) == ("a", "command", "crit")
    assert only["duration_ms"] > 0
    assert [metric["name"] for metric in only["metrics"]] == ["time"]
    assert all(set(finding) == {"what", "expected", "observed", "status", "hint"} for finding in only["findings"])
    assert err == ""


def test_junit_is_valid_and_what_proves_nothing_is_an_error(check: Check, write: Write) -> None:
    noisy = """{kind: command, command: 'printf "\\033[31m<bad> & \\001"; exit 2'}"""
    plan = write(fine=FINE, noisy=noisy, waits="{kind: tcp, host: 127.0.0.1, port: 9, needs: [noisy]}", hangs=HANGS)
    code, out, _ = check(plan, "--format", "junit")
    suite = ET.fromstring(out).find("testsuite")
    assert suite is not None
    assert code == 2
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "2")
    found = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert found == {"fine": [], "noisy": ["failure"], "waits": ["error"], "hangs": ["error"]}


def test_a_skipped_check_is_never_a_pass_and_says_how_that_stands_what_it_waits_for(check: Check, write: Write) -> None:
    plan = write(base=FAILS, waits="{kind: tcp, host: 127.0.0.1, port: 9, needs: [base]}")
    code, out, _ = check(plan, "waits", "--format", "json")
    (only,) = json.loads(out)["checks"]
    assert (code, only["status"]) == (3, "skipped")
    assert only["summary"].startswith("waits for base (base is crit: ")


def test_a_check_that_needs_a_stopped_service_says_so(check: Check, write: Write) -> None:
    services = "services: {api: {kind: process, pid_file: nothing.pid}}"
    code, out, _ = check(write(services, a='{kind: command, command: "true", needs: [api]}'))
    assert code == 3
    assert "waits for api (api is stopped: no pid file nothing.pid)" in out


def test_only_the_named_checks_are_told_and_what_they_need_is_looked_at_once(
    check: Check, write: Write, tmp_path: Path
) -> None:
    count = '{kind: command, command: "echo x >> counted"}'
    needing = '{kind: command, command: "true", needs: [base]}'
    plan = write(base=count, one=needing, two=needing, other=FAILS)
    code, out, _ = check(plan, "one", "--format", "json", "two")
    assert (code, [c["name"] for c in json.loads(out)["checks"]]) == (0, ["one", "two"])
    assert (tmp_path / "counted").read_text() == "x\n"


def test_an_unknown_name_is_unknown_and_the_nearest_is_named(check: Check, write: Write) -> None:
    code, out, err = check(write(database=FINE), "databse")
    assert (code, out) == (3, "")
    assert "the plan has no check 'databse'; did you mean 'database'?" in err


@pytest.mark.parametrize(
    "content", [None, "", "schema: 1\n", "\x00\x01", "a: [", "schema: 1\nid: a\ntitle: b\nchekcs: {}\n"]
)
def test_a_plan_that_cannot_be_used_is_unknown_and_no_warning(
    check: Check, tmp_path: Path, content: str | None
) -> None:
    plan = tmp_path / "plan.yaml"
    if content is not None:
        plan.write_text(content)
    code, out, err = check(plan)
    assert (code, out) == (3, "")
    assert str(plan) in err
    assert "Traceback" not in err
    code, out, _ = check(plan, "--format", "json")
    document = json.loads(out)
    assert (code, document["status"], document["checks"]) == (3, "unknown", [])
    assert document["error"] in err


@pytest.mark.parametrize(
    "arguments", [["--fromat", "json"], ["--format", "xml"], ["--var", "novalue"], ["--var", "x=1"]]
)
def test_a_wrong_command_line_is_unknown_and_not_critical(check: Check, write: Write, arguments: list[str]) -> None:
    plan = write(a=FINE)
    code, _, err = check(plan, *arguments)
    assert code == 3
    assert err.startswith("switchover: ")


def test_checks_of_a_later_phase_are_counted_and_not_looked_at_unless_named(
    check: Check, write: Write, tmp_path: Path
) -> None:
    later = '{kind: command, command: "touch looked; false", since: data}'
    plan = write(now=FINE, later=later)
    code, out, _ = check(plan)
    assert code == 0
    assert "1 not looked at: 1 watched from phase data on" in out
    assert not (tmp_path / "looked").exists()
    code, out, err = check(plan, "--format", "json")
    assert [c["name"] for c in json.loads(out)["checks"]] == ["now"]
    assert "1 not looked at" in err
    assert check(plan, "later")[0] == 2
    assert (tmp_path / "looked").exists()


def test_nothing_to_look_at_proves_nothing(check: Check, write: Write) -> None:
    code, out, _ = check(write(later='{kind: command, command: "true", since: data}'))
    assert code == 3
    assert "no check was looked at" in out


def test_a_variable_may_be_given_and_one_that_is_missing_is_unknown(check: Check, write: Write) -> None:
    more = 'vars: {folder: {type: path, ask: "Which folder?"}}'
    plan = write(more, a='{kind: file, path: "{{ folder }}"}')
    code, out, _ = check(plan)
    assert code == 3
    assert "waits for variable folder" in out
    assert check(plan, "--var", "folder=/")[0] in (0, 2)
    assert "waits for variable" not in check(plan, "--var", "folder=/")[1]


def test_looking_writes_nothing_anywhere(check: Check, write: Write, state: Path, tmp_path: Path) -> None:
    plan = write(a=FINE)
    assert check(plan)[0] == 0
    assert not state.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.yaml"]


def test_a_secret_that_a_check_prints_is_taken_out(check: Check, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "canary-4711-canary")
    more = 'secrets: {token: {ref: "env:SHOP_TOKEN"}}'
    header = "{X-Token: '{{ secret.token }}'}"
    plan = write(more, leak=f'{{kind: http, url: "http://127.0.0.1:9/", headers: {header}}}', echo=FAILS)
    for form in ("table", "json", "junit"):
        code, out, err = check(plan, "--format", form)
        assert code == 2
        assert "canary" not in out + err


def test_it_runs_as_a_command_of_its_own_and_a_reader_that_goes_away_is_no_failure(write: Write) -> None:
    plan = write(a=FINE)
    command = [sys.executable, "-m", "switchover", "check", str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as gone:
        assert gone.stdout is not None
        assert gone.stderr is not None
        os.close(os.dup(gone.stdout.fileno()))
        gone.stdout.close()
        assert gone.stderr.read() == b""
        assert gone.wait() == 0


STUBBORN = """
import os, subprocess, time
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    pids: str

class Stubborn:
    kind = "stubborn"
    effect = "read"
    config = Config

    async def probe(self, cfg, ctx):
        escaped = subprocess.Popen(["sleep", "600"], start_new_session=True)
        forked = os.fork()
        if forked:
            with open(cfg.pids, "w") as file:
                file.write(f"{os.getpid()} {forked} {escaped.pid}")
        time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_no_probe_outlives_the_command_however_it_is_ended(
    write: Write, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    reader = os.open(pids, os.O_RDONLY | os.O_NONBLOCK)
    plan = write("check_modules: [stubborn.py]", a=f"{{kind: stubborn, pids: {pids}, timeout: 10m}}")
    command = [sys.executable, "-m", "switchover", "check", str(plan), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert select.select([reader], [], [], 30)[0], "never began"
        handles = [os.pidfd_open(int(pid)) for pid in os.read(reader, 100).split()]
        process.send_signal(number)
        written, said = process.communicate(timeout=30)
    for handle in handles:
        assert select.select([handle], [], [], 30)[0], "still alive"
        os.close(handle)
    os.close(reader)
    assert b"Traceback" not in said
    if number in (signal.SIGTERM, signal.SIGHUP):
        assert process.returncode == 3
        document = json.loads(written)
        assert (document["status"], document["checks"]) == ("unknown", [])


WRITING = """
from dataclasses import dataclass
from pathlib import Path
from switchover_checks.api import Context, Finding, Result

@dataclass(frozen=True)
class Config:
    pass

class Order:
    kind = "order"
    effect = "writes"
    config = Config

    async def probe(self, cfg, ctx):
        (Path(ctx.base_dir) / "ordered").touch()
        return Result.of([Finding.compare("order", "accepted", "accepted", True)])
"""


def test_read_only_leaves_out_checks_that_write_and_says_why(check: Check, write: Write, tmp_path: Path) -> None:
    (tmp_path / "order.py").write_text(WRITING)
    plan = write("check_modules: [order.py]", places_order="{kind: order}", fine=FINE)
    code, out, _ = check(plan, "--read-only", "--format", "json")
    found = {c["name"]: c for c in json.loads(out)["checks"]}
    assert found["places_order"]["status"] == "skipped"
    assert "read-only: a check of kind order changes something when it looks" in out
    assert found["fine"]["status"] == "ok"
    assert code != 0
    assert not (tmp_path / "ordered").exists()
    assert check(plan)[0] == 0
    assert (tmp_path / "ordered").exists()


def test_read_only_sends_and_starts_nothing_that_a_check_is_configured_to_change(
    check: Check, write: Write, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        plan = write(
            deletes=f'{{kind: http, method: DELETE, url: "http://127.0.0.1:{port}/thing"}}',
            sets=f'{{kind: tcp, port: {port}, send: "SET a 1", expect: "text contains \'OK\'"}}',
            touches='{kind: command, command: "touch touched"}',
            attaches='{kind: sql, database: "sqlite:a.db", query: "SELECT load_extension(\'x\')"}',
            restores='{kind: backup, path: plan.yaml, restore_test: "touch touched"}',
            reads='{kind: command, command: "touch touched", effect: read}',
        )
        code, out, _ = check(
            plan, "--read-only", "--format", "json", "deletes", "sets", "touches", "attaches", "restores"
        )
        assert {c["status"] for c in json.loads(out)["checks"]} == {"skipped"}, out
        assert code == 3
        with pytest.raises(BlockingIOError):
            server.accept()
        assert not (tmp_path / "touched").exists()
        assert check(plan, "--read-only", "reads")[0] == 0
        assert (tmp_path / "touched").exists(), "the author's word is taken"


@pytest.mark.parametrize("form", ["table", "json", "junit"])
def test_what_a_failing_check_said_is_passed_on(check: Check, write: Write, tmp_path: Path, form: str) -> None:
    (tmp_path / "b.json").write_text("[1]")
    plan = write(
        command='{kind: command, command: "echo disk-quota-exceeded >&2; exit 3"}',
        restore='{kind: backup, path: b.json, restore_test: "echo corrupt-header; exit 4"}',
        plugin="{kind: nagios, command: \"printf 'WARN\\nlong-words\\n'; exit 1\"}",
        many='{kind: command, command: "seq 1 40; exit 1", expect: ["exit == 0", "stdout contains \'x\'"]}',
        fine='{kind: command, command: "echo not-asked-for"}',
    )
    _, out, _ = check(plan, "--format", form)
    for words in ("disk-quota-exceeded", "corrupt-header", "long-words", "40"):
        assert words in out
    assert "not-asked-for" not in out
    if form == "json":
        found = {c["name"]: c for c in json.loads(out)["checks"]}
        assert found["command"]["evidence"] == {"stderr": "disk-quota-exceeded"}
        assert found["fine"]["evidence"] == {}
    elif form == "junit":
        case = next(c for c in ET.fromstring(out).iter("testcase") if c.get("name") == "command")
        assert "stderr:\ndisk-quota-exceeded" in (case[0].text or "")
