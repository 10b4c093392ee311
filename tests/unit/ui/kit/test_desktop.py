from __future__ import annotations

from switchover.ui.kit.desktop import desktop_sequence


def test_a_desktop_notification_is_osc_9_and_nothing_in_its_text_ends_it() -> None:
    assert desktop_sequence("api is\ndown", inside_tmux=False) == "\x1b]9;api is down\x07"
    evil = desktop_sequence("x\x07\x1b]52;c;AAAA\x07y", inside_tmux=False)
    assert (evil.count("\x1b"), evil.count("\x07")) == (1, 1)


def test_tmux_is_asked_to_pass_it_on() -> None:
    assert desktop_sequence("x", inside_tmux=True) == "\x1bPtmux;\x1b\x1b]9;x\x07\x1b\\"
