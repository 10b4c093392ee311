"""Secrets stand in a plan by reference only. No message here repeats a value: it may be the secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from switchover.plan.complaints import Complaint, Path
from switchover.plan.rules.draft import Draft, shell_texts
from switchover.plan.secrets.secret_store import check_reference
from switchover.plan.templates import texts_in
from switchover.plan.type_errors import SENSITIVE_KEY

__all__ = ["literal_secrets", "secret_references"]

_HOW = "declare it in `secrets` and write {{ secret.NAME }}"
_NAMING_KEYS = frozenset({"bearer"})
_URL_PASSWORD = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@'\"]{0,200}:(?P<password>[^\s/@'\"]{1,500})@"
)
_WELL_KNOWN = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bgh[pousr]_[A-Za-z0-9]{30,}|"
    r"\bglpat-[A-Za-z0-9_-]{20}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}\b|\bsk-[A-Za-z0-9_-]{32,}"
)
# What usually names a file: GOOGLE_APPLICATION_CREDENTIALS, SSH_PRIVATE_KEY.
_FILE_KEY = re.compile(r"(?:credentials?|private[_-]?key)$", re.IGNORECASE)
_FILE = re.compile(r"(?:~|\.{1,2})?/[\w./-]+|[\w./-]+\.(?:json|pem|key)")
# NAME=value and --name=value in shell text; a value that the shell works out ($X, $(…), `…`) is none.
_ASSIGNED = re.compile(
    r"(?:^|[\s;&|(\"'])-{0,2}[\w-]*?(?:pass(?:word|wd|phrase)|(?<=[_-])(?:pass|pwd)|secret|token|api[_-]?key|access[_-]?key)="
    r"(?P<quote>[\"']?)(?P<value>[^\s\"';&|)]*)",
    re.IGNORECASE,
)


def secret_references(draft: Draft) -> Iterator[Complaint]:
    """Complain about secrets that are no reference of a known kind."""
    for name, secret in draft.plan.secrets.items():
        if message := check_reference(secret.ref):
            yield Complaint(("secrets", name, "ref"), message)


def literal_secrets(draft: Draft) -> Iterator[Complaint]:
    """Complain about passwords, tokens and keys: under a telling name, in a URL, in a command."""
    plan = draft.plan
    places: list[tuple[Path, Any]] = [
        *((("sides", name), side.model_extra or {}) for name, side in plan.sides.items()),
        *((("services", name), s.model_dump(exclude_none=True)) for name, s in plan.services.items()),
        *((("checks", name), check.config) for name, check in plan.checks.items()),
        *((("metrics", name), metric.config) for name, metric in plan.metrics.items()),
        *((("costs", "sources", name), source.config) for name, source in plan.costs.sources.items()),
        *((("notifiers", name), notifier.config) for name, notifier in plan.notifiers.items()),
        *((("runbooks", r, "url"), book.url) for r, book in enumerate(plan.runbooks)),
    ]
    if plan.live is not None and plan.live.url is not None:
        places.append((("live", "url"), plan.live.url))
    for path, value in places:
        yield from _in_values(path, value, draft.names.secrets)
    for shell in shell_texts(draft):
        yield from _in_values(shell.env_path, dict(shell.env), draft.names.secrets)
        yield from _in_shell(shell.path, shell.text)
    for name, variable in plan.vars.items():
        if SENSITIVE_KEY.search(name) and variable.type == "str":
            yield Complaint(
                ("vars", name),
                f"the values of variables are kept and shown: declare {name!r} in `secrets` instead",
                at_key=True,
            )
        elif isinstance(variable.default, str):
            yield from _in_text(("vars", name, "default"), variable.default)


def _in_values(path: Path, value: Any, secrets: frozenset[str]) -> Iterator[Complaint]:
    for inner, text in _leaves(value):
        place = (*path, *inner)
        key = next((str(p) for p in reversed(place) if isinstance(p, str)), "")
        is_file = _FILE_KEY.search(key) and _FILE.fullmatch(text)
        if text and "{{" not in text and (SENSITIVE_KEY.search(key) or key in _NAMING_KEYS) and not is_file:
            if text in secrets:
                yield Complaint(place, f'a secret is named by a template only: write "{{{{ secret.{text} }}}}"')
            else:
                yield Complaint(place, f"a literal secret under {key!r}: {_HOW}")
        else:
            yield from _in_text(place, text)


def _leaves(value: Any) -> Iterator[tuple[Path, str]]:
    yield from texts_in(value)
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, int | float) and not isinstance(item, bool):
                yield (str(key),), str(item)


def _in_text(path: Path, text: str) -> Iterator[Complaint]:
    for match in _URL_PASSWORD.finditer(text):
        if not match["password"].startswith(("{{", "$")):
            yield Complaint(path, f"a literal secret: this URL holds a password; {_HOW}")
            return
    if _WELL_KNOWN.search(text):
        yield Complaint(path, f"a literal secret: this looks like a key or a token; {_HOW}")


def _in_shell(path: Path, text: str) -> Iterator[Complaint]:
    for match in _ASSIGNED.finditer(text):
        value = match["value"]
        if value and not value.startswith(("$", "`", "{{", "<", "%")):
            yield Complaint(
                path, f'a literal secret in a command: {_HOW} in the step\'s `env`, and "$NAME" in the command'
            )
            return
    yield from _in_text(path, text)
