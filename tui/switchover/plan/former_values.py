"""Values that a key of a plan no longer takes: each is refused with what is written in its place."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FORMER_VALUES"]

# By the class that holds the key, the key, and the value.
FORMER_VALUES: Mapping[tuple[str, str, str], str] = {
    ("Step", "on_unknown", "verify"): "`verify` is written `{verify: [CHECK]}` now",
    ("Step", "on_unknown", "retry"): "`retry` is called `rerun` now",
}
