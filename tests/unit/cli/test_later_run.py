"""`run --at`: what is no time, is over already, or is to be said only then, is refused before anything happens."""

from argparse import Namespace

import pytest

from switchover.cli.later_run import put_off
from switchover.errors import UsageError

_NONE = {"cancel": False, "confirm": [], "tick": [], "retry": [], "resolve": [], "abort": False, "dry_run": False}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at": "soon"}, "--at 'soon' is no time"),
        ({"at": "phase.a + 1h"}, "--at 'phase.a \\+ 1h' is no time"),
        ({"at": "2020-01-31T22:00Z"}, "that time is over"),
        ({"at": "2999-01-31T22:00Z", "expires": "later"}, "--expires 'later' is no time"),
        ({"at": "2999-01-31T22:00Z", "expires": "2999-01-31T21:00Z"}, "it would expire before it begins"),
        ({"at": "2999-01-31T22:00Z", "confirm": ["a=b"]}, "--confirm does not go with --at"),
        ({"at": "2999-01-31T22:00Z", "dry_run": True}, "--dry-run does not go with --at"),
    ],
)
def test_it_is_refused_in_words(given: dict[str, object], said: str) -> None:
    args = Namespace(**{**_NONE, "forget": False, "expires": None, "plan": "plan.yaml", **given})
    with pytest.raises(UsageError, match=said):
        put_off(args, {})
