# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets that are known by how they look: keys, tokens, hashes of passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator

from switchover_checks.unknown_secrets.secret_rule import SecretRule

__all__ = ["RULES", "tokens"]

_TOKENS = (
    *(["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glptt-", "gldt-", "glrt-", "glft-", "glsoat-", "glcbt-", "glimt-", "glagent-", "gloas-"]),
    *(["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xoxe.xox", "xapp-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-or-", "gsk_", "hf_", "r8_"]),
    *(["npm_", "pypi-AgEI", "dckr_pat_", "dckr_oat_", "hvs.", "hvb.", "hvr.", "SG.", "shpat_", "shpss_", "shpca_", "shppa_", "dop_v1_", "doo_v1_", "dor_v1_", "GOCSPX-", "ya29.", "AIza"]),
    *(["dapi", "glsa_", "glc_", "NRAK-", "PMAK-", "sq0atp-", "sq0csp-", "EAAA", "EAAC", "xkeysib-", "tskey-", "lin_api_", "figd_", "ATATT3x", "ATCTT3x", "ops_eyJ", "AGE-SECRET-KEY-1"]),
    *(["rubygems_", "CCIPAT_", "sbp_", "pscale_pw_", "pscale_tkn_", "pscale_oauth_", "ntn_", "dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "HRKU-", "rdme_", "sntrys_", "sgp_", "pat-na1-", "sk-"]),
)  # fmt: skip
_HASHES = [
    "$1$",
    "$2a$",
    "$2b$",
    "$2x$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$gy$",
    "$sha1$",
    "$apr1$",
    "$argon2",
    "$scrypt$",
    "$pbkdf2",
    "$bcrypt",
]

_BEGINNING = re.compile(
    rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, _TOKENS))})(?=[\w.-]{{0,60}}\d|[\w.-]{{0,60}}[A-Z])[\w.~+/=-]{{12,2000}}"
)
_LONG = re.compile(r"(?<![\w.~+/=-])[\w.~+/=-]{16,}")


def tokens(text: str) -> Iterator[tuple[int, int]]:
    """Yield where tokens are that are known by their beginning; they are too many to look for each."""
    if any(beginning in text for beginning in _TOKENS):
        for word in _LONG.finditer(text):
            yield from (token.span() for token in _BEGINNING.finditer(text, *word.span()))


RULES = (
    SecretRule(
        "private key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?P<s>[\s\S]*?)(?=-----END|\Z)",
        bool,
        cased=True,
    ),
    SecretRule(
        "cloud key",
        "akia asia abia acca a3t",
        r"(?<![0-9A-Za-z])(?P<s>(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[0-9A-Z]{16})(?![0-9A-Za-z])",
        cased=True,
    ),
    SecretRule(
        "token of three parts",
        "eyj",
        r"(?<![A-Za-z0-9])(?P<s>eyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096})",
        cased=True,
    ),
    SecretRule("token of Google", "1//0", r"(?<![\w/])(?P<s>1//0[\w-]{20,2000})", cased=True),
    SecretRule("secret of Azure", "q~", r"(?<=[\w.-]{3}\d)(?P<s>Q~[\w~.-]{31,40})(?![\w~-])", cased=True),
    SecretRule("key of Mailgun", "key-", r"(?<![\w-])(?P<s>key-[0-9a-f]{32})(?!\w)", cased=True),
    SecretRule("token of a bot", ":aa", r"(?<=\d{8}):(?P<s>AA[\w-]{32,34})(?![\w-])", cased=True),
    SecretRule(
        "hash of a password",
        " ".join(_HASHES),
        r"(?P<s>\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|apr1|argon2\w{1,2}|scrypt|pbkdf2[\w-]{0,12}|bcrypt[\w-]{0,10})\$[./A-Za-z0-9$=,+-]{20,400})",
        cased=True,
        needs="$",
    ),
    SecretRule(
        "hash of a password", "scram-sha-", r"(?P<s>SCRAM-SHA-(?:1|256|512)\$\d{1,8}:[^\s'\"]{20,400})", cased=True
    ),
    SecretRule(
        "hash of a password",
        "{ssha {sha {smd5 {md5 {crypt {pbkdf2",
        r"(?P<s>\{S?(?:SHA\d{0,3}|MD5|CRYPT|PBKDF2[\w-]{0,12})\}[^\s'\"]{16,400})",
        needs="{",
    ),
)
