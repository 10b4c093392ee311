"""Before anything is shown that may hold a secret, the plan's secrets are fetched; what cannot be had is said."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from switchover.health.probing import hold_back
from switchover.hub.problems.diagnosis import run_bounded
from switchover.plan.model import Plan
from switchover.plan.secrets.secret_store import SecretError, SecretStore, why_held_back
from switchover_checks.api import Finding, Result


def _store(tmp_path: Path, **refs: str) -> SecretStore:
    secrets = {name: {"ref": ref} for name, ref in refs.items()}
    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "P", "secrets": secrets})
    return SecretStore(plan, tmp_path, environ={"SET": "from-the-environment"})


async def test_all_kinds_of_secrets_are_fetched_before_something_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from-the-file")
    store = _store(tmp_path, a="env:SET", b="file:file", c="cmd:printf from-the-command")
    assert await why_held_back(store) == ""
    assert sorted(store.fetched.values()) == ["from-the-command", "from-the-environment", "from-the-file"]


async def test_secrets_that_are_fetched_at_once_are_all_known_afterwards(tmp_path: Path) -> None:
    """One that was forgotten again would be kept out of nothing."""
    meet = threading.Barrier(2)

    def slow(rest: str) -> str:
        meet.wait(20)
        return f"value-of-{rest}"

    secrets = {"a": {"ref": "aws-sm:a"}, "b": {"ref": "aws-sm:b"}}
    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "P", "secrets": secrets})
    store = SecretStore(plan, tmp_path, fetchers={"aws-sm": slow})
    assert await why_held_back(store, 20) == ""
    assert store.fetched == {"a": "value-of-a", "b": "value-of-b"}


async def test_what_is_missing_in_environment_and_files_holds_nothing_back(tmp_path: Path) -> None:
    """It is not here, so nothing here can show it."""
    assert await why_held_back(_store(tmp_path, a="env:UNSET", b="file:none")) == ""


async def test_a_secret_that_a_command_does_not_give_holds_back_in_words(tmp_path: Path) -> None:
    store = _store(tmp_path, a="cmd:false")
    why = await why_held_back(store)
    assert why == "secret 'a': the command 'false' failed with exit code 1"
    assert await why_held_back(store) == why


async def test_nobody_waits_long_for_a_secret_and_it_is_fetched_once(tmp_path: Path) -> None:
    go, calls = threading.Event(), []

    def slow(rest: str) -> str:
        calls.append(rest)
        go.wait(20)
        return "late-but-there"

    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "P", "secrets": {"a": {"ref": "aws-sm:x"}}})
    store = SecretStore(plan, tmp_path, fetchers={"aws-sm": slow})
    assert await why_held_back(store, 0) == "secret 'a': it is still being fetched"
    assert await why_held_back(store, 0) == "secret 'a': it is still being fetched"
    go.set()
    assert await why_held_back(store, 20) == ""
    assert calls == ["x"]


async def test_a_secret_that_cannot_be_had_is_not_asked_for_at_every_look(tmp_path: Path) -> None:
    calls = []

    def refuse(rest: str) -> str:
        calls.append(rest)
        raise SecretError("gcp-sm failed (HTTP 403)")

    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "P", "secrets": {"a": {"ref": "gcp-sm:x"}}})
    store = SecretStore(plan, tmp_path, fetchers={"gcp-sm": refuse})
    for _ in range(3):
        assert await why_held_back(store) == "secret 'a': gcp-sm failed (HTTP 403)"
    assert len(calls) == 1


def test_what_is_held_back_keeps_the_verdict_and_nothing_that_others_wrote() -> None:
    finding = Finding.compare("stdout", "fine", "hunter2-in-clear", passed=False, hint="is it hunter2-in-clear?")
    result = Result.of([finding], evidence={"stdout": "hunter2-in-clear"})
    held = hold_back(result, "secret 'a': the command 'false' failed")
    assert held.status is result.status
    assert "hunter2" not in repr(held)
    assert held.summary.endswith("not known here: secret 'a': the command 'false' failed")


@pytest.mark.parametrize(("ref", "said"), [("cmd:cat file", "got (secret a)\n"), ("cmd:false", "held back")])
async def test_the_output_of_a_diagnosis_waits_for_secrets_too(tmp_path: Path, ref: str, said: str) -> None:
    (tmp_path / "file").write_text("from-the-file")
    store = _store(tmp_path, a=ref)

    def redact(text: str) -> str:
        return text.replace("from-the-file", "(secret a)") if store.fetched else text

    output = (await run_bounded("printf 'got '; cat file; echo", tmp_path, redact=redact, secrets=store))[2]
    assert said in output
    assert "from-the-file" not in output
