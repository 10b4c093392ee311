# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets that commands take as an argument of their own, or as input."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import ARGUMENT, VALUE, SecretRule, further
from switchover_checks.unknown_secrets.secret_words import is_field, is_said

__all__ = ["RULES"]

_SUDO = r"(?:sudo[ \t]+(?:-\w+[ \t]+)*)?(?:/usr)?(?:/s?bin/)?"
_READS = rf"(?:{_SUDO}(?:chpasswd|newusers|chgpasswd|passwd[ \t]+--stdin|cryptsetup|smbpasswd|pw[ \t]+usermod)|sudo[ \t]+(?:-\w+[ \t]+)*-S\b)"
_READS_AT = "chpasswd newusers chgpasswd passwd cryptsetup sudo --password-stdin --with-token --passphrase-fd"
_TAKES = r"[^\n|;]{1,100}?--(?:password-stdin|with-token|passphrase-fd)\b"
_ECHO = r"(?:echo|printf)(?:[ \t]+-\w+)*[ \t]+\\*[\"']?(?:[\w.-]{1,40}:)?(?P<s>[^\s\"'|\\]{1,200})(?:\\n)?\\*[\"']?[ \t]*\|[ \t]*"
_ECHO_MORE = r"(?:echo|printf)(?:[ \t]+-\w+)*[ \t]+(?P<s>[^|]{1,60}(?:\s|%s|\\+n)[^|]{1,400}?)[ \t]*\|[ \t]*"
_PAIR = r"\\*[\"']?(?:[\w.@-]{1,40}:)?(?P<s>[^\s\"'\\|]{1,200})"
_OPTIONS = r"(?:[ \t]+-\w*(?-i:[Cr])[ \t]+\d+|[ \t]+-\w+)"
_FLAGS = r"(?:[ \t]+-\w[\w=-]{0,20}){0,9}[ \t]+"
_NO_OPTION = r"(?!-)"
_ENDS = r"(?=[ \t]*(?:\Z|[\n|;&<>\"'\\)]|-\w))"

