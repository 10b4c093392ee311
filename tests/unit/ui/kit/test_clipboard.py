"""What is copied reaches the terminal whole, or says that it was cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_screen import make_app, settle

from switchover.ui.kit.clipboard import MOST_BYTES, copy


async def test_a_copy_is_given_to_the_terminal_and_said() -> None:
    app, _, _ = make_app(samples.healthy())
    async with app.run_test() as pilot:
        await settle(pilot)
        assert copy(app, "docker restart api", {}) == "copied 18 characters to your terminal's clipboard"
        assert app.clipboard == "docker restart api"
        assert copy(app, "a\nb", {}) == "copied 2 lines to your terminal's clipboard"


async def test_what_no_terminal_would_take_is_cut_within_no_character() -> None:
    app, _, _ = make_app(samples.healthy())
    async with app.run_test() as pilot:
        await settle(pilot)
        said = copy(app, "é" * MOST_BYTES, {})
        assert "copied the first 37,497 characters" in said
        assert app.clipboard == "é" * (MOST_BYTES // 2)


async def test_inside_tmux_its_buffer_has_the_copy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words; cat > {tmp_path}/copy\n', encoding="utf-8")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    app, _, _ = make_app(samples.healthy())
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "and to tmux's buffer" in copy(app, "line one", {"TMUX": "/tmp/tmux,1,0"})
        await settle(pilot)
    assert (tmp_path / "words").read_text(encoding="utf-8") == "load-buffer -w -\n"
    assert (tmp_path / "copy").read_text(encoding="utf-8") == "line one"
