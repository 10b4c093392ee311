# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets in headers, running text and SQL."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import BARE, VALUE, SecretRule
from switchover_checks.unknown_secrets.secret_words import is_field, is_login, is_random, is_said

__all__ = ["RULES"]

_SAYS = r"pass(?:word|wd|phrase|code)s?"
_SCHEMES = (
    "basic|bearer|token|apikey|api-key|digest|negotiate|ntlm|oauth|hawk|aws4-hmac-sha256|sharedkey(?:lite)?|splunk|key"
)
_OF_KEYS = "api|access|auth|secret(?:[ _-]access)?|client|private|account|bearer|refresh|session|security|root|unseal|license|bot"

RULES = (
    SecretRule(
        "authorization",
        "authorization",
        rf"authorization\\*[\"']?[ \t]*[:=,][ \t]*\[?(?:b(?=\\*[\"']))?\\*[\"']?(?:(?:{_SCHEMES})[ \t]+(?P<q>[^\n\"'\\]{{1,4096}})|(?P<s>[^\s\"',;\\]{{1,4096}}))",
        is_field,
    ),
    SecretRule("bearer", "bearer", rf"\bbearer[ \t]+(?!\w+=){BARE}", is_said),
    SecretRule("basic", "basic", r"\bbasic[ \t]+(?P<s>[A-Za-z0-9+/]{6,4096}={0,2})", is_login),
    SecretRule(
        "cookie",
        "cookie",
        r"\bcookie\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?(?P<s>[\w.%!#$&*+^`|~-]{1,100}=[^\n\"\\]{1,4096})",
    ),
    # Running text
    SecretRule(
        "said of a password",
        "pass",
        rf"\b{_SAYS}(?:[ \t]+(?:for|of)[ \t]+(?:(?:the|user|role|account|database)[ \t]+){{0,2}}\S{{1,60}})?[ \t]+(?:(?:(?:is|was|has[ \t]+been)[ \t]+)?(?:set|changed|reset|updated|rotated)[ \t]+(?:from|to)|is(?:[ \t]+now)?|was|=|->|→)[ \t]*:?[ \t]*(?!-|password\(){VALUE}",
        is_said,
    ),
    SecretRule("after a password", "pass", rf"\b{_SAYS}[ \t]+(?!-|\w+[ \t]*[=:(]){VALUE}", is_said),
    SecretRule(
        "password in brackets", "pass", rf"\b{_SAYS}[ \t]+[(\[](?!secret\b)(?P<s>[^\s()\[\]]{{4,60}})[)\]]", is_said
    ),
    SecretRule("pass of a user", "pass", rf"(?<=[ \t])pass[ \t]+(?!-|\d+[ \t]+of|the\b|on\b){BARE}", is_random),
    SecretRule(
        "changed to",
        "pass",
        rf"\b{_SAYS}[^\n]{{1,80}}?\b(?:from[ \t]+\S{{1,100}}[ \t]+)?to[ \t]+(?P<quote>[\"'`])(?P<q>[^\n\"'`]{{1,200}})(?P=quote)",
        is_said,
    ),
    SecretRule(
        "said of a token", "token", rf"\btokens?(?:[ \t]*:)?[ \t]+(?:is[ \t]+|was[ \t]+)?:?[ \t]*{VALUE}", is_random
    ),
    SecretRule(
        "said of a key",
        "api access auth secret client private account bearer refresh session security root unseal license",
        rf"\b(?:{_OF_KEYS})[ _-]?(?:key|token|secret)s?(?:[ \t]+\d+)?(?:[ \t]*:)?[ \t]+(?:is[ \t]+|was[ \t]+)?:?[ \t]*(?!BLOCK-){VALUE}",
        is_random,
    ),
    SecretRule(
        "credentials",
        "credential login logon",
        r"\b(?:credentials?|login|logon)[ \t]+(?:as[ \t]+|with[ \t]+)?\(?(?P<quote>[\"'`]?)[\w.@+-]{1,60}[:/](?P<s>(?![/\d])[^\s\"'`)/]{3,100})(?P=quote)",
        is_said,
    ),
    SecretRule("key of a name server", "secret", r"\bsecret[ \t]+\\*\"(?P<s>[A-Za-z0-9+/]{8,400}={0,2})\\*\";"),
    # SQL
    SecretRule(
        "IDENTIFIED BY",
        "identified",
        rf"\bIDENTIFIED(?:[ \t]+(?:WITH|VIA)[ \t]+[\w'\"`]{{1,60}})?[ \t]+(?:BY|AS|USING)(?:[ \t]+(?:PASSWORD|VALUES))?[ \t]*(?!\(secret\))\(?{VALUE}",
    ),
    SecretRule(
        "PASSWORD of SQL",
        "password",
        r"\bPASSWORD[ \t]*(?:=[ \t]*)?(?:\(|FOR[ \t]+\S{1,120}[ \t]*=[ \t]*(?:PASSWORD)?\(?|(?=[NE]?'))[ \t]*[NE]?(?P<quote>'|\\\")(?P<q>(?:''|\\\\|\\'|(?!(?P=quote))[^\n]){1,400})",
    ),
    SecretRule("crypt", "crypt(", r"crypt[ \t]*\([^()\n]{0,200}?,?[ \t]*'(?P<s>(?:''|[^'\n]){1,200})'[ \t]*[,)]"),
)
