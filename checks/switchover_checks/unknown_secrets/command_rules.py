# ruff: noqa: E501 - a pattern reads best in one line
"""Secrets behind options of commands, as these are typed, logged and listed by `ps`."""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_rule import VALUE, SecretRule, further

__all__ = ["RULES"]

_LOGINS = "docker podman nerdctl buildah skopeo helm oras crane az oc heroku cf argocd faas-cli"
_SMALL_P = (
    "mongo cqlsh rdesktop ftp lftp clickhouse-client influx vncviewer psexec beeline rabbitmqadmin cypher-shell mydumper"
    " myloader innotop mytop couchbase-cli cbbackupmgr cbimport cbexport cbq hydra medusa crackmapexec netexec"
    " evil-winrm twine elasticsearch-users isql-fb yt-dlp youtube-dl check_mysql check_pgsql check_ftp doveadm jfrog"
    " winexe cadaver megatools nexus ncftp arangosh"
)
_CAPITAL_P = (
    "sqlcmd bcp osql isql fisql tsql mosquitto_ ipmitool zip unzip bsqldb freebcp check_ldap check_mssql ssh-keygen"
)


def _any(programs: str) -> str:
    """Return a pattern for the whole name of any of the programs."""
    return rf"(?:{'|'.join(programs.split())})[\w.-]{{0,20}}+{further()}[ \t]"


def _option(name: str, programs: str, option: str, signs: str = "", *, cased: bool = True) -> SecretRule:
    """Return a rule for the value of an option that means a secret only with some programs."""
    return SecretRule(
        name, signs or programs, rf"(?<![A-Za-z]){_any(programs)}{option}{VALUE}", cased=cased, needs=" -"
    )


RULES = (
    SecretRule(
        "mysql -p",
        "mysql maria mycli xtrabackup innobackupex mydumper",
        rf"(?:mysql\w{{0,20}}|maria(?:db|backup)[\w-]{{0,20}}|mycli|xtrabackup|innobackupex|mydumper){further()}[ \t]-p(?!assword\b|rotocol\b|ort\b|lugin)(?P<s>(?![ \t=])(?:[^\s\"'\\;|&]|\\.|'[^'\n]{{0,200}}'|\"[^\"\n]{{0,200}}\"){{1,300}})",
        needs=" -",
    ),
    SecretRule(
        "curl -u",
        "curl http xh ab etcdctl hey siege solr check_http jenkins-cli",
        rf"\b(?:curl|grpcurl|https?|xh|ab|etcdctl|hey|siege|solr|check_http|jenkins-cli(?:\.jar)?)\b{further(400)}[ \t](?:-\w{{0,8}}[uaUAE]|-auth|--(?:proxy-)?user|--auth|--proxy-auth|--cert)[ \t=]*(?:\\*(?P<quote>[\"'])[^\s:\"'/\\]{{0,80}}:(?P<q>(?!//)(?:(?!(?P=quote))[^\n\\]){{1,300}})|[^\s:\"'/\\]{{0,80}}:(?P<s>(?!//)[^\s\"'\\]{{1,300}}))",
        needs=" -",
    ),
    SecretRule(
        "curl -b",
        "curl",
        rf"\bcurl\b{further(400)}[ \t](?:-b|--cookie)[ \t=]*(?:\\*(?P<quote>[\"'])(?P<q>[\w.%-]{{1,100}}=(?:(?!(?P=quote))[^\n\\]){{1,2000}})|(?P<s>[\w.%-]{{1,100}}=[^\s\"'\\]{{1,2000}}))",
        cased=True,
        needs=" -",
    ),
    _option("redis-cli -a", "redis-cli redis-benchmark valkey- keydb-cli", r"(?:-a|--pass)[ \t=]+"),
    _option("sshpass -p", "sshpass", r"-p[ \t]*"),
    SecretRule(
        "login -p",
        _LOGINS,
        rf"\b(?:{'|'.join(_LOGINS.split())})[ \t]+(?:[\w-]+[ \t]+)?login\b{further()}[ \t]-p[ \t]*{VALUE}",
        needs=" -",
    ),
    _option("-p", _SMALL_P, r"-p[ \t]*"),
    _option("-P", _CAPITAL_P, r"-P[ \t]*"),
    _option("-w", "ldap vsql security", r"-w[ \t]*"),
    _option("-s", "ldappasswd slappasswd", r"-[sa][ \t]+"),
    _option("7z -p", "7z rar unrar", r"-h?p(?=\S)", cased=False),
    _option("plink -pw", "plink pscp psftp putty nodetool", r"-pw[ \t]+"),
    SecretRule("freerdp", "freerdp", rf"freerdp\b{further()}[ \t]/p:{VALUE}", needs="/p:"),
    SecretRule(
        "-U user%",
        "-u --user",
        rf"(?:-U[ \t]*|--user[ \t=]+)(?:\\*[\"'])?[^\s%\"']{{1,60}}%{VALUE}",
        cased=True,
        needs="%",
    ),
    _option("snmp -A", "snmp", r"-[AX][ \t]+"),
    _option("snmp -c", "snmp check_snmp", r"-[cC][ \t]+"),
    SecretRule("ftp -u", "ftp", rf"ftp\b{further()}[ \t]-u[ \t]*[^\s,/:]{{1,60}},{VALUE}", needs=" -"),
    _option("ssh-keygen", "ssh-keygen", r"-N[ \t]*"),
    _option("useradd -p", "useradd usermod", r"-p[ \t]*"),
    _option("memcached -Y", "memcached", r"-Y[ \t]*(?![./~])"),
    _option("stunnel --key", "stunnel", r"--?key[ \t=]+(?![./~])"),
    _option("swaks -ap", "swaks sendemail", r"-(?:ap|xp)[ \t]+", "swaks sendemail sendEmail"),
    _option("x11vnc", "x11vnc vncserver", r"-passwd[ \t]+"),
    _option("keytool", "keytool jarsigner", r"-(?:store|key|src|dest|new)\w{0,12}pass[ \t]+"),
    _option("gbak -pas", "gbak gfix gsec nbackup", r"-(?:pas|pw)\w{0,6}[ \t]+"),
    _option("openssl -k", "openssl", r"-(?:[kK]|hmac)[ \t]+"),
    SecretRule(
        "openssl",
        "openssl",
        rf"openssl\b{further()}[ \t]-pass(?:in|out)?[ \t]+\\*[\"']?(?!(?:env|file|fd):|stdin\b)(?:pass:|(?!pass:)){VALUE}",
        needs=" -",
    ),
    _option(
        "dig -y",
        "dig nsupdate drill delv",
        r"-y[ \t]*\\*[\"']?(?:hmac-[\w-]{1,20}:|(?!hmac-[\w-]{1,20}:))[\w.-]{1,80}:",
    ),
)
