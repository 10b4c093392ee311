"""What a probe may change: judged by the configuration of a check, before anything is sent or started.

Every function returns a reason in a few words, or an empty text where nothing is changed. What is not known is taken to
change something. `effect: read` is the author's word that it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import WithJsonSchema

from switchover_checks.api import Effect
from switchover_checks.language.shell_reading import not_reading, not_reading_argv

__all__ = ["DeclaredEffect", "by_word", "command_changes", "http_changes", "plugin_changes"]

DeclaredEffect = Annotated[
    Effect | None,
    WithJsonSchema(
        {
            "enum": ["read", "writes"],
            "description": "whether looking changes anything, where that cannot be told (left out by --read-only)",
        }
    ),
]
"""The `effect` key of a check: its author's word where the configuration alone does not tell."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_LOADING = ("LD_", "PYTHON", "PERL5", "BASH_ENV", "ENV", "PATH", "IFS")
"""Variables by which a well-known program comes to run something else."""
_REMOTE_PLUGINS = frozenset({"check_by_ssh"})


def by_word(declared: DeclaredEffect, reason: str) -> str:
    """Return the reason unless the plan says otherwise, in either direction."""
    if declared == "read":
        return ""
    return reason or ("the plan says so" if declared == "writes" else "")


def http_changes(method: str, headers: Mapping[str, str], declared: DeclaredEffect) -> str:
    """Judge a request: GET, HEAD and OPTIONS only read, unless a header turns them into something else."""
    real = {method.upper(), *(value.strip().upper() for name, value in headers.items() if name.lower() in _OVERRIDES)}
    writing = sorted(real - _SAFE_METHODS)
    return by_word(declared, f"its method is {writing[0]}" if writing else "")


def command_changes(
    command: str | tuple[str, ...], environment: Mapping[str, str], declared: DeclaredEffect, what: str = "it"
) -> str:
    """Judge a command: only programs that are known to read do."""
    if declared is not None:
        return by_word(declared, "")
    loading = next((name for name in environment if name.startswith(_LOADING)), "")
    if loading:
        return f"{what} sets {loading}; write effect: read if it only reads"
    reason = not_reading(command) if isinstance(command, str) else not_reading_argv(command)
    return f"{what} {reason}; write effect: read if it only reads" if reason else ""


def plugin_changes(command: str | tuple[str, ...], environment: Mapping[str, str], declared: DeclaredEffect) -> str:
    """Judge a monitoring plugin: by their contract those that are called `check_…` only look."""
    words = command.split() if isinstance(command, str) else list(command)
    name = words[0].rpartition("/")[2] if words else ""
    plain = not isinstance(command, str) or not any(c in command for c in ";&|<>`$()\n")
    if declared is None and plain and name.startswith("check_") and name not in _REMOTE_PLUGINS:
        return ""
    return command_changes(command, environment, declared)
