"""`gatus`: what a status page watches. Each endpoint becomes a check, its alerts become alerts."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from switchover.importing.gatus_conditions import NotCarriedError, translate
from switchover.importing.goss_network_resources import host_and_port
from switchover.importing.import_api import ImportFormat
from switchover.importing.plan_draft import PlanDraft, duration, each_of, names_a_secret, seconds
from switchover.importing.source_keys import Source

__all__ = ["GatusImport"]

_KINDS = {
    "http": "http",
    "https": "http",
    "tcp": "tcp",
    "tls": "tls",
    "starttls": "tls",
    "icmp": "command",
    "dns": "dns",
    "ssh": "tcp",
}
_USUAL_PORTS = {"ssh": 22}


class GatusImport(ImportFormat):
    """Reads a configuration of Gatus."""

    kind: ClassVar[str] = "gatus"

    def fits(self, root: Source) -> bool:
        """Say whether it has endpoints."""
        return root.get("endpoints") is not None

    def read(self, root: Source, draft: PlanDraft) -> None:
        """Add a check for each endpoint."""
        for section in root.children():
            if section.name != "endpoints":
                section.leave("only `endpoints` are carried")
                continue
            for endpoint in each_of(section):
                if endpoint.text("enabled") == "false":
                    endpoint.leave("it is not enabled there")
                elif endpoint.text("url"):
                    _Endpoint(endpoint, draft).add()
                else:
                    endpoint.leave("it has no url")


class _Endpoint:
    """One endpoint on its way to a check."""

    def __init__(self, source: Source, draft: PlanDraft) -> None:
        self.source = source
        self.draft = draft
        self.carried: list[Source | None] = [source.get("enabled")]
        self.check: dict[str, Any] = {}

    def add(self) -> None:
        url = self.source.text("url")
        scheme = "dns" if self.source.get("dns") is not None else url.partition("://")[0].lower()
        kind = _KINDS.get(scheme)
        filled = self.draft.fill_in(url)
        if kind is None or "://" not in url + ("://" if scheme == "dns" else ""):
            self.source.leave(f"there is no check for {scheme}://")
            return
        if filled is None:
            self.source.leave("its url holds a template or a ${…} of another form")
            return
        if not self._address(scheme, kind, filled):
            self.source.leave("its address cannot be read")
            return
        self._common()
        if kind == "http":
            self._request()
        expect = self._conditions(kind, scheme)
        if scheme == "ssh":
            expect.append("text matches '^SSH-'")
        self.check["expect"] = expect or None
        self.carried += [self.source.get("url"), self.source.get("name"), self.source.get("group")]
        name = self.draft.add("checks", self.source.text("name") or url, self.check, *self.carried)
        self._certificate(scheme, filled)
        self._alerts(name)

    def _address(self, scheme: str, kind: str, url: str) -> bool:
        self.check = {"kind": kind}
        if kind == "http":
            self.check["url"] = url
            return True
        rest = url.partition("://")[2].partition("/")[0]
        if scheme == "icmp":
            self.check |= {"command": ["ping", "-c", "1", "-W", "5", "--", rest], "effect": "read"}
            return bool(rest)
        if scheme == "dns":
            return self._question(url.rpartition("://")[2])
        parts = host_and_port(f"{rest}:{_USUAL_PORTS[scheme]}" if scheme in _USUAL_PORTS and ":" not in rest else rest)
        if parts is None:
            return False
        self.check |= {"host": parts[1], "port": parts[2]}
        if scheme == "starttls":
            self.check["starttls"] = "smtp"
        return True

    def _question(self, server: str) -> bool:
        asked = self.source.get("dns")
        if asked is None or not asked.text("query-name"):
            return False
        self.check |= {"name": asked.text("query-name"), "record": asked.text("query-type") or "A", "server": server}
        self.carried += [asked.get("query-name"), asked.get("query-type")]
        return True

    def _common(self) -> None:
        group, name = self.source.text("group"), self.source.text("name")
        if name:
            self.check["title"] = f"{group}: {name}" if group else name
        interval = self.source.get("interval")
        every = duration(seconds(interval.text())) if interval is not None else "1m"
        if every is not None:
            self.check["every"] = every
            self.carried.append(interval)
        client = self.source.get("client")
        if client is None:
            self.check["timeout"] = "10s"
            return
        if (timeout := duration(seconds(client.text("timeout")))) is not None:
            self.check["timeout"] = timeout
            self.carried.append(client.get("timeout"))
        if client.text("insecure") in ("true", "false") and self.check["kind"] in ("http", "tls"):
            self.check["verify"] = client.text("insecure") != "true"
            self.carried.append(client.get("insecure"))

    def _request(self) -> None:
        check, source = self.check, self.source
        client = source.get("client")
        ignored = client.get("ignore-redirect") if client is not None else None
        check["follow_redirects"] = ignored is None or ignored.text() != "true"
        self.carried.append(ignored)
        if source.text("method"):
            check["method"] = source.text("method").upper()
            self.carried.append(source.get("method"))
        if source.text("graphql") == "true":
            return
        body = source.get("body")
        if body is not None and (text := self.draft.fill_in(body.text())):
            check["body"] = text
            self.carried += [body, source.get("graphql")]
        headers = source.get("headers")
        found: dict[str, str] = {}
        for header in headers.children() if headers is not None else ():
            value = self.draft.fill_in(header.text())
            if value is None or not header.text():
                continue
            if names_a_secret(header.name) and "{{" not in value:
                variable = re.sub(r"\W+", "_", f"{source.text('name')}_{header.name}").strip("_").upper()
                value = self.draft.secret(variable)
                header.note("a secret stands there in clear: give it by the reference in the plan")
            found[header.name] = value
            self.carried.append(header)
        check["headers"] = found or None

    def _conditions(self, kind: str, scheme: str) -> list[str]:
        expect: list[str] = []
        for condition in each_of(self.source.get("conditions")):
            try:
                found = translate(condition.text(), kind, scheme)
            except NotCarriedError as error:
                condition.leave(str(error))
                continue
            if found == "certificate":
                continue  # a check of its own
            if found:
                expect.append(found)
            self.carried.append(condition)
        if kind == "http" and not any(e.startswith(("status ", "(status")) for e in expect):
            self.source.note("it asks for no [STATUS]: the check takes 200 to 299 alone")
        return expect

    def _certificate(self, scheme: str, url: str) -> None:
        """Add what is asked of the time that a certificate has left, as a check of its own."""
        for condition in each_of(self.source.get("conditions")):
            left = re.fullmatch(r"\[CERTIFICATE_EXPIRATION\]\s*>=?\s*(\S+)", condition.text().strip())
            least = seconds(left[1]) if left else None
            if least is None:
                continue
            rest = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
            parts = host_and_port(rest if re.search(r":\d+$", rest) else f"{rest}:443")
            if scheme not in ("https", "tls", "starttls") or parts is None:
                condition.leave("it has no certificate")
                continue
            check: dict[str, Any] = {"kind": "tls", "host": parts[1], "port": parts[2], "every": "1h"}
            if scheme == "starttls":
                check["starttls"] = "smtp"
            if self.check.get("verify") is False:
                check["verify"] = False
            check["crit"] = f"{least / 86400:.6g}:"
            self.draft.add("checks", f"{self.source.text('name') or url}_certificate", check, condition)

    def _alerts(self, name: str) -> None:
        """Carry thresholds into the check, and the reminder into an alert of the plan."""
        entry = self.draft.sections["checks"][name]
        for alert in each_of(self.source.get("alerts")):
            if alert.text("enabled") == "false":
                alert.leave("it is not enabled there")
                continue
            item = ("checks", name)
            for key, ours in (("failure-threshold", "fail_after"), ("success-threshold", "ok_after")):
                text = alert.text(key)
                if text.isdecimal() and 0 < int(text) < 1000 and entry.get(ours, int(text)) == int(text):
                    entry[ours] = int(text)
                    alert.get(key).carry(item)  # type: ignore[union-attr]
            rule: dict[str, Any] = {"when": f"{name} != OK", "notify": ["log"]}
            remind = duration(seconds(alert.text("minimum-reminder-interval")))
            if remind is not None:
                rule["remind"] = remind
                alert.get("minimum-reminder-interval").carry(item)  # type: ignore[union-attr]
            described = self.draft.fill_in(alert.text("description"))
            if described:
                rule["text"] = described
                alert.get("description").carry(item)  # type: ignore[union-attr]
            if enabled := alert.get("enabled"):
                enabled.carry(item)
            if kind := alert.get("type"):
                kind.leave("the plan notifies `log`: add a notifier, and name it in `notify`")
            self.draft.alerts.append((name, rule))