RULES = (
    SecretRule(
        "qpdf user",
        "qpdf",
        rf"qpdf\b{further()}--encrypt[ \t]+{_NO_OPTION}(?={ARGUMENT}[ \t]+{ARGUMENT}[ \t]+\d){VALUE}",
        needs="--encrypt",
    ),
    SecretRule(
        "qpdf owner",
        "qpdf",
        rf"qpdf\b{further()}--encrypt[ \t]+{_NO_OPTION}{ARGUMENT}[ \t]+{_NO_OPTION}(?={ARGUMENT}[ \t]+\d){VALUE}",
        needs="--encrypt",
    ),
    SecretRule("isql", "isql iusql", rf"\bi(?:u)?sql{_FLAGS}{ARGUMENT}[ \t]+{ARGUMENT}[ \t]+{VALUE}{_ENDS}", is_said),
    SecretRule(
        "iwconfig",
        "iwconfig iw",
        rf"\biw(?:config)?\b{further(200)}[ \t](?:keys?|enc(?:ryption)?)[ \t]+(?:(?:open|restricted|\[\d\]|\d)[ \t]+)*(?!(?:open|restricted)\b)(?:(?:d:)?\d:|(?!(?:d:)?\d:)){VALUE}",
        is_field,
    ),
    SecretRule(
        "key of a network", "psk nwkey wpakey wepkey", rf"(?<![a-z])(?:psk|nwkey|wpakey|wepkey)[ \t]+{VALUE}", is_said
    ),
    SecretRule("wpa_passphrase", "wpa_passphrase", rf"wpa_passphrase[ \t]+{ARGUMENT}[ \t]+{VALUE}"),
    SecretRule(
        "htpasswd -b",
        "htpasswd",
        rf"htpasswd(?={_OPTIONS}*?[ \t]+-\w*b)(?:(?={_OPTIONS}*?[ \t]+-\w*n){_OPTIONS}++|{_OPTIONS}++[ \t]+{ARGUMENT})[ \t]+{ARGUMENT}[ \t]+{VALUE}",
        needs=" -",
    ),
    SecretRule(
        "rabbitmqctl",
        "rabbitmqctl",
        rf"rabbitmqctl[ \t]+(?:-{{1,2}}\w+[ \t=]+\S+[ \t]+){{0,6}}(?:add_user|change_password|authenticate_user)[ \t]+(?:--[ \t]+)?{ARGUMENT}[ \t]+{VALUE}",
    ),
    SecretRule(
        "vault", "vault", rf"\bvault[ \t]+(?:login|operator[ \t]+unseal)[ \t]+(?:-[\w=-]+[ \t]+)*{VALUE}", is_field
    ),
    SecretRule(
        "aws configure", "configure", rf"configure[ \t]+set[ \t]+[\w.]*(?:secret_access_key|session_token)[ \t]+{VALUE}"
    ),
    SecretRule("net use", "net", rf"\bnet[ \t]+use\b{further(200)}[ \t]/user:\S+[ \t]+(?!/){VALUE}", needs="/user:"),
    SecretRule(
        "net user", "net", rf"\bnet(?:\.exe)?[ \t]+user[ \t]+{ARGUMENT}[ \t]+(?!/){VALUE}(?=[ \t]+/)", needs=" /"
    ),
    SecretRule("db2", "db2", rf"db2\b{further(200)}[ \t]user[ \t]+\S+[ \t]+using[ \t]+{VALUE}", needs="using"),
    SecretRule("pdftk", "_pw", rf"_pw[ \t]+{VALUE}", needs="pdf"),
    SecretRule("smbclient", "smbclient", rf"smbclient[ \t]+\\*[\"']?//\S+[ \t]+(?!-){VALUE}", needs="//"),
    SecretRule(
        "impacket",
        "psexec smbexec wmiexec atexec secretsdump mssqlclient",
        rf"(?:psexec|smbexec|wmiexec|atexec|secretsdump|mssqlclient)\S{{0,9}}[ \t]{further(200)}[\w.\\-]{{1,60}}:(?P<s>[^\s/@\"']{{1,100}})@",
        needs="@",
    ),
    SecretRule(
        "sqlplus",
        "sqlplus expdp impdp exp imp sqlldr rman",
        rf"(?:sqlplus|expdp|impdp|exp|imp|sqlldr|rman)\s(?:{further(80)}\s)?[\w$#]{{1,60}}/(?P<s>[^\s/@\"']{{1,100}})@",
        needs="@",
    ),
    SecretRule(
        "from-literal",
        "--from-literal",
        r"--from-literal(?:[ \t=]|\\*[\"'],?[ \t]*\\*[\"'])+(?:\\*(?P<quote>[\"'])[\w.-]{1,100}=(?P<q>(?:(?!(?P=quote))[^\n\\]){1,2000})|[\w.-]{1,100}=(?P<s>(?:'[^'\n]{0,2000}'|\"[^\"\n]{0,2000}\"|[^\s\"'\\]){1,2000}))",
    ),
    SecretRule("--secret-string", "--secret-string", rf"--secret-string[ \t=]+{VALUE}"),
    SecretRule(
        "value of a secret",
        "keyvault put-parameter",
        rf"(?:keyvault[ \t]+secret[ \t]+set|put-parameter)\b{further()}[ \t]--value[ \t=]+{VALUE}",
        needs=" -",
    ),
    SecretRule(
        "set a password",
        "setpassword set-initial-password reset-admin-password http-basic saslpasswd",
        rf"(?:set-initial-password|reset-admin-password|http-basic(?:\.\S+)?[ \t]+{ARGUMENT})(?:[ \t]+--?\w\S*)*[ \t]+{VALUE}",
    ),
    SecretRule(
        "pt-tools",
        "pt-",
        rf"\bpt-[\w-]{{2,40}}[ \t]{further()}[ \t,]p=(?P<s>[^\s,\"']{{1,200}})",
        cased=True,
        needs="p=",
    ),
    # Input
    SecretRule("echo into passwd", "echo printf", rf"{_ECHO}{_READS}", needs="|"),
    SecretRule("echo of more into passwd", "echo printf", rf"{_ECHO_MORE}(?:{_READS}|{_TAKES})", needs="|"),
    SecretRule("echo into a login", "echo printf", rf"{_ECHO}{_TAKES}", needs="|"),
    SecretRule(
        "into passwd",
        "chpasswd newusers",
        rf"(?<![\w/:.-])[\w.-]{{1,40}}:(?P<s>[^\s:\"'|]{{1,200}})\\*[\"']?[ \t]*\|[ \t]*{_SUDO}\Z",
        before=True,
        needs="|",
    ),
    SecretRule(
        "string into passwd",
        _READS_AT,
        rf"(?:{_READS}|--password-stdin|--with-token)[^\n|;]{{0,100}}?<<<[ \t]*{_PAIR}",
        needs="<<<",
    ),
    SecretRule(
        "lines into passwd",
        _READS_AT,
        rf"(?:{_READS}|--password-stdin|--with-token)[^\n|;<]{{0,100}}?<<-?[ \t]*\\*[\"']?(?P<end>\w+)\\*[\"']?\s(?P<s>[\s\S]{{1,4000}}?)(?=\s*\b(?P=end)\b|\Z)",
        needs="<<",
    ),
)
