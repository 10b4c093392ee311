from __future__ import annotations

import json
import tarfile
import time
from pathlib import Path

import pytest

from switchover.redaction import Redactor
from switchover.triage.bundle_file import bundle_name, write_bundle
from switchover_checks.unknown_secrets import redact_unknown

CANARIES = {
    "password: {}": "cAnaRy-one-1",
    "PGPASSWORD={}": "cAnaRy-two-2",
    'api_key = "{}"': "cAnaRy-three-3",
    "postgresql://app:{}@db:5432/x": "cAnaRy-four-4",
    "Authorization: Bearer {}": "cAnaRy-five-5aaaaaaaa",
    "curl -u x --password {} https://x": "cAnaRy-six-6",
    '{{"client_secret": "{}"}}': "cAnaRy-seven-7",
    '{{\\"token\\": \\"{}\\"}}': "cAnaRy-eight-8",
    "Set-Cookie: session={}; Path=/": "cAnaRy-nine-9",
    "AWS_SECRET_ACCESS_KEY={}": "cAnaRy-ten-10",
    "key AKIA{}": "ABCDEFGHIJKLMNOP",
    "ghp_{}": "cAnaRyElevencAnaRyEleven",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----": "cAnaRyTwelve",
}


@pytest.mark.parametrize("template", CANARIES)
def test_what_looks_like_a_secret_is_taken_out(template: str) -> None:
    text = f"before {template.format(CANARIES[template])} after"
    assert CANARIES[template] not in redact_unknown(text)
    assert redact_unknown(text).startswith("before ")


def test_ordinary_text_stays_as_it_is() -> None:
    text = (
        "secrets:\n  pg: {ref: 'env:RDS_PASSWORD'}\nthe token of thanks\npassword for user is missing\n"
        "https://host:443/path?x=1\n12:00:01 GET /tokens 200\nservices: {api: {kind: http}}\n"
    )
    assert redact_unknown(text) == text


def test_what_is_scrubbed_stays_json() -> None:
    document = {"detail": "password=abc123", "token": "xyz", "n": [1, {"api_key": "q w e"}]}
    assert json.loads(redact_unknown(json.dumps(document)))["n"][0] == 1


def test_a_long_line_costs_no_time() -> None:
    begun = time.process_time()
    redact_unknown("x" * 500_000 + "password-" * 5_000)
    assert time.process_time() - begun < 20  # it would take minutes if it grew with the square


def test_no_canary_is_found_in_a_bundle_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    known = {"pg": "cAnaRy-known-0"}
    parts = {f"part{number}.txt": template.format(value) for number, (template, value) in enumerate(CANARIES.items())}
    parts["logs/pg.log"] = "connecting with cAnaRy-known-0"
    path, size = write_bundle(tmp_path, bundle_name("node 1/x", 0.0), parts, Redactor(known).redact, 0.0)
    assert path.name == "switchover-node-1-x-19700101-000000Z.tar.gz"
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert size == path.stat().st_size
    with tarfile.open(path) as archive:
        texts = {member.name: archive.extractfile(member).read().decode() for member in archive}  # type: ignore[union-attr]
    assert len(texts) == len(parts)
    for text in texts.values():
        assert "cAnaRy" not in text
        assert "ABCDEFGHIJKLMNOP" not in text
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_part_that_is_too_long_keeps_its_end(tmp_path: Path) -> None:
    path, _ = write_bundle(tmp_path, "b", {"log": "a line of the log\n" * 400_000 + "the end"}, lambda text: text, 0.0)
    with tarfile.open(path) as archive:
        text = archive.extractfile("b/log").read().decode()  # type: ignore[union-attr]
    assert text.endswith("the end")
    assert "bytes before this were left out)" in text.partition("\n")[0]
    assert len(text) <= 4 << 20
