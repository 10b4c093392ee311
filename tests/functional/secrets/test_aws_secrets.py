"""`aws-sm:` against moto, which answers as AWS Secrets Manager does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import missing

from switchover.plan.model import Plan
from switchover.plan.secrets.secret_store import SecretError, SecretStore

CANARY = "hunter2-canary"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    if importlib.util.find_spec("moto") is None:
        missing("moto[server]")
    argv = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        found = None
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        assert found, "".join(said)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", found[0])
            patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            yield found[0]
        server.kill()


def _store(ref: str) -> SecretStore:
    return SecretStore(
        Plan.model_validate({"schema": 1, "id": "a", "title": "A", "secrets": {"pw": {"ref": f"aws-sm:{ref}"}}}), Path()
    )


def test_a_secret_is_read_by_name_and_by_arn_as_text_and_as_bytes(aws: str) -> None:
    import boto3

    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="shop/pg", SecretString=CANARY)["ARN"]
    client.create_secret(Name="shop/bytes", SecretBinary=CANARY.encode())
    assert _store("shop/pg").get("pw") == CANARY
    assert _store(arn).get("pw") == CANARY
    assert _store("shop/bytes").get("pw") == CANARY


def test_what_is_not_there_is_told_with_what_to_do(aws: str) -> None:
    import boto3

    client = boto3.client("secretsmanager")
    with pytest.raises(SecretError) as caught:
        _store("none").get("pw")
    assert caught.value.title == "secret 'pw': aws-sm failed (ResourceNotFoundException)"
    assert "no secret has that id in this account and region" in caught.value.hint
    client.create_secret(Name="shop/gone", SecretString=CANARY)
    client.delete_secret(SecretId="shop/gone")
    with pytest.raises(SecretError) as caught:
        _store("shop/gone").get("pw")
    assert caught.value.title == "secret 'pw': aws-sm failed (InvalidRequestException)"
    assert CANARY not in f"{caught.value.title}{caught.value.hint}"
