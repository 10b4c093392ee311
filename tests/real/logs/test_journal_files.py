"""A real journal, read by the command that the program gives: long lines, bytes that are no text, several lines."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from tests.conftest import missing

from switchover.logs.sources.parsers import parser
from switchover.services.journalctl import journal_command
from switchover.services.provider_api import LogSpan

REMOTE = Path("/lib/systemd/systemd-journal-remote")
MESSAGES = {
    "short": b"short",
    "long": b"x" * 5000 + b" ORDER-4711",
    "very long": b"y" * 100_000 + b" ORDER-4712",
    "no text": b"caf\xe9 \xff\x00 ORDER-4713",
    "lines": b"first\nsecond ORDER-4714",
    "one byte": b"\xff",
    "digits": b"12345",
}


def entry(number: int, message: bytes) -> bytes:
    head = (
        f"__REALTIME_TIMESTAMP={1_790_000_000_000_000 + number * 1_000_000}\n__MONOTONIC_TIMESTAMP={number}\n"
        f"_BOOT_ID={'0' * 31}1\n_MACHINE_ID={'0' * 31}2\n_SYSTEMD_UNIT=shop.service\nPRIORITY=3\nMESSAGE\n"
    )
    return head.encode() + struct.pack("<Q", len(message)) + message + b"\n\n"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not REMOTE.exists():
        missing("systemd-journal-remote")
    folder = tmp_path_factory.mktemp("journal")
    (folder / "x.export").write_bytes(b"".join(map(entry, range(len(MESSAGES)), MESSAGES.values())))
    subprocess.run([REMOTE, f"--output={folder}/x.journal", folder / "x.export"], check=True, capture_output=True)
    return folder / "x.journal"


@pytest.mark.parametrize("name", MESSAGES)
def test_an_entry_is_shown_as_it_was_written(journal: Path, name: str) -> None:
    argv = journal_command("--unit=shop.service", LogSpan(tail=100, follow=False), f"--file={journal}")
    said = subprocess.run(argv, check=True, capture_output=True).stdout.splitlines()
    texts = [line.text for line in parser("journal-json")(said)]
    assert MESSAGES[name] in (texts if name != "lines" else [b"\n".join(texts[4:6]), *texts])
    assert not any(b"no message" in text for text in texts)
