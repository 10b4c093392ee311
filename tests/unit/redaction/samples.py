"""What people, programs and protocols write of secrets.

In each sample the secret stands between « and »; `plain` takes the signs away, `hidden` puts the mark there.
"""

from __future__ import annotations

import base64
import re

from tests.unit.redaction.address_samples import ADDRESSES
from tests.unit.redaction.command_samples import COMMANDS

SAMPLES: dict[str, tuple[str, ...]] = {
    **COMMANDS,
    **ADDRESSES,
    "private key": (
        "-----BEGIN RSA PRIVATE KEY-----«\nMIIEpAIBAAKCAQEA7bq+/x\nQ2x3\n»-----END RSA PRIVATE KEY-----",
        "key: -----BEGIN OPENSSH PRIVATE KEY-----« b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA»",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----«\nlQOYBF\n»-----END PGP PRIVATE KEY BLOCK-----",
    ),
    "a line of a private key": ("«b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABlwAAAAdz»",),
    "address": (
        '{"url":"postgres:\\/\\/u:«hunter2»@db\\/shop"}',
        "postgresql://shop:«hunter2»@db.example:5432/shop",
        "redis://:«hunter2»@cache:6379/0",
        "amqp://guest:«p@ss:w/ord»@mq/",
        "mongodb+srv://root:«Tr0ub4dor&3»@cluster0.example.net/?retryWrites=true",
        "cloning https://oauth2:«hunter2»@git.example/x.git failed",
        "mysql+pymysql://root:«swordfish»@127.0.0.1/shop",
        'dsn="postgres://u:«hunter2»@h/d"',
        "ftp://bob:«hunter2»@files.example/",
    ),
    "address of Oracle": ("jdbc:oracle:thin:scott/«tiger»@//db:1521/x", "sqlplus -s scott/«tiger»@orcl"),
    "address of MySQL": ("root:«hunter2»@tcp(127.0.0.1:3306)/shop?parseTime=true",),
    "signed address": (
        "https://x.example/b?sv=2020&sig=«aBcD%2Fefgh%3D1234»&se=2030",
        "?X-Amz-Signature=«0f3c8a0f3c8a»&x=1",
    ),
    "hook": ("POST https://hooks.slack.com/services/«T00000000/B00000000/XXXXabcdXXXXabcd» 200",),
    "authorization": (
        "Authorization: Basic «c2hvcDpodW50ZXIy»",
        "> authorization: Bearer «abc.def-ghi»",
        '{"Authorization": "Bearer «abcdef»"}',
        "{'authorization': 'Token «abcdef0123»'}",
        "Proxy-Authorization: Negotiate «YIIabc123»",
        "Authorization: AWS4-HMAC-SHA256 «Credential=AKIAIOSFODNN7EXAMPLE/20200101, Signature=fe5f80»",
        "Authorization: «hunter2»",
    ),
    "bearer": ("sent with Bearer «mF_9.B5f-4.1JqM» to the API", "bearer «swordfish»"),
    "basic": ("scheme Basic «c2hvcDpodW50ZXIy», realm x",),
    "cookie": ("Set-Cookie: «sid=31d4d96e407aad42; Path=/; HttpOnly»", "Cookie: «session=abc; theme=dark»"),
    "field": (
        "PGPASSWORD=«hunter2» psql -h db",
        "export DB_PASSWORD='«hunter 2»'",
        "passphrase=«correct-horse»",
        "api-key=«hunter2»",
        "X-Api-Key: «hunter2»",
        "credential: «hunter2»",
        "private_key=«hunter2»",
        "token=«hunter2», user=bob",
        "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        '{"password": "«hunter2»", "user": "bob"}',
        '{\\"password\\": \\"«hunter2»\\", \\"user\\": 1}',
        "{'db_password': '«hunter2»'}",
        "password: «swordfish»",
        "password : «hunter2»",
        "Password = «a,b;c&d»",
        "Server=db;User Id=sa;Password=«P@ssw0rd»;Encrypt=true",
        "host=db user=bob password=«hunter2» dbname=shop",
        "https://x.example/login?user=bob&password=«hunter2»&next=/",
        "userPassword=«hunter2»",
        "spring.datasource.password=«hunter2»",
        "smtpPass: «hunter2»",
        "MYSQL_PWD=«hunter2»",
        "REDISCLI_AUTH=«hunter2»",
        "//registry.example/:_authToken=«abcdef»",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«abc/def+0==»;EndpointSuffix=core",
        "client_secret => «hunter2»",
        "jwt_secret := «hunter2»",
        'password="«unfinished',
        "ansible_become_password=«hunter2»",
        "vault kv put secret/x db_password=«hunter2»",
        "helm install x --set auth.password=«hunter2»",
        "kubectl create secret generic x --from-literal=password=«hunter2»",
        "config.vm.secret_key_base: «0f3c8a0f3c8a»",
    ),
    "pair": ("('token', '«hunter2»')", '(b"x-api-key", b"«hunter2»")', '["password", "«hunter2»"]'),
    "option": (
        "clickhouse-client --password «hunter2» -q x",
        "wget --http-password=«hunter2» http://x",
        "gpg --batch --passphrase «hunter2» -c x",
        "app -password «hunter2» run",
        "gh --token «hunter2»",
        "docker login --password '«hunter 2»' -u bob",
        "s3cmd --secret_key=«hunter2» ls",
        "plink -pw «hunter2» host",
    ),
    "more fields": (
        "docker run -e MYSQL_ROOT_PASSWORD=«hunter2» -p 3306:3306 mysql",
        "java -Dspring.datasource.password=«hunter2» -jar x.jar",
        'sasl.jaas.config=org.x.PlainLoginModule required username="bob" password="«hunter2»";',
        "x-amz-security-token: «FwoGZXIvYXdz»",
        "refresh_token=«abcdef»&grant_type=refresh_token",
        '"auth": "«c2hvcDpodW50ZXIy»"',
        "client-key-data: «LS0tLS1CRUdJTg==»",
        "PresharedKey = «abcdefg=»",
        "psk=«hunter2»",
        "rootpw «hunter2»",
        "olcRootPW: «hunter2»",
        "bindpw «hunter2»",
        "userPassword:: «aHVudGVyMg==»",
        "sentinel auth-pass mymaster «hunter2»",
        "PASSWORD='«hunter2»' ./run.sh",
        "TF_VAR_db_password=«hunter2» terraform apply",
        "otpauth://totp/x?secret=«JBSWY3DPEHPK3PXP»&issuer=y",
        "mysql --password=«hunter2» -u root",
        "mysql -u root --password '«hunter 2»'",
        "psql \"host=db password='«hunter 2»' user=bob\"",
        "kennwort: «hunter2»",
        "password -> «hunter2»",
        "HELLO 3 AUTH default «hunter2»",
        'secret "«aGVsbG8gd29ybGQ=»";',
        "echo «hunter2» | docker login -u bob --password-stdin",
        "with password («hunter2»)",
        "user bob pass «hunter2-Xyz»",
    ),
    "XML": ("<password>«hunter2»</password>", '<wsse:Password Type="x">«hunter2»</wsse:Password>'),
    "name and value": ('{"name": "DB_PASSWORD", "value": "«hunter2»"}', "- name: DB_PASSWORD\n  value: «hunter2»"),
    "said of a password": (
        "the new password is «hunter2»",
        "password for user bob is '«hunter2»'",
        "root password was set to «hunter2»",
        "password is now «swordfish».",
        "temporary password for root@localhost is: «hunter2»",
    ),
    "after a password": (
        "SMTP password «hunter2»",
        "connecting with password «hunter2»",
        "with password «swordfish»",
        "using password '«hunter2»'",
        "machine h login bob password «hunter2»",
        'user bob password "«hunter 2»"',
        "passphrase «correct-horse» accepted",
        "default password «Changeme1»",
    ),
    "changed to": ("password of bob changed to '«hunter2»'",),
    "said of a key": (
        "using token «0f3c8a9b2d4e»",
        "API key «AbCdEf012345678»",
        "Unseal Key 1: «QzlITW5kZTlkZm9xTk1zZE9zZnI=»",
        "access token is «abcd-1234-efgh»",
    ),
    "credentials": ("with credentials bob:«hunter2»", "login as bob/«hunter2»"),
    "requirepass": ("requirepass «hunter2»", 'CONFIG SET requirepass "«hunter2»"', "masterauth «hunter2»"),
    "AUTH": (
        "AUTH «hunter2»",
        '1339518083.1 [0 127.0.0.1:60866] "AUTH" "«hunter2»"',
        "*2\r\n$4\r\nAUTH\r\n$7\r\n«hunter2»\r\n",
    ),
    "AUTH with a user": ("AUTH «bob» «hunter2»", '"AUTH" "«bob»" "«hunter2»"'),
    "AUTH of mail": ("C: AUTH PLAIN «AGJvYgBodW50ZXIy»",),
    "PASS": ("> PASS «hunter2»", "12:00:01 C: PASS «hunter2»"),
    "IMAP": ("a1 LOGIN bob «hunter2»",),
    "ACL": ("ACL SETUSER bob on >«hunter2» ~* +@all",),
    "mysql -p": (
        "mysql -u root -p«hunter2» shop",
        "mysqldump --single-transaction -p«hunter2» shop > x.sql",
        "mysqladmin -p«hunter2» ping",
        "mariadb -p«hunter2»",
    ),
    "-a": ("redis-cli -h x -a «hunter2» ping", "redis-cli --pass «hunter2»"),
    "-u user:": (
        "curl -u bob:«hunter2» https://x.example",
        "curl -sfu 'bob:«hunter2»' https://x.example",
        "curl --user bob:«hunter2» x",
        "curl -x http://p:1 --proxy-user bob:«hunter2» x",
        "etcdctl --user root:«hunter2» get x",
        "http -a bob:«hunter2» x.example",
    ),
    "-p": (
        "sshpass -p «hunter2» ssh host",
        "sshpass -p'«hunter 2»' ssh host",
        "docker login -u bob -p «hunter2» registry.example",
        "mongosh -u bob -p «hunter2» --host x",
        "sqlcmd -S db -U sa -P «hunter2»",
        "ldapsearch -x -D cn=admin -w «hunter2» -b dc=x",
        "7z a -p«hunter2» x.7z y",
        "smbclient //h/s -U bob%«hunter2»",
        "openssl rsa -in k -passin pass:«hunter2»",
        "htpasswd -bc f bob «hunter2»",
        "rabbitmqctl add_user bob «hunter2»",
        "vault login «hvs-x»",
        "aws configure set aws_secret_access_key «wJalrXUtnFEMI»",
        "xfreerdp /u:bob /p:«hunter2» /v:h",
        "snmpwalk -v3 -u bob -A «hunter2» h",
        "net use x: /user:bob «hunter2»",
        "mosquitto_pub -u bob -P «hunter2» -t x",
    ),
    "chpasswd": ("echo bob:«hunter2» | chpasswd", "echo '«hunter2»' | sudo passwd --stdin bob"),
    "sudo -S": ("echo «hunter2» | sudo -S ls",),
    "IDENTIFIED BY": (
        "CREATE USER 'bob'@'%' IDENTIFIED BY '«hunter2»'",
        "ALTER USER bob IDENTIFIED WITH mysql_native_password BY '«hunter2»';",
        "create user bob identified by «hunter2»",
        "GRANT ALL ON *.* TO x IDENTIFIED BY PASSWORD '«*6C8989366EAF75BB»'",
    ),
    "PASSWORD of SQL": (
        "ALTER ROLE bob WITH LOGIN PASSWORD '«hunter2»'",
        "CREATE USER bob ENCRYPTED PASSWORD '«it''s»'",
        "SET PASSWORD FOR 'bob'@'%' = PASSWORD('«hunter2»')",
        "CREATE LOGIN bob WITH PASSWORD = N'«hunter2»'",
        "ALTER USER bob PASSWORD «$$hunter2$$»",
    ),
    "crypt": ("crypt('«hunter2»', gen_salt('bf'))",),
    "cloud key": ("found «AKIAIOSFODNN7EXAMPLE» in the log", "«ASIAIOSFODNN7EXAMPLE»"),
    "token of three parts": ("got «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN», fine",),
    "token by its beginning": (
        "«glpat-0123456789abcdefghij»",
        "pushed with «ghp_0123456789abcdefghijABCDEFGHIJ012345»",
        "«xoxb-123456789012-abcdefGHIJ»",
        "«sk_live_0123456789abcdefABCD»",
        "«npm_0123456789abcdefghijABCDEFGHIJ012345»",
        "«hvs.CAESIJ0123456789abcdef»",
        "«AIzaSyA0123456789abcdefghijABCDEFGHIJ0»",
        "«github_pat_11ABCDEFG0abcdefghij_0123»",
    ),
    "token of a bot": ("bot 123456789:«AAabcdefghijabcdefghijabcdefghijabc» started",),
    "hash of a password": (
        "root:«$6$rounds=5000$salt1234$abcdefghijklmnopqrstuvwx»:19000:0:99999:7:::",
        "«SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$abcdefgh:ijkl»",
        "«$2y$10$abcdefghijklmnopqrstuuvwxyzabcdefghij»",
        "«{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3»",
    ),
    "line of .pgpass": ("db.example:5432:shop:bob:«hunter2»", "*:*:shop:bob:«hunter2»"),
    "-U user%": (
        "smbclient -U ann%«hunter2» //nas/share",
        "rpcclient -U 'corp/ann%«hunter2»' dc",
        "net ads join -U admin%«hunter2»",
        "smbclient //nas/share --user=ann%«hunter2»",
    ),
    "smbclient": ("smbclient //nas/share «hunter2» -U ann",),
    "snmp -X": ("snmpget -v3 -l authPriv -u ann -X «hunter2hunter2» switch",),
    "snmp -c": ("snmpwalk -v2c -c «hunter2» switch",),
    "ftp -u": ("lftp -u ann,«hunter2» sftp://files",),
    "ssh-keygen": ("ssh-keygen -t ed25519 -N «hunter2» -f key", "ssh-keygen -y -P «hunter2» -f key"),
    "useradd -p": ("usermod -p «hunter2» ann", "useradd -m -p «hunter2» ann"),
    "pdftk": ("pdftk a.pdf input_pw «hunter2» output b.pdf",),
    "wpa_passphrase": ("wpa_passphrase home «hunter2hunter2»",),
    "db2": ("db2 connect to shop user ann using «hunter2»",),
    "impacket": ("impacket-psexec corp/ann:«hunter2»@10.0.0.1", "secretsdump.py ann:«hunter2»@dc"),
    "unzip -P": ("unzip -P «hunter2» a.zip", "fisql -U ann -P «hunter2»"),
    "beeline": ("beeline -u jdbc:hive2://h -n ann -p «hunter2»",),
    "token in an address": ("git clone https://«x7Fq2mPz9LwKc4Tn8RvB»@git.example/x.git",),
}


def plain(sample: str) -> str:
    return re.sub("[«»]", "", sample)


def secrets_of(sample: str) -> list[str]:
    return re.findall("«([^»]*)»?", sample)


def hidden(sample: str) -> str:
    return re.sub("«[^»]*»?", "(secret)", sample)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def has_an_end(sample: str) -> bool:
    """Whether what follows is no longer the secret: a private key without its last line goes on."""
    return "-----BEGIN" not in sample or "-----END" in sample
