"""Secrets in addresses: logins, signatures, and addresses that only the receiver may know."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import SecretRule
from switchover_checks.unknown_secrets.secret_words import is_random

__all__ = ["RULES"]

_LONG_WORD = 20


def _is_unguessable(path: str) -> bool:
    """Tell whether nobody comes upon this end of an address by chance."""
    return any(is_random(part) or (len(part) >= _LONG_WORD and part.isalnum()) for part in path.split("/"))


RULES = (
    SecretRule(
        "address",
        r"://  :\/\/",
        r":(?:\\*/){2}(?!\[)[^\s/:@\"'<>\[\\]{0,100}:(?P<s>(?!\d{1,5}(?:[/?#,\s]|\Z))[^\s\"'<>]{1,500})@",
    ),
    SecretRule("token in an address", r"://", r"://(?P<s>[\w-]{20,200})@", is_random),
    SecretRule("address of Oracle", "jdbc:oracle:", r"jdbc:oracle:\w{2,10}:[\w$#]{1,60}/(?P<s>[^\s/@\"']{1,100})@"),
    SecretRule("address of MySQL", "@tcp( @unix(", r"(?<![\w/:])[\w.-]{1,60}:(?P<s>[^\s@/\"']{1,200})\Z", before=True),
    SecretRule(
        "signed address",
        "sig= signature= x-amz- x-goog-",
        r"(?<=[?&;])(?:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=(?P<s>[^\s&\"'<>]{8,2000})",
    ),
    SecretRule(
        "hook",
        "hooks.slack.com/ hooks.zapier.com/ /api/webhooks/ /webhookb2/",
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|hooks\.zapier\.com/hooks/\w{2,10}/|/api/webhooks/\d+/|/webhookb2/)(?P<s>[^\s\"'<>\\]{8,300})",
    ),
    SecretRule(
        "other hook",
        "hook/ hooks/ integration/ integrations/ /with/key/ hc-ping.com/",
        r"(?:/with/key/|(?:(?<=[/_-])|(?<=web))(?:hooks?/(?:incoming/|v\d/|hook/|\d+/)*|integrations?/(?:[a-z]{1,20}/|\d{8}/){0,3}))(?P<s>[^\s\"'<>?#\\]{8,300}?)(?=/enqueue|/?(?:[\s\"'<>?#\\]|\Z))|hc-ping\.com/(?P<q>[^\s\"'<>?#\\/]{8,60})",
        _is_unguessable,
        needs="//",
    ),
    SecretRule(
        "key in an address",
        "googleapis.com qyapi.weixin",
        r"(?:googleapis\.com|qyapi\.weixin\.qq\.com)/[^\s\"'<>]{0,300}?[?&]key=(?P<s>[^\s&\"'<>\\]{6,200})",
    ),
)
