"""A flush that took too long leaves one thread that sends, and no word is lost by it."""

from __future__ import annotations

import threading

import pytest

import switchover_client


def test_a_flush_that_ran_out_of_time_leaves_one_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = switchover_client._Sender()
    monkeypatch.setattr(switchover_client, "_sender", sender)
    began, goes_on, all_there = threading.Event(), threading.Event(), threading.Event()
    threads: set[threading.Thread] = set()
    got: set[bytes] = set()

    def post(body: bytes) -> bool:
        threads.add(threading.current_thread())
        began.set()
        goes_on.wait(10)
        got.update(line.partition(b'"name": "')[2].partition(b'"')[0] for line in body.splitlines())
        if len(got) == 2:
            all_there.set()
        return True

    monkeypatch.setattr(sender, "post", post)
    switchover_client.log("w", "first")
    assert began.wait(10)
    switchover_client.flush(0)
    switchover_client.log("w", "second")
    goes_on.set()
    assert all_there.wait(10)
    switchover_client.flush(10)
    assert (len(threads), sender.thread, got) == (1, None, {b"first", b"second"})
