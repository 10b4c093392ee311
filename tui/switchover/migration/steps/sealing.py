"""Encrypts values that later steps need and nobody may read in a record; the key lies outside.

Encrypt, then authenticate: SHAKE-256 over key and nonce gives the stream, HMAC-SHA-256 the tag. What a value belongs to
is authenticated too, so that one record's value does not pass for another's. Standard library only: the launcher loads
this file on its own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

__all__ = ["KEY_BYTES", "seal", "unseal"]

KEY_BYTES = 32
_NONCE_BYTES = 16
_TAG_BYTES = 32
_MARK = "sealed:1:"


def seal(key: bytes, value: str, about: str) -> str:
    """Return the value as text that only the key opens, and only as what it is about."""
    data, nonce = value.encode("utf-8", "surrogateescape"), os.urandom(_NONCE_BYTES)
    hidden = _crossed(key, nonce, data)
    return _MARK + base64.b64encode(nonce + _tag(key, nonce, hidden, about) + hidden).decode()


def unseal(key: bytes, sealed: str, about: str) -> str | None:
    """Return the value, or None where it was sealed with another key, about something else, or is damaged."""
    try:
        packed = base64.b64decode(sealed[len(_MARK) :].encode(), validate=True)
    except ValueError:
        return None
    nonce, tag = packed[:_NONCE_BYTES], packed[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES]
    hidden = packed[_NONCE_BYTES + _TAG_BYTES :]
    if not sealed.startswith(_MARK) or not hmac.compare_digest(tag, _tag(key, nonce, hidden, about)):
        return None
    return _crossed(key, nonce, hidden).decode("utf-8", "surrogateescape")


def _crossed(key: bytes, nonce: bytes, data: bytes) -> bytes:
    stream = hashlib.shake_256(b"stream" + key + nonce).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream))  # noqa: B905 - Python 3.6


def _tag(key: bytes, nonce: bytes, hidden: bytes, about: str) -> bytes:
    said = about.encode("utf-8", "surrogateescape")
    return hmac.digest(b"tag" + key, len(said).to_bytes(8, "big") + said + nonce + hidden, "sha256")
