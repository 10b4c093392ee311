"""Conditions of Gatus as expressions of `expect`."""

from __future__ import annotations

import re

from switchover.importing.plan_draft import duration, seconds, text_of

__all__ = ["NotCarriedError", "translate"]

_CONDITION = re.compile(r"(?P<left>.+?)\s*(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.*)", re.DOTALL)
_BODY = re.compile(r"\[BODY\](?P<path>(?:\.[A-Za-z_][\w-]*|\[\d+\])*)")
_CALL = re.compile(r"(len|has)\((.+)\)")
_ANY = re.compile(r"any\((.*)\)", re.DOTALL)
_PATTERN = re.compile(r"pat\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NONE = {
    "[DOMAIN_EXPIRATION]": "when a domain ends has no check",
    "[IP]": "which address was connected to has no name in `expect`",
}


class NotCarriedError(Exception):
    """A condition has no expression here; the text says why."""


def translate(condition: str, kind: str, scheme: str) -> str:
    """Return the expression; empty where the check asks that anyway, `certificate` for a check of its own.

    Raise `NotCarriedError` for a condition that has none.
    """
    found = _CONDITION.fullmatch(condition.strip())
    if found is None:
        raise NotCarriedError("it cannot be read")
    left, op, right = found["left"].strip(), found["op"], found["right"].strip()
    if "{{" in condition or re.search(r"\$\{", condition):
        raise NotCarriedError("a ${…} or a template in a condition")
    if left in _NONE:
        raise NotCarriedError(_NONE[left])
    if left == "[CERTIFICATE_EXPIRATION]":
        if op in (">", ">=") and seconds(right) is not None:
            return "certificate"
        raise NotCarriedError("only `> TIME` has a check")
    if left == "[CONNECTED]":
        if op == "==" and right == "true":
            return ""
        raise NotCarriedError("there is no check that an address elsewhere must not be reachable")
    if left == "[RESPONSE_TIME]":
        return _time(op, right, kind)
    if left == "[STATUS]" and kind == "http":
        return _compare("status", op, right, number=True)
    if left == "[DNS_RCODE]" and kind == "dns":
        return _compare("rcode", op, right)
    if kind == "dns" and left == "[BODY]":
        return _answers(op, right)
    if kind == "http":
        return _of_body(left, op, right)
    if kind == "tcp" and left == "[BODY]":
        return _compare("text", op, right)
    raise NotCarriedError(f"{left} has no name in `expect` of {kind} ({scheme})")


def _time(op: str, right: str, kind: str) -> str:
    limit = duration(float(right) / 1000) if _NUMBER.fullmatch(right) else None
    if limit is None or op not in ("<", "<=", ">", ">=") or kind == "tls":
        raise NotCarriedError("a time that cannot be compared here")
    return f"time {op} {limit}"


def _answers(op: str, right: str) -> str:
    if _ANY.fullmatch(right) or _PATTERN.fullmatch(right) or op not in ("==", "!="):
        raise NotCarriedError("answers are compared with one value alone")
    inside = f"{text_of(right)} in answers"
    return inside if op == "==" else f"not ({inside})"


def _of_body(left: str, op: str, right: str) -> str:
    call = _CALL.fullmatch(left)
    body = _BODY.fullmatch(call[2].strip() if call else left)
    if body is None:
        raise NotCarriedError(f"{left} has no name in `expect`")
    path = f"body{body['path']}"
    if call is None:
        return _compare("text" if not body["path"] else path, op, right)
    if call[1] == "len":
        return _compare(f"len({path if body['path'] else 'text'})", op, right, number=True)
    if op != "==" or right not in ("true", "false"):
        raise NotCarriedError("has(…) is compared with true or false alone")
    return f"exists({path})" if right == "true" else f"not exists({path})"


def _compare(name: str, op: str, right: str, *, number: bool = False) -> str:
    """Compare a name with a value, with one of several, or with a pattern."""
    choices = _ANY.fullmatch(right)
    pattern = _PATTERN.fullmatch(right)
    if choices is not None and op in ("==", "!="):
        parts = [_compare(name, "==", part.strip(), number=number) for part in choices[1].split(",") if part.strip()]
        if not parts:
            raise NotCarriedError("any() of nothing")
        joined = " or ".join(parts)
        return (f"({joined})" if len(parts) > 1 else joined) if op == "==" else f"not ({joined})"
    if pattern is not None and op in ("==", "!="):
        if number:
            raise NotCarriedError("a number has no pattern here")
        wanted = r"[\s\S]*".join(re.escape(part) for part in pattern[1].split("*"))
        found = f"{name} matches {text_of(f'^{wanted}$')}"
        return found if op == "==" else f"not ({found})"
    if "[" in right or "(" in right:
        raise NotCarriedError("both sides are looked up")
    if number and not _NUMBER.fullmatch(right):
        raise NotCarriedError("it is compared with what is no number")
    is_path = name.startswith(("body.", "body["))
    if number or (is_path and _NUMBER.fullmatch(right)) or (is_path and right in ("true", "false")):
        return f"{name} {op} {right}"
    if op not in ("==", "!="):
        raise NotCarriedError("a text is compared with == and != alone")
    return f"{name} {op} {text_of(right)}"
