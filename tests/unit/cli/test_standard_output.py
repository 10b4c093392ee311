from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from switchover.cli import output
from switchover.errors import SwitchoverError


@dataclass(frozen=True)
class Row:
    name: str
    cost: Decimal
    path: Path
    parts: tuple[str, ...] = ()


def test_json_is_one_document_of_plain_data(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"rows": [Row("é\udc80", Decimal("6.13"), Path("/x"), ("a",))]})
    text = capsys.readouterr().out
    assert json.loads(text) == {"rows": [{"name": "é\udc80", "cost": "6.13", "path": "/x", "parts": ["a"]}]}


def test_json_stays_readable_for_programs_where_the_locale_knows_no_umlauts(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.emit_json({"name": "é→"})
    assert json.loads(raw.getvalue()) == {"name": "é→"}


def test_text_that_the_locale_cannot_write_is_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.emit_text("a → b")
    assert raw.getvalue() == b"a \\u2192 b\n"


def test_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_text("\x1b]0;evil\x07safe\ttab\nline")
    assert capsys.readouterr().out == "safe\ttab\nline\n"


def test_a_full_disk_is_told_at_the_end_and_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        output.emit_text("x" * 100)
        output.emit_text("more")
        with pytest.raises(SwitchoverError, match="No space left"):
            output.finish()
        output.finish()


def test_no_standard_output_at_all_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output.emit_text("x")
    output.emit_json({})
    output.finish()


def test_in_json_a_secret_is_known_by_what_stands_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["mysql", "-u", "root", "-phunter2", "shop"]
    output.emit_json({"argv": words, "env": [{"name": "DB_PASSWORD", "value": "hunter2"}], "n": 3})
    assert json.loads(capsys.readouterr().out) == {
        "argv": ["mysql", "-u", "root", "-p(secret)", "shop"],
        "env": [{"name": "DB_PASSWORD", "value": "(secret)"}],
        "n": 3,
    }
