"""The forms in which a secret may turn up: as it is, quoted, escaped, and inside other encodings."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, unquote

__all__ = ["SHORTEST", "secret_forms", "secret_parts"]

SHORTEST = 4  # bytes; anything shorter would blot out ordinary text
_MOST_LINES = 8  # of a secret whose single lines are looked for in every form; a key has more
_SECRET_NAME = re.compile(r"pass|secret|token|key|credential|pwd", re.IGNORECASE)
_FIELD = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?([\w.-]*(?:pass|secret|token|key|credential|pwd)[\w.-]*)[ \t]*[=:](.+)$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^@\s]+)@")


@lru_cache(maxsize=64)
def secret_forms(value: str) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the forms in which a secret may turn up: as it is, quoted, escaped, in base64, in hex.

    The second set may be broken by blanks and line ends, as `base64` and `xxd` wrap their lines.
    """
    plain: set[bytes] = set()
    wrapped: set[bytes] = set()
    lines = value.count("\n")
    for text in secret_parts(value):
        data = text.encode("utf-8", "surrogateescape")
        if len(data) < SHORTEST:
            continue
        plain |= {data, data.replace(b"/", b"\\/"), quote(data, safe="").encode(), repr(data)[2:-1].encode()}
        if text != value and lines > _MOST_LINES:
            continue
        plain.update(form.encode("utf-8", "surrogateescape") for form in (*_escaped(text), *_percent_encoded(data)))
        wide = _wide(text)
        plain |= wide
        wrapped |= _in_hex(data) | _in_base64(data) | _in_base64_twice(data)
        for form in wide:
            wrapped |= _in_base64(form)
    plain = {form for form in plain if len(form) >= SHORTEST}
    return frozenset(plain), frozenset(wrapped - plain)


def secret_parts(value: str) -> set[str]:
    """Return a secret and its parts that may be printed alone: its lines, and passwords in URLs or fields."""
    parts = {value, *(line.strip() for line in value.splitlines())}
    parts.update(match[2].strip("\"' \t\r") for match in _FIELD.finditer(value))
    for match in _URL_PASSWORD.finditer(value):
        parts |= {match[1], unquote(match[1])}
    if value.lstrip().startswith(("{", "[")):
        with suppress(ValueError, RecursionError):  # it only looked like JSON
            parts |= _secret_leaves(json.loads(value), named=False)
    if not value.isascii():
        for how in ("NFC", "NFD"):
            parts |= {unicodedata.normalize(how, part) for part in parts}
    return parts


def _secret_leaves(value: object, *, named: bool) -> set[str]:
    if isinstance(value, dict):
        leaves = (_secret_leaves(v, named=bool(_SECRET_NAME.search(str(k)))) for k, v in value.items())
        return set().union(*leaves)
    if isinstance(value, list):
        return set().union(*(_secret_leaves(item, named=named) for item in value))
    return {value} if named and isinstance(value, str) else set()


def _escaped(text: str) -> set[str]:
    """Return the text as JSON, Python, HTML, XML and shells write it."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [f"{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)]
    in_json = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], "".join(f"\\u{c}" for c in codes)}
    in_json |= {form.replace("/", "\\/") for form in in_json}
    for form in tuple(in_json):  # as in pages, where < > & ' are escaped too
        safe = re.sub("[<>&']", lambda match: f"\\u{ord(match[0]):04x}", form)
        in_json |= {safe, re.sub(r"\\u([0-9a-f]{4})", lambda match: f"\\u{match[1].upper()}", safe)}
        in_json.add(re.sub(r"\\u([0-9a-f]{4})", lambda match: f"\\u{match[1].upper()}", form))
    in_json |= {json.dumps(form, ensure_ascii=how)[1:-1] for form in in_json for how in (True, False)}  # JSON in JSON
    in_text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_page = in_text.replace('"', "&quot;").replace("'", "&#x27;")
    return {
        *in_json,
        *(repr(text)[1:-1], ascii(text)[1:-1]),
        *(in_page, in_text, in_page.replace("&#x27;", "&#39;"), in_page.replace("&#x27;", "&apos;")),
        *(text.replace("'", "'\"'\"'"), text.replace("'", "'\\''"), text.replace("'", "''")),
        *(re.sub(r"([^\w@%+=:,./-])", r"\\\1", text), re.sub(r'([\\"$`])', r"\\\1", text)),
    }


def _percent_encoded(data: bytes) -> set[str]:
    """Return the bytes as they stand in URLs and forms, whichever characters are left as they are."""
    forms = {quote(data, safe=safe) for safe in ("", "/", "!'()*~", ";,/?:@&=+$#!'()*~", "@:/!$&'()*+,;=")}
    forms |= {form.replace("~", "%7E") for form in forms} | {"".join(f"%{byte:02X}" for byte in data)}
    forms |= {form.replace("%20", "+") for form in forms}
    return forms | {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in forms}


def _wide(text: str) -> set[bytes]:
    """Return the text as UTF-16, whose zero bytes the search skips."""
    return {text.encode(how, "surrogatepass") for how in ("utf-16-le", "utf-16-be")}


def _in_hex(data: bytes) -> set[bytes]:
    return {
        form.encode()
        for sep in ("", " ", ":", "-")
        for low in [data.hex(sep) if sep else data.hex()]
        for form in (low, low.upper())
    }


def _in_base64(data: bytes) -> set[bytes]:
    forms: set[bytes] = set()
    for core in _cores(data):
        for form in (core, core.replace(b"+", b"-").replace(b"/", b"_")):
            slashed = form.replace(b"/", b"\\/")
            in_url = form.replace(b"+", b"%2B").replace(b"/", b"%2F")
            forms |= {form, slashed, in_url, in_url.replace(b"%2B", b"%2b").replace(b"%2F", b"%2f")}
    return {form for form in forms if len(form) >= SHORTEST}


def _in_base64_twice(data: bytes) -> set[bytes]:
    """As in a Kubernetes secret that holds the login of a registry."""
    return {form for core in _cores(data) if len(core) >= SHORTEST for form in _cores(core) if len(form) >= SHORTEST}


def _cores(data: bytes) -> set[bytes]:
    """Return the characters that no neighbour's bits reach: they are the same in every base64 text around the data."""
    forms = set()
    for shift in range(3):
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        forms.add(base64.b64encode(b"\0" * shift + data)[first:last])
    return forms
