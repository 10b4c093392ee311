"""What guards a dangerous question is as it is shipped: other tests shorten it, and would not see it gone."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import switchover.ui
from switchover.ui.kit.guarded_screen import GuardedScreen


def all_below(kind: type[GuardedScreen]) -> Iterator[type[GuardedScreen]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_below(below)


def test_every_screen_before_something_dangerous_has_the_guard_and_the_expiry_that_are_promised() -> None:
    for found in pkgutil.walk_packages(switchover.ui.__path__, "switchover.ui."):
        importlib.import_module(found.name)
    kinds = {kind for kind in all_below(GuardedScreen) if kind.__module__.startswith("switchover.")}
    assert len(kinds) > 5
    assert {(kind.GUARD_S, kind.TYPING_S) for kind in kinds} == {(0.3, 10.0)}
    assert {kind.__name__: kind.EXPIRES_S for kind in kinds if kind.EXPIRES_S != 120.0} == {"ChoiceScreen": 600.0}


def test_a_key_of_the_first_three_tenths_of_a_second_is_not_taken() -> None:
    screen = GuardedScreen.__new__(GuardedScreen)
    screen.opened_at = 1000.0
    assert not screen.takes_key_of(1000.29)
    assert screen.takes_key_of(1000.31)
