"""`grafana`: whether a Grafana is well, reaches its data sources, and has its dashboards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Texts
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["GrafanaCheck", "GrafanaConfig"]

NAMES: dict[str, NameType] = {"database": "text", "version": "text", "time": "duration", "datasources": "any"}


@dataclass(frozen=True)
class GrafanaConfig:
    """A server, and what it must have."""

    url: str
    """The address: `http://127.0.0.1:3000`."""
    token: str = ""
    """A service account's token: `{{ secret.NAME }}`. Health alone needs none."""
    user: str = ""
    """An account, instead of a token."""
    password: str = ""
    """Its password."""
    datasources: Texts = ()
    """Names of data sources that must be there and answer."""
    dashboards: Texts = ()
    """Identifiers (uid) of dashboards that must be there."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `version`, `database`, `time` and `datasources` (`datasources[0].name == 'Prometheus'`)."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if (self.datasources or self.dashboards) and not (self.token or self.user):
            raise ValueError("data sources and dashboards are told to who logs in: give token, or user and password")


class GrafanaCheck:
    """Ask a Grafana."""

    kind: ClassVar[str] = "grafana"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = GrafanaConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: grafana
    url: http://127.0.0.1:3000
    token: "{{ secret.grafana }}"
    datasources: [Prometheus]
    dashboards: [shop-overview]
    """

    async def probe(self, cfg: GrafanaConfig, ctx: Context) -> Result:
        """Ask once."""
        api = Api(ctx, cfg.url, cfg.user, cfg.password, cfg.token, verify=cfg.verify)
        health = await api.ask("/api/health", also=(503,))
        database = str(health.need("database"))
        facts: dict[str, Any] = {
            "database": database,
            "version": str(health.document.get("version", "")),
            "time": health.seconds,
        }
        findings = [Finding.compare("database", "ok", database, database == "ok" and health.status == 200)]
        findings += [await _datasource(api, name) for name in cfg.datasources]
        for uid in cfg.dashboards:
            answer = await api.ask(f"/api/dashboards/uid/{quote(uid, safe='')}", also=(404,))
            there = answer.status != 404
            findings.append(Finding.compare(f"dashboard {uid}", "there", "there" if there else "absent", there))
        if any("datasources" in e.names for e in cfg.expect):
            facts["datasources"] = (await api.ask("/api/datasources")).document
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, ok=f"version {facts['version']}")


async def _datasource(api: Api, name: str) -> Finding:
    what = f"data source {name}"
    answer = await api.ask(f"/api/datasources/name/{quote(name, safe='')}", also=(404,))
    if answer.status == 404:
        return Finding(what, "answers", "there is none of this name", Status.CRIT)
    uid = str(answer.need("uid"))
    health = await api.ask(f"/api/datasources/uid/{quote(uid, safe='')}/health", also=(400, 404, 500, 502, 503, 504))
    document = health.document if isinstance(health.document, dict) else {}
    said = str(document.get("message", f"HTTP {health.status}"))[:200]
    if health.status == 404 and "status" not in document:
        return Finding(what, "answers", "its plugin tells no health", Status.UNKNOWN)
    fine = health.status == 200 and str(document.get("status", "")).upper() == "OK"
    return Finding.compare(what, "answers", said if not fine else "OK", fine)
