# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets in commands and protocols as they are typed, logged and listed by `ps`."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import VALUE, SecretRule
from switchover_checks.unknown_secrets.secret_words import is_field, is_said

__all__ = ["RULES"]

_MECHANISMS = r"PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|XOAUTH2?|OAUTHBEARER|SCRAM-\S+|GSSAPI|GSS-SPNEGO|NTLM|EXTERNAL|ANONYMOUS|TLS|SSL|[A-Z]+="
_ON = r"\b[^\n|;]{0,300}?[ \t]"
_ECHO = r"(?:echo|printf)(?:[ \t]+-\w+)*[ \t]+\\*[\"']?(?:[\w.-]{1,40}:)?(?P<s>[^\s\"'|\\]{1,200})(?:\\n)?\\*[\"']?[ \t]*\|[ \t]*"
_SUDO = r"(?:sudo[ \t]+(?:-\w+[ \t]+)*)?(?:/usr)?(?:/s?bin/)?"


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
        rf"(?<![\w-])AUTH\\*[\"']?[ \t]+(?!(?:{_MECHANISMS})\b|command|failed|is |was |not )\\*[\"']?[\w.@-]{{1,60}}\\*[\"']?[ \t]+\\*[\"']?(?P<s>[^\s\"'\\]{{1,200}})\\*[\"']?(?=[ \t]*(?:\n|\Z|[\"'\\]))",
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
    SecretRule(
        "mysql -p",
        "mysql maria mycli xtrabackup innobackupex",
        rf"(?:mysql\w{{0,20}}|maria(?:db|backup)[\w-]{{0,20}}|mycli|xtrabackup|innobackupex){_ON}-p(?!assword\b|rotocol\b|ort\b|lugin)(?P<s>(?![ \t=])(?:[^\s\"'\\;|&]|\\.|'[^'\n]{{0,200}}'|\"[^\"\n]{{0,200}}\"){{1,300}})",
        needs=" -",
    ),
    SecretRule(
        "redis-cli -a",
        "redis- valkey-cli keydb-cli",
        rf"(?:redis-cli|redis-benchmark|valkey-cli|keydb-cli){_ON}(?:-a|--pass)[ \t=]+{VALUE}",
        needs=" -",
    ),
    SecretRule(
        "curl -u",
        "curl http xh ab etcdctl",
        r"\b(?:curl|grpcurl|https?|xh|ab|etcdctl)\b[^\n|;]{0,400}?[ \t](?:-\w{0,8}[uaUA]|--(?:proxy-)?user|--auth|--proxy-auth)[ \t=]*(?:\\*(?P<quote>[\"'])[^\s:\"'/\\]{0,80}:(?P<q>(?!//)(?:(?!(?P=quote))[^\n\\]){1,300})|[^\s:\"'/\\]{0,80}:(?P<s>(?!//)[^\s\"'\\]{1,300}))",
        needs=" -",
    ),
    SecretRule("sshpass -p", "sshpass", rf"sshpass\b[^\n|;]{{0,40}}?[ \t]-p[ \t]*{VALUE}", needs=" -"),
    SecretRule(
        "login -p",
        "docker podman nerdctl buildah skopeo helm oras crane az oc heroku cf",
        rf"\b(?:docker|podman|nerdctl|buildah|skopeo|helm(?:[ \t]+registry)?|oras|crane|az|oc|heroku|cf)[ \t]+(?:[\w-]+[ \t]+)?login{_ON}-p[ \t]*{VALUE}",
        needs=" -",
    ),
    SecretRule(
        "-p",
        "mongo cqlsh rdesktop ftp clickhouse-client influx vncviewer psexec beeline",
        rf"\b(?:mongo\w{{0,10}}|cqlsh|rdesktop|l?ftp|ncftp|clickhouse-client|influx|vncviewer|psexec|beeline){_ON}-p[ \t]*{VALUE}",
        needs=" -",
    ),
    SecretRule(
        "-P",
        "sqlcmd bcp osql isql tsql mosquitto_ ipmitool zip",
        rf"(?:sqlcmd|bcp|osql|isql|tsql|mosquitto_(?:pub|sub|rr)|ipmitool|zip|zipcloak){_ON}-P[ \t]*{VALUE}",
        cased=True,
        needs=" -",
    ),
    SecretRule(
        "-w",
        "ldap vsql",
        rf"(?:ldap(?:search|modify|add|delete|passwd|whoami|modrdn|compare)|vsql){_ON}-w[ \t]*{VALUE}",
        cased=True,
        needs=" -",
    ),
    SecretRule("7z -p", "7z rar", rf"\b(?:7z[ar]?|rar|unrar){_ON}-h?p(?=\S){VALUE}", needs=" -"),
    SecretRule("plink -pw", "plink pscp psftp putty", rf"(?:plink|pscp|psftp|putty){_ON}-pw[ \t]+{VALUE}", needs=" -"),
    SecretRule("freerdp", "freerdp", rf"freerdp{_ON}/p:{VALUE}", needs="/p:"),
    SecretRule("-U user%", "-u --user", rf"(?:-U[ \t]*|--user[ \t=]+)[^\s%]{{1,60}}%{VALUE}", cased=True, needs="%"),
    SecretRule("smbclient", "smbclient", rf"smbclient[ \t]+\\*[\"']?//\S+[ \t]+(?!-){VALUE}", needs="//"),
    SecretRule("snmp -A", "snmp", rf"snmp\w{{2,12}}{_ON}-A[ \t]+{VALUE}", cased=True, needs=" -"),
    SecretRule("snmp -X", "snmp", rf"snmp\w{{2,12}}{_ON}-X[ \t]+{VALUE}", cased=True, needs=" -"),
    SecretRule("snmp -c", "snmp", rf"snmp\w{{2,12}}{_ON}-c[ \t]+{VALUE}", cased=True, needs=" -"),
    SecretRule("ftp -u", "ftp", rf"ftp{_ON}-u[ \t]*[^\s,/:]{{1,60}},{VALUE}", needs=" -"),
    SecretRule("ssh-keygen", "ssh-keygen", rf"ssh-keygen{_ON}-[NP][ \t]*{VALUE}", cased=True, needs=" -"),
    SecretRule("useradd -p", "useradd usermod", rf"user(?:add|mod){_ON}-p[ \t]*{VALUE}", cased=True, needs=" -"),
    SecretRule("pdftk", "_pw", rf"_pw[ \t]+{VALUE}", needs="pdf"),
    SecretRule("wpa_passphrase", "wpa_passphrase", rf"wpa_passphrase[ \t]+\S+[ \t]+{VALUE}"),
    SecretRule("db2", "db2", rf"db2\b[^\n|;]{{0,200}}?[ \t]user[ \t]+\S+[ \t]+using[ \t]+{VALUE}", needs="using"),
    SecretRule(
        "impacket",
        "psexec smbexec wmiexec atexec secretsdump mssqlclient",
        r"(?:psexec|smbexec|wmiexec|atexec|secretsdump|mssqlclient)\S{0,9}[ \t][^\n|;]{0,200}?[\w.\\-]{1,60}:(?P<s>[^\s/@\"']{1,100})@",
        needs="@",
    ),
    SecretRule(
        "htpasswd -b",
        "htpasswd",
        rf"htpasswd\b[^\n|;]{{0,60}}?[ \t]-\w*b\w*[ \t]+(?:-\w+[ \t]+)*(?:\S+[ \t]+){{1,2}}?(?=[^\s\"'\\]+[ \t]*(?:\Z|[\n|;&\"'\\])){VALUE}",
        needs=" -",
    ),
    SecretRule(
        "rabbitmqctl",
        "rabbitmqctl",
        rf"rabbitmqctl[ \t]+(?:-\w+[ \t]+\S+[ \t]+)?(?:add_user|change_password|authenticate_user)[ \t]+\S+[ \t]+{VALUE}",
    ),
    SecretRule(
        "vault", "vault", rf"\bvault[ \t]+(?:login|operator[ \t]+unseal)[ \t]+(?:-[\w=-]+[ \t]+)*{VALUE}", is_field
    ),
    SecretRule(
        "openssl",
        "openssl",
        rf"openssl\b(?:[^\n|;]{{0,300}}?[ \t]-pass(?:in|out)?[ \t]+\\*[\"']?pass:|[ \t]+(?:enc|aes\S*)\b[^\n|;]{{0,300}}?[ \t]-k[ \t]+){VALUE}",
        needs=" -",
    ),
    SecretRule(
        "aws configure", "configure", rf"configure[ \t]+set[ \t]+[\w.]*(?:secret_access_key|session_token)[ \t]+{VALUE}"
    ),
    SecretRule("net use", "net", rf"\bnet[ \t]+use\b[^\n|;]{{0,200}}?[ \t]/user:\S+[ \t]+(?!/){VALUE}", needs="/user:"),
    SecretRule(
        "sqlplus",
        "sqlplus expdp impdp exp imp sqlldr rman",
        r"(?:sqlplus|expdp|impdp|exp|imp|sqlldr|rman)\s(?:[^\n|;]{0,80}?\s)?[\w$#]{1,60}/(?P<s>[^\s/@\"']{1,100})@",
        needs="@",
    ),
    SecretRule(
        "echo into passwd", "echo printf", rf"{_ECHO}{_SUDO}(?:chpasswd|passwd[ \t]+--stdin|cryptsetup)", needs="|"
    ),
    SecretRule(
        "echo into a login",
        "echo printf",
        rf"{_ECHO}[^\n|;]{{1,100}}?--(?:password-stdin|with-token|passphrase-fd)\b",
        needs="|",
    ),
    SecretRule("echo into sudo", "echo printf", rf"{_ECHO}sudo[ \t]+(?:-\w+[ \t]+)*-S\b", needs="|"),
)
