"""`prometheus`: alerting rules of a Prometheus. Each becomes an alert whose query is handed on to that server."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from switchover.importing.import_api import ImportFormat
from switchover.importing.plan_draft import PlanDraft, each_of
from switchover.importing.source_keys import Source

__all__ = ["PrometheusImport"]

_SEVERITIES = {
    "critical": "critical", "page": "critical", "crit": "critical", "error": "error", "high": "error",
    "warning": "warning", "warn": "warning", "info": "info", "none": "info",
}  # fmt: skip
_SPAN = re.compile(r"(?:\d+(?:ms|s|m|h|d|w|y))+")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_URL = "prometheus_url"
_LONGEST_TEXT = 3900


class PrometheusImport(ImportFormat):
    """Reads a file of rules."""

    kind: ClassVar[str] = "prometheus"

    def fits(self, root: Source) -> bool:
        """Say whether it has groups with rules."""
        groups = root.get("groups")
        return groups is not None and isinstance(groups.value, list) and {c.name for c in root.children()} <= {"groups"}

    def read(self, root: Source, draft: PlanDraft) -> None:
        """Add an alert for each alerting rule."""
        for group in each_of(root.get("groups")):
            every = group.text("interval")
            for rule in each_of(group.get("rules")):
                if rule.get("alert") is None:
                    rule.leave("a recording rule: the server itself keeps what it makes")
                else:
                    self._rule(rule, draft, every if _is_span(every) else "")
            for key in group.children():
                if (key.name == "interval" and _is_span(every)) or key.name == "name":
                    key.carry(("vars", _URL))

    def _rule(self, rule: Source, draft: PlanDraft, every: str) -> None:
        expression = rule.text("expr")
        if not expression.strip():
            rule.leave("it has no expr")
            return
        draft.sections["vars"].setdefault(_URL, {"type": "url", "default": "http://localhost:9090"})
        alert: dict[str, Any] = {"promql": expression.strip(), "url": f"{{{{ {_URL} }}}}"}
        carried = [rule.get("alert"), rule.get("expr")]
        for key, ours in (("for", "for"), ("keep_firing_for", "keep")):
            if _is_span(rule.text(key)):
                alert[ours] = _years(rule.text(key))
                carried.append(rule.get(key))
        alert |= {"every": every} if every else {}
        carried += self._labels(rule, alert)
        carried += self._annotations(rule, alert)
        draft.add("alerts", rule.text("alert"), alert, *carried)

    def _labels(self, rule: Source, alert: dict[str, Any]) -> list[Source | None]:
        carried: list[Source | None] = []
        labels = rule.get("labels")
        for label in labels.children() if labels is not None else ():
            value = rule.text(f"labels.{label.name}") or (label.value if isinstance(label.value, str) else "")
            if label.name == "severity" and str(value).lower() in _SEVERITIES:
                alert["severity"] = _SEVERITIES[str(value).lower()]
            elif not _LABEL.fullmatch(label.name) or not value:
                continue
            else:
                alert.setdefault("labels", {})[label.name] = str(value)
            carried.append(label)
        alert.setdefault("severity", "warning")
        return carried

    def _annotations(self, rule: Source, alert: dict[str, Any]) -> list[Source | None]:
        carried: list[Source | None] = []
        annotations = rule.get("annotations")
        texts = {one.name: one for one in annotations.children()} if annotations is not None else {}
        wanted = ("summary", "title", "message", "description")
        said = [name for name in wanted if name in texts and not texts[name].templated]
        if said:
            alert["text"] = ": ".join(str(texts[name].value).strip() for name in said)[:_LONGEST_TEXT]
            carried += [texts[name] for name in said]
        for name in ("runbook_url", "runbook"):
            if name in texts and "runbook" not in alert:
                alert["runbook"] = str(texts[name].value)
                carried.append(texts[name])
        return carried


def _is_span(text: str) -> bool:
    return _SPAN.fullmatch(text) is not None


def _years(text: str) -> str:
    """Write a duration without years, which a plan does not know."""
    return re.sub(r"(\d+)y", lambda found: f"{int(found[1]) * 365}d", text)
