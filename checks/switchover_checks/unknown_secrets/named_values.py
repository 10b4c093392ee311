"""Values by their names: `DB_PASSWORD=…`, `"token": "…"`, `--secret-key …`, `<password>…</password>`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from switchover_checks.unknown_secrets.secret_rule import VALUE, found
from switchover_checks.unknown_secrets.secret_words import is_field, is_named

__all__ = ["Named"]

_CORE = re.compile(
    r"pass(?:word|wd|phrase|code|wort)s?|(?<!by)(?<!com)(?<!tres)(?<!under)(?<!over)(?<!sur)pass(?-i:(?![a-z]))|pwd"
    r"|(?<![a-z])pw(?![a-z])|kennwort|contrase\w?a|senha|wachtwoord|(?<![a-z])psk(?![a-z])|wpapsk|access[_-]?signature|pre-?_?shared-?_?key"
    r"|(?:api|access|private|secret|auth|account|encryption|decryption|signing|master|shared|session|service|storage"
    r"|deploy|encrypt|client|webhook|app|application|license|unseal|root)[_.-]?key(?-i:(?![a-z]))"
    r"|secrets?(?-i:(?![a-z]))|tokens?(?-i:(?![a-z]))|credentials?|(?<![a-z])creds?(?![a-z])|(?<![a-z])auth(?![a-z])"
    r"|_auth(?![a-z])|auth-pass|rootpw|bindpw|requirepass|masterauth|(?<![a-z])jwt(?![a-z])|connection[_-]?string",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(?:OLD)?PWD=[/.~]|PASS(?:ED)?:|PASS(?:ED)?\s|(?:chg?|g|smb|ht|ldap|slap|sasl|vnc|yp)p?asswd2?: "
)
_LONGEST = 60
_TO = r"\\*[\"'`]?\]?[ \t]{0,20}(?:=>|:=|={1,2}|::?(?!:)|\\u003[dD])[ \t]{0,20}(?!\d+ bytes\b)"
_FOLLOWS = tuple(
    (re.compile(left), re.compile(right, re.IGNORECASE))
    for left, right in (
        (r"", _TO + VALUE),
        (r"(?<![\w-])(?=--?\w)", rf"[ \t]+(?!-){VALUE}"),
        (r"(?=--?\w)", rf"\\*[\"'][ \t]*,\s*(?=\\*[\"']){VALUE}"),
        (r"(?<=\")", r"=(?P<s>(?:(?![ ,;&][\w.-]+=)[^\"\\\n]|\\.){1,4096})(?=\")"),
        (r"(?<=')", r"=(?P<s>(?:(?![ ,;&][\w.-]+=)[^'\\\n]|\\.){1,4096})(?=')"),
        (r"(?=(?i:\w{0,20}(?:pwd|password)\b))", r"=\{(?P<s>[^{}\n\"']{1,200})\}(?=;|[\s\"']|\Z)"),
        (r"[(\[][ \t]*b?\\*[\"']", rf"\\*[\"'][ \t]*,[ \t]*b?(?=\\*[\"']){VALUE}"),
        (r"<(?:\w{1,20}:)?", r"(?:\s[^<>]{0,200})?>(?P<s>[^<>\s][^<>]{0,4000})</"),
        (
            r"\b(?i:name)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?",
            rf"\\*[\"']?[ \t]*,?(?:[ \t\r\n]|\\+[rn])*\\*[\"']?value\\*[\"']?[ \t]*[:=][ \t]*{VALUE}",
        ),
        (r"(?<![\w.-])(?=(?i:rootpw|bindpw|requirepass|masterauth|auth-pass)\b)", r"\\*[\"']?[ \t]+(?=[\"'])" + VALUE),
        (r"(?<![\w.-])(?=(?i:rootpw|bindpw|bind_pw|requirepass|masterauth)\b)", r"\\*[\"']?[ \t]+" + VALUE),
    )
)
_LEFT_MOST = 40


class Named:
    """A rule that looks at the whole name around its sign, and at what follows the name."""

    name = "named"
    needs = ""
    signs = (
        *(
            "pass",
            "pwd",
            "secret",
            "token",
            "key",
            "cred",
            "auth",
            "jwt",
            "string",
            "psk",
            "signature",
            "rootpw",
            "bindpw",
            "pw",
        ),
        *("kennwort", "contrase", "senha", "wachtwoord"),
    )

    def at(self, text: str, place: int) -> Iterator[tuple[int, int]]:
        """Yield where the value of a name is in which a sign stands at `place`."""
        start, end = _around(text, place)
        name = text[start:end]
        if not _CORE.search(name) or not is_named(name) or _NO_SECRET.match(text, start):
            return
        for left, right in _FOLLOWS:
            if _reaches(left, text, start):
                yield from found(right.match(text, end), is_field)


def _around(text: str, place: int) -> tuple[int, int]:
    start = end = place
    while start > max(0, place - _LONGEST) and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    while end < min(len(text), place + _LONGEST) and (text[end].isalnum() or text[end] in "_.-"):
        end += 1
    return start, end


def _reaches(left: re.Pattern[str], text: str, start: int) -> bool:
    """Tell whether a pattern matches what stands before a place, up to it."""
    if not left.pattern or left.pattern.startswith("(?"):
        return left.match(text, start) is not None
    return any(match.end() == start for match in left.finditer(text, max(0, start - _LEFT_MOST), start))
