"""`gcp-sm:` against a stand-in that answers as Google's reference says `secrets.versions.access` does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.support.stand_ins.loopback import Answers, serving

from switchover.plan.model import Plan
from switchover.plan.secrets.secret_managers import GoogleSecretManager
from switchover.plan.secrets.secret_store import SecretError, SecretStore

CANARY = "hunter2-canary-é"
CHECKED = b"123456789"  # whose CRC-32C every description of it gives as e3069283
TOKEN = "ya29.token"


@dataclass
class Google:
    """What the stand-in holds and what it was asked."""

    endpoint: str = ""
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def get(self, ref: str, project: str | None = "shop") -> str:
        plan = Plan.model_validate({"schema": 1, "id": "a", "title": "A", "secrets": {"pw": {"ref": f"gcp-sm:{ref}"}}})
        manager = GoogleSecretManager(self.endpoint, lambda: (TOKEN, project))
        return SecretStore(plan, Path(), fetchers={"gcp-sm": manager}).get("pw")

    def refusal(self, ref: str, project: str | None = "shop") -> str:
        with pytest.raises(SecretError) as caught:
            self.get(ref, project)
        text = f"{caught.value.title}; {caught.value.hint}"
        assert CANARY not in text
        assert TOKEN not in text
        return text


def _payload(data: bytes, crc: int | None = None) -> dict[str, str]:
    payload = {"data": base64.b64encode(data).decode()}
    return payload if crc is None else payload | {"dataCrc32c": str(crc)}


@pytest.fixture
def google() -> Iterator[Google]:
    state = Google()

    class Answer(Answers, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Authorization")))
            name = self.path.removeprefix("/v1/").removesuffix(":access")
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.answer_json(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": CANARY}})
            elif "forbidden" in name:
                self.answer_json(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": CANARY}})
            elif name not in state.secrets:
                self.answer_json(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": CANARY}})
            else:
                self.answer_json(200, {"name": name, "payload": state.secrets[name]})

    with serving(Answer) as state.endpoint:
        yield state


@pytest.mark.parametrize(
    ("ref", "asked"),
    [
        ("pg", "projects/shop/secrets/pg/versions/latest"),
        ("projects/other/secrets/pg", "projects/other/secrets/pg/versions/latest"),
        ("projects/other/secrets/pg/versions/7", "projects/other/secrets/pg/versions/7"),
        (
            "projects/other/locations/europe-west1/secrets/pg",
            "projects/other/locations/europe-west1/secrets/pg/versions/latest",
        ),
    ],
)
def test_a_secret_is_read_by_each_way_of_naming_it(google: Google, ref: str, asked: str) -> None:
    google.secrets[asked] = _payload(CANARY.encode())
    assert google.get(ref) == CANARY
    assert google.asked == [(f"/v1/{asked}:access", f"Bearer {TOKEN}")]


def test_the_checksum_that_comes_along_is_compared(google: Google) -> None:
    google.secrets["projects/shop/secrets/pg/versions/latest"] = _payload(CHECKED, 0xE3069283)
    assert google.get("pg") == CHECKED.decode()
    google.secrets["projects/shop/secrets/pg/versions/latest"] = _payload(CANARY.encode(), 0xE3069283)
    assert "it was damaged on its way" in google.refusal("pg")


def test_each_refusal_says_what_to_do_and_repeats_nothing(google: Google) -> None:
    assert "secret 'pw': gcp-sm failed (HTTP 404); the project has no secret" in google.refusal("none")
    assert "gcp-sm failed (HTTP 403); grant roles/secretmanager.secretAccessor" in google.refusal("forbidden")
    assert "no project is set" in google.refusal("pg", project=None)
    assert "its name does not fit" in google.refusal("projects/x/pg")
    assert "its name does not fit" in google.refusal("../../v1/other")


def test_an_answer_that_is_none_is_a_refusal(google: Google) -> None:
    google.secrets["projects/shop/secrets/pg/versions/latest"] = {"data": "%%%"}
    assert "gcp-sm failed" in google.refusal("pg")
    google.secrets["projects/shop/secrets/pg/versions/latest"] = {}
    assert "gcp-sm failed" in google.refusal("pg")


def test_a_service_that_is_not_there_is_told() -> None:
    assert "cannot be reached from here" in Google("http://127.0.0.1:9").refusal("pg")
