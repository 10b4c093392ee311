"""Secrets are fetched when they are needed, within bounds, and appear in no message."""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from switchover.plan.model import Plan
from switchover.plan.secrets.secret_store import MAX_SECRET_BYTES, SecretError, SecretStore, check_reference

CANARY = "hunter2canary"


def _store(tmp_path: Path, ref: str, **options: object) -> SecretStore:
    plan = Plan.model_validate({"schema": 1, "id": "a", "title": "A", "secrets": {"pw": {"ref": ref}}})
    return SecretStore(plan, tmp_path, **options)  # type: ignore[arg-type]


def _python(code: str) -> str:
    return f"cmd:{sys.executable} -c '{code}'"


def _refusal(store: SecretStore, name: str = "pw") -> str:
    with pytest.raises(SecretError) as caught:
        store.get(name)
    return f"{caught.value.title} {caught.value.hint}"


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    assert _store(tmp_path, "env:PW", environ={"PW": CANARY}).get("pw") == CANARY


def test_a_secret_comes_from_a_file_beside_the_plan_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(f"{CANARY}\n")
    assert _store(tmp_path, "file:pw").get("pw") == CANARY


def test_a_secret_comes_from_a_command_run_without_a_shell_in_the_plans_directory(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(CANARY)
    assert _store(tmp_path, "cmd:cat pw").get("pw") == CANARY
    assert _store(tmp_path, "cmd:echo $HOME;id").get("pw") == "$HOME;id"


def test_a_secret_is_fetched_once_and_known_for_redaction(tmp_path: Path) -> None:
    calls: list[str] = []

    def fetch(rest: str) -> str:
        calls.append(rest)
        return CANARY

    store = _store(tmp_path, "aws-sm:shop/pg", fetchers={"aws-sm": fetch})
    assert dict(store.fetched) == {}
    assert (store.get("pw"), store.get("pw")) == (CANARY, CANARY)
    assert calls == ["shop/pg"]
    assert dict(store.fetched) == {"pw": CANARY}
    assert CANARY not in repr(store)


def test_a_secret_asked_for_by_many_at_once_is_fetched_once(tmp_path: Path) -> None:
    calls: list[str] = []
    everybody = threading.Barrier(4)

    def fetch(rest: str) -> str:
        calls.append(rest)
        return CANARY

    store = _store(tmp_path, "aws-sm:x", fetchers={"aws-sm": fetch})

    def ask() -> str:
        everybody.wait()
        return store.get("pw")

    with ThreadPoolExecutor(4) as pool:
        assert {future.result() for future in [pool.submit(ask) for _ in range(4)]} == {CANARY}
    assert calls == ["x"]


def test_a_secret_comes_from_aws_secrets_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            known = b"shop/pg" in asked[-1]
            body = {"SecretString": CANARY} if known else {"__type": "ResourceNotFoundException", "message": CANARY}
            self.send_response(200 if known else 400)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
            monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            assert _store(tmp_path, "aws-sm:shop/pg").get("pw") == CANARY
            message = _refusal(_store(tmp_path, "aws-sm:none"))
        finally:
            server.shutdown()
            thread.join()
    assert message.startswith("secret 'pw': aws-sm failed (ResourceNotFoundException)")
    assert CANARY not in message


def test_an_unknown_secret_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    assert "no secret 'pww'; did you mean 'pw'?" in _refusal(_store(tmp_path, "env:PW"), "pww")


def test_a_secret_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    assert "environment variable PW is not set" in _refusal(_store(tmp_path, "env:PW", environ={}))
    assert "the file pw cannot be read: No such file" in _refusal(_store(tmp_path, "file:pw"))
    assert "the file . cannot be read" in _refusal(_store(tmp_path, "file:."))
    assert "'no-such-command' cannot be started" in _refusal(_store(tmp_path, "cmd:no-such-command x"))


def test_no_message_holds_what_a_failing_source_said(tmp_path: Path) -> None:
    code = f'import sys; print("{CANARY}"); print("{CANARY}", file=sys.stderr); sys.exit(3)'
    assert "failed with exit code 3" in (message := _refusal(_store(tmp_path, _python(code))))
    assert CANARY not in message

    def fetch(rest: str) -> str:
        raise RuntimeError(f"{rest} {CANARY}")

    message = _refusal(_store(tmp_path, "gcp-sm:x", fetchers={"gcp-sm": fetch}))
    assert message.startswith("secret 'pw': gcp-sm failed (RuntimeError)")
    assert CANARY not in message


def test_a_command_that_never_answers_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "child"
    script = tmp_path / "ask.sh"
    script.write_text(f"sleep 600 & echo $! > {pid_file}; wait\n")
    store = _store(tmp_path, f"cmd:sh {script}", timeout_s=0.5)
    assert "gave no answer within 0.5 s" in _refusal(store)
    _await_end(int(pid_file.read_text()))


def test_a_child_that_holds_the_pipe_open_delays_nothing(tmp_path: Path) -> None:
    pid_file = tmp_path / "child"
    script = tmp_path / "agent.sh"
    script.write_text(f"sleep 600 & echo $! > {pid_file}; echo {CANARY}\n")
    try:
        assert _store(tmp_path, f"cmd:sh {script}", timeout_s=60).get("pw") == CANARY
    finally:
        _end(int(pid_file.read_text()))


def test_a_command_that_writes_without_end_is_stopped(tmp_path: Path) -> None:
    assert "is empty, too long or not text" in _refusal(_store(tmp_path, "cmd:yes", timeout_s=60))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\0b", b"x" * (MAX_SECRET_BYTES + 1)])
def test_what_cannot_be_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pw").write_bytes(content)
    assert "is empty, too long or not text" in _refusal(_store(tmp_path, "file:pw"))


@pytest.mark.parametrize("value", ["abc", "ab  ", " a\nbc\n d"])
def test_a_secret_too_short_to_be_kept_out_of_outputs_is_not_used(tmp_path: Path, value: str) -> None:
    message = _refusal(_store(tmp_path, "env:PW", environ={"PW": value}))
    assert "shorter than 4 characters, so it could not be kept out of outputs" in message
    assert value not in message


@pytest.mark.parametrize(
    "ref", ["env:A_B1", "file:~/x", "cmd:pass show a/b", "aws-sm:prod/db", "gcp-sm:projects/p/secrets/s"]
)
def test_a_reference_is_accepted(ref: str) -> None:
    assert check_reference(ref) is None


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (CANARY, "a secret itself never stands in a plan"),
        (f"enw:{CANARY}", "did you mean 'env'?"),
        ("env:", "nothing follows `env:`"),
        ("env:A-B", "takes the name of an environment variable"),
        (f"cmd:pass 'show {CANARY}", "quotes are not closed"),
    ],
)
def test_a_wrong_reference_is_explained_and_not_repeated(ref: str, message: str) -> None:
    found = check_reference(ref)
    assert found is not None
    assert message in found
    assert CANARY not in found


def _end(pid: int) -> None:
    import os
    import signal

    os.kill(pid, signal.SIGKILL)


def _await_end(pid: int) -> None:
    stat = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 10
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
        assert time.monotonic() < deadline, "the child outlived its command"
        time.sleep(0.01)
