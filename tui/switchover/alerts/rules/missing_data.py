"""Numbers that do not come: one alert a reason, whatever the number of rules that wait for them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from switchover.alerts.alert_state import AlertRule
from switchover.alerts.rules.alert_engine import AlertEngine, Instance

__all__ = ["MissingData"]

_NAMED = 5
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NONE: list[tuple[dict[str, str], float]] = []


class MissingData:
    """`why` says why a metric has no value. The alert is told to all whom the waiting rules would tell."""

    def __init__(self, engine: AlertEngine) -> None:
        self._engine = engine
        self._rules: dict[str, AlertRule] = {}

    def judge(self, why: Callable[[str], str], now: float) -> None:
        """Let it fire, or end, by what is missing now."""
        found: dict[str, list[Instance]] = {}
        reasons: dict[str, str] = {}
        for one in list(self._engine.instances.values()):
            if one.state.missing_since is None or not one.state.missing(now) or not one.rule.tells_missing:
                continue
            metrics = one.rule.parsed.metrics if one.rule.parsed is not None else ()
            reason = next(filter(None, map(why, metrics)), "" if metrics else why(one.rule.name))
            if reason:
                kind = _NUMBER.sub("#", reason)  # the same reason with other numbers is no other alert
                found.setdefault(kind, []).append(one)
                reasons.setdefault(kind, reason)
        for kind, waiting in found.items():
            if kind not in self._rules:
                self._rules[kind] = self._rule(reasons[kind], waiting)
            self._engine.judge_series(self._rules[kind], [({}, math.nan)])
        for kind in self._rules.keys() - found.keys():
            self._engine.judge_series(self._rules.pop(kind), _NONE)

    def _rule(self, reason: str, waiting: list[Instance]) -> AlertRule:
        names = sorted({one.rule.name for one in waiting})
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        text = f"no data for {', '.join(names[:_NAMED])}{more}: {reason}"
        notify = tuple(dict.fromkeys(name for one in waiting for name in one.rule.notify))
        return AlertRule("no_data", f"no data: {reason}", None, text, notify, severity="warning", tells_missing=False)
