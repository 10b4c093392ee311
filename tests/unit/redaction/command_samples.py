"""Secrets that commands are given. In each sample the secret stands between « and »."""

from __future__ import annotations

__all__ = ["COMMANDS"]

COMMANDS: dict[str, tuple[str, ...]] = {
    "qpdf user and owner": (
        "qpdf --encrypt «userPw1» «ownerPw1» 256 -- in.pdf out.pdf",
        "qpdf --linearize --encrypt «hunter2» «swordfish» 128 -- a b",
        "qpdf --encrypt '' «hunter2» 256 -- a b",
    ),
    "isql": (
        "isql shop bob «hunter2»",
        "isql -v shop bob «hunter2» -b",
        "iusql DSN ann «hunter2»",
    ),
    "iwconfig": (
        "iwconfig wlan0 key «s:hunter2»",
        "iwconfig wlan0 essid home key «1234567890»",
        "iwconfig wlan0 key restricted «s:hunter2»",
        "iw dev wlan0 connect home key 0:«hunter»",
    ),
    "key of a network": (
        "nmcli con modify home wifi-sec.psk «hunter2hunter2»",
        "ifconfig wi0 nwkey «0x1234567890»",
    ),
    "stunnel --key": ("stunnel --key «hunter2»",),
    "memcached -Y": (
        "memcached -Y «hunter2»",
        "memcached -m 64 -Y «hunter2» -p 11211",
    ),
    "input of chpasswd": (
        "bob:«hunter2» | chpasswd",
        "chpasswd <<< 'bob:«hunter2»'",
        'echo "bob:«hunter2»" | chpasswd -e',
        "printf «'bob:%s\\n' hunter2» | chpasswd",
        "printf «'bob:hunter2\\nann:swordfish\\n'» | chpasswd",
        "chpasswd <<EOF\n«bob:hunter2\nann:swordfish»\nEOF",
        "docker login -u bob --password-stdin <<< «hunter2»",
        "sudo chpasswd <<< bob:«hunter2»",
    ),
    "openssl": (
        "openssl genrsa -aes256 -passout pass:«hunter2» 2048",
        "openssl enc -aes-256-cbc -k «hunter2» -in a",
        "openssl rsa -passin «hunter2» -in k",
        "openssl dgst -hmac «hunter2» a",
    ),
    "htpasswd -b": (
        "htpasswd -nb u «hunter2»",
        "htpasswd -nbBC 10 u «hunter2»",
        "htpasswd -bBC 10 f u «hunter2»",
        "htpasswd -b f u «hunter2» took 3 ms",
    ),
    "rabbitmq": (
        "rabbitmqctl -n rabbit@h add_user u «hunter2»",
        "rabbitmqadmin -u u -p «hunter2» list queues",
        "rabbitmqctl change_password u «hunter2»",
    ),
    "from-literal": (
        "kubectl create secret generic x --from-literal=key=«hunter2»",
        "kubectl create secret generic x --from-literal a=«hunter2» --from-literal b=«swordfish»",
        "kubectl create secret generic x --from-literal='a=«hunter 2»'",
    ),
    "curl -b": (
        "curl -b '«sid=abc; x=y»' https://x.example",
        "curl --cookie «sid=abcdef» https://x.example",
    ),
    "behind quotes in which a command seems to end": (
        "curl -H 'X: a;b' -u bob:«hunter2» https://x.example",
        "redis-cli -h 'a;b' -a «hunter2»",
        "ldapsearch -b 'ou=a|b;c' -D 'cn=x' -w «hunter2»",
        "mongosh 'mongodb://h;x' -u bob -p «hunter2»",
        "docker login -u 'a|b' -p '«x;y|z»'",
        'mysql -e "select 1; select 2 | 3" -u root -p«hunter2» shop',
        "snmpwalk -v3 -u 'a;b' -A «hunter2» h",
        "openssl rsa -in 'a;b' -passin pass:«hunter2»",
        "sshpass -p '«a;b|c»' ssh x",
    ),
    "more options": (
        "vncserver -passwd «hunter2»",
        "swaks -au bob -ap «hunter2»",
        "ldappasswd -x -s «hunter2» cn=bob",
        "slappasswd -s «hunter2»",
        "keytool -list -storepass «hunter2»",
        "gbak -b -user sysdba -pas «masterkey» a b",
        "nodetool -u bob -pw «hunter2» status",
        "dig -y hmac-sha256:name:«c2VjcmV0c2VjcmV0» axfr x",
        "hydra -l bob -p «hunter2» ssh://h",
        "check_ldap -H h -P «hunter2»",
        "aws secretsmanager put-secret-value --secret-string «hunter2»",
        "aws ssm put-parameter --name x --value «hunter2» --type SecureString",
        "az keyvault secret set --vault-name v -n x --value «hunter2»",
        "net user bob «hunter2» /add",
        "neo4j-admin dbms set-initial-password «hunter2»",
        "grafana-cli admin reset-admin-password «hunter2»",
        "composer config http-basic.repo.example bob «hunter2»",
        "pt-table-sync h=db,u=root,p=«hunter2»",
        "hey -a bob:«hunter2» https://x.example",
    ),
}
