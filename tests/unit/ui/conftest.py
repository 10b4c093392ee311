"""Tests of the screen wait for the App, and for no clock."""

from tests.support.ui_idle import waits_without_sleeping

__all__ = ["waits_without_sleeping"]
