# ruff: noqa: SIM905 - lists of words read best as text
"""Tells a secret from a word about one: "password hunter2" from "password expired"."""

from __future__ import annotations

import base64
import binascii
import re

__all__ = ["is_field", "is_login", "is_named", "is_random", "is_said", "is_value"]

_PLACEHOLDER = re.compile(
    r"\((?:secret|hidden|redacted|masked|none|unset|not set)\b|[*•●xX.]{3,}\Z|\*{3}|•"
    r"|<[\w .:/'\"-]{1,60}>?\Z|\[[\w .-]{1,40}\]?\Z|\{\{|%[sdv]\Z|%\("
    r"|\$\{?(?:[A-Z][A-Z0-9_]*|\w*(?:pass|pwd|secret|token|key|cred)\w*)(?::?[-?=+][^}]*)?\}?\Z|\$\(|\$\{\{"
    r"|[|>][-+]?\Z|\{\}?\Z|\[\]?\Z|!\w|@@|\\[nrt]",
    re.IGNORECASE,
)
_STATES = frozenset(
    """
    accepted again authentication bad blank by cannot change changed correct denied differs disabled does empty
    enabled encrypted error exists expected expired expires fail failed fails failure false for forbidden found
    from given has hashed hidden if in incorrect input invalid is isn't length locked may mismatch missing must
    n/a never nil no none not null off ok on optional or plain prompt protected provided redacted rejected
    removed required reset rotated saved sent set should stored supplied timeout to too true unauthorized
    undefined unknown unset updated valid verified via was weak with without wrong yes
    """.split()
)
_WORDS = _STATES | frozenset(
    """
    a about account after all an and any app application are argument as at attempt attempts auth authenticator
    be because been before being below broken bytes can case characters chars check checker chosen column config
    configuration could data database days db default dictionary did digest do don't entered entries entry env
    environment every expiry field fields file files filter flag forgot forgotten form format generator gone had
    handler handling hash hashes have helper here history hook how however i id if information into it it's its
    kept key keys known last leak left less level like line list login logon longer lost made manager many
    method might minimum mode module more name names new next nor now of old once one only option options other
    output page parameter parse parser part plugin policies policy program property quality query reader record
    recovery request requests reset response rotation row rule rules salt scheme screen script see server
    service setup shall shown since size so some still storage store strategy strength string support sync table
    tables taken than that the their then there these they this those through time times token twice type unless
    until up update url use used user username users value values variable variables vault was we were what when
    where whether which while who why will would you your
    """.split()
)
_ENDINGS = re.compile(
    r"[a-z'-]{2,}(?:tion|tions|sion|sions|ing|ed|ment|able|ible|ity|ance|ence|ness|ful|less|ally|n't)\Z"
)
_ABOUT = frozenset(
    """
    age algo algorithm arn at attempts bucket budget bytes changed class column count created date days dir
    disabled enabled encryption error errors exists expiration expired expires expiry field file filename files
    flag format helper hint id ids index invalid kind label len length limit manager max method min missing mode
    name names namespace path pattern per policy prompt provider ref required reset retries rule rules size
    source state status store strength timeout tries ttl type types uri url usage used valid validity version
    """.split()
)
_ASKING = frozenset(
    """
    allow bad change check continuation disable enable expect expired forgot has hide invalid is keep max min
    missing need needs next no num page require requires reset retries save show skip store total unexpected
    update use uses validate verify wrong
    """.split()
)
_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_AMOUNT = re.compile(r"\d{1,3}\Z")
_LEAST_RANDOM = 10


def is_value(value: str) -> bool:
    """Tell whether it is more than a sign that stands for a secret, such as `***`, `<password>` or `$PASSWORD`."""
    return bool(value.strip()) and not _PLACEHOLDER.match(value.strip())


def is_field(value: str) -> bool:
    """Tell a secret from the state of one, as in `password=required`."""
    return is_value(value) and _bare(value) not in _STATES


def is_said(value: str) -> bool:
    """Tell a secret in running text from the word that follows: nouns, verbs and the like are none."""
    word = _bare(value)
    if not is_value(value) or not word or word in _WORDS or _AMOUNT.match(word):
        return False
    return not _ENDINGS.fullmatch(word)


def is_random(value: str) -> bool:
    """Tell whether nobody would speak so: long, with digits among letters, or with capitals anywhere."""
    value = value.strip("\"'`.,;:!?")
    if len(value) < _LEAST_RANDOM or not is_said(value) or "/" in value[:1] or "://" in value:
        return False
    letters = any(c.isalpha() for c in value)
    return letters and (any(c.isdigit() for c in value) or not (value.islower() or value.isupper() or value.istitle()))


def is_login(value: str) -> bool:
    """Tell whether it is the base64 of `user:password`."""
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return False


def is_named(name: str) -> bool:
    """Tell the name of a secret from one of something about it, such as `password_file` or `max_tokens`."""
    pieces = [piece.lower() for piece in _PIECES.findall(name)]
    return bool(pieces) and pieces[-1] not in _ABOUT and pieces[0] not in _ASKING


def _bare(value: str) -> str:
    return value.strip().strip("\"'`.,;:!?()[]{}").lower()
