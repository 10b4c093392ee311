"""Secrets in addresses, connection strings and files. In each sample the secret stands between « and »."""

from __future__ import annotations

__all__ = ["ADDRESSES"]

ADDRESSES: dict[str, tuple[str, ...]] = {
    "hooks": (
        "https://hooks.zapier.com/hooks/catch/«123456/abcdef/»",
        "https://discord.com/api/webhooks/123456789012345678/«abcdefghijklmnopqrstuvwxyz-ABCDEF»",
        "https://outlook.office.com/webhook/«abcd-1234-5678/IncomingWebhook/abcdef1234/xyz»",
        "https://open.feishu.cn/open-apis/bot/v2/hook/«abcdefab-1234-1234»",
        "https://mattermost.example/hooks/«abcdefghijklmnopqrstuvwxyz»",
        "https://hc-ping.com/«0f3c8a9b-2d4e-4abc-9def-0123456789ab»",
        "https://events.pagerduty.com/integration/«0123456789abcdef0123456789abcdef»/enqueue",
        "https://api.telegram.org/bot123456789:«AAabcdefghijabcdefghijabcdefghijabc»/sendMessage",
        "https://maker.ifttt.com/trigger/x/with/key/«abcDEF0123456789xyz»",
    ),
    "key in an address": (
        "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=«abcdefg»&token=«hijklmn»",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=«abcdefab-1234-1234»",
    ),
    "connection strings": (
        "jdbc:sqlserver://h:1433;databaseName=x;user=sa;password=«hunter2»;encrypt=true",
        "jdbc:sqlserver://h;user=sa;password={«hunter;2»};encrypt=true",
        "Server=h;Uid=u;Pwd=«hunter2»;",
        "Data Source=h;User ID=u;Password='«hunter 2»';",
        "Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey=«abcdefgABCDEFG0123=»",
        "SharedAccessSignature=«sv=2020»&sig=abc",
        "jdbc:db2://h:50000/x:user=u;password=«hunter2»;",
        "jdbc:postgresql://h/db?user=u&password=«hunter2»",
    ),
    "more files": (
        "10.0.0.1:5432:db:u:«hunter2»",
        "machine h\n  login u\n  password «hunter2»",
        "WPAPSK=«hunter2hunter2»",
    ),
    "more tokens": (
        "«1//0gabcdefghijklmnopqrstuvwxyz-L9IrAbCdEfGhIjKlMnOp»",
        "azure abC8«Q~abcdefghijklmnopqrstuvwxyz0123456»",
        "mailgun «key-0123456789abcdef0123456789abcdef»",
        "«pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw»",
        "«xapp-1-A0123456789-1234567890123-abcdef0123»",
        "«whsec_4eC39HqLyjWDarjtT1zdp7dc»",
        "«GOCSPX-abcdefghijklmnopqrstuvwxyz12»",
    ),
}
