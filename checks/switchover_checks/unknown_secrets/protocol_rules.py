# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets in protocols as they are logged."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import VALUE, SecretRule
from switchover_checks.unknown_secrets.secret_words import is_said

__all__ = ["RULES"]

_MECHANISMS = r"PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|XOAUTH2?|OAUTHBEARER|SCRAM-\S+|GSSAPI|GSS-SPNEGO|NTLM|EXTERNAL|ANONYMOUS|TLS|SSL|[A-Z]+="


def _has_small(value: str) -> bool:
    return not value.isupper()


RULES = (
    SecretRule(
        "AUTH",
        "auth",
        rf"(?<![\w-])AUTH\\*[\"']?(?:[ \t]+|\\+r\\+n\$\d+\\+r\\+n|\r?\n\$\d+\r?\n)(?!(?:{_MECHANISMS})\b){VALUE}",
        is_said,
        cased=True,
    ),
    SecretRule(
        "AUTH with a user",
        "auth",
        rf"(?<![\w-])AUTH\\*[\"']?[ \t]+(?!(?:{_MECHANISMS})\b|command|failed|is |was |not )(?:\\*\"[\w.@-]{{1,60}}\\*\"|\\*'[\w.@-]{{1,60}}\\*'|[\w.@-]{{1,60}})[ \t]+\\*[\"']?(?P<s>[^\s\"'\\]{{1,200}})\\*[\"']?(?=[ \t]*(?:\n|\Z|[\"'\\]))",
        is_said,
        cased=True,
    ),
    SecretRule(
        "AUTH of mail",
        "auth",
        r"\bAUTH[ \t]+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)[ \t]+(?P<s>[A-Za-z0-9+/]{6,4096}={0,2})(?![\w-])",
        _has_small,
        cased=True,
    ),
    SecretRule("auth-pass", "auth-pass", rf"auth-pass[ \t]+\S{{1,60}}[ \t]+{VALUE}"),
    SecretRule(
        "PASS",
        "pass",
        r"(?:(?<=> )|(?<=>)|(?<=C: )|(?<=<- )|(?<=\d\d: ))PASS[ \t]+(?P<s>[^\s\"'\\]{1,200})(?=[ \t]*(?:[\"'\\]|\r?\n|\Z))",
        is_said,
        cased=True,
        needs="PASS",
    ),
    SecretRule(
        "IMAP", "login", r"(?<=\d )LOGIN[ \t]+\S{1,80}[ \t]+(?P<s>\S{1,200})", is_said, cased=True, needs="LOGIN"
    ),
    SecretRule("ACL", "acl", r"\bACL[ \t]+SETUSER\b[^\n]{0,200}?[ \t][>#](?P<s>[^\s\"']{1,200})"),
)
