"""What Slack, PagerDuty and the others get, on loopback; how their refusals count; no secret in an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.stand_ins.json_routes import JsonRoutes, json_routes

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.alert_values import knowing
from switchover.alerts.heartbeats import Heartbeats
from switchover.alerts.http_sending import _retry_after
from switchover.alerts.notifier_api import Notification, NotSentError
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.api import Context
from switchover_checks.language.declared import load_declared

NOTE = Notification(
    "down 1.000",
    AlertEvent.FIRED,
    "api <is> down & out",
    "api == CRIT",
    1.0,
    name="down",
    severity="critical",
    labels=(("alertname", "down"), ("instance", "api")),
    link="https://runbooks.example/down",
    id="abc",
)


@pytest.fixture
def there() -> Iterator[JsonRoutes]:
    with json_routes({"*": (202, {})}) as routes:
        yield routes


async def send(kind: str, keys: dict[str, Any], note: Notification = NOTE) -> None:
    notifier = load_declared(NOTIFIERS, kind)()
    calls = KindCalls()

    async def work(cfg: Any, ctx: Context) -> None:
        await notifier.send(note, cfg, ctx)

    try:
        await (knowing(calls) if notifier.fills else calls).call(notifier.config, keys, 5.0, work)
    finally:
        await calls.aclose()


async def test_slack_gets_a_message_in_which_nothing_calls_anybody(there: JsonRoutes) -> None:
    await send("slack", {"url": f"{there.address}/services/T/B/x", "mention": "<!channel>"})
    ((method, path, body, headers),) = there.asked
    assert (method, path, headers["Idempotency-Key"]) == ("POST", "/services/T/B/x", "abc")
    assert body == {
        "text": ":rotating_light: <!channel> api &lt;is&gt; down &amp; out\n<https://runbooks.example/down|runbook>"
    }


async def test_a_notice_that_may_have_been_told_says_so(there: JsonRoutes) -> None:
    await send("slack", {"url": there.address}, replace(NOTE, repeated=True, link=""))
    assert there.asked[0][2]["text"].endswith("(may have been told before)")


async def test_pagerduty_opens_and_resolves_one_incident(there: JsonRoutes) -> None:
    keys = {"template": "pagerduty", "url": f"{there.address}/v2/enqueue", "key": "R1"}
    await send("webhook", keys)
    await send("webhook", keys, replace(NOTE, event=AlertEvent.ENDED))
    opened, resolved = (asked[2] for asked in there.asked)
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"] == "down 1.000"
    assert opened["routing_key"] == "R1"
    assert opened["payload"]["severity"] == "critical"
    assert opened["payload"]["source"] == "api"
    assert opened["links"] == [{"href": "https://runbooks.example/down", "text": "runbook"}]


async def test_opsgenie_closes_by_its_alias(there: JsonRoutes) -> None:
    keys = {"template": "opsgenie", "url": f"{there.address}/v2/alerts", "key": "K"}
    await send("webhook", keys)
    await send("webhook", keys, replace(NOTE, event=AlertEvent.ENDED))
    assert [asked[1] for asked in there.asked] == [
        "/v2/alerts",
        "/v2/alerts/down%201.000/close?identifierType=alias",
    ]
    assert there.asked[0][3]["Authorization"] == "GenieKey K"
    assert (there.asked[0][2]["alias"], there.asked[0][2]["priority"]) == ("down 1.000", "P1")


async def test_teams_ntfy_and_discord_get_their_own_forms(there: JsonRoutes) -> None:
    for template in ("teams", "ntfy", "discord"):
        await send("webhook", {"template": template, "url": f"{there.address}/{template}", "key": "tk"})
    teams, ntfy, discord = there.asked
    assert teams[2]["attachments"][0]["content"]["body"][1]["text"] == NOTE.text
    assert (ntfy[2], ntfy[3]["Title"], ntfy[3]["Authorization"]) == (NOTE.text, "down", "Bearer tk")
    assert discord[2]["embeds"][0]["description"] == NOTE.text
    assert discord[2]["allowed_mentions"] == {"parse": []}


async def test_without_a_template_a_webhook_gets_the_notice_as_json(there: JsonRoutes) -> None:
    await send("webhook", {"url": there.address})
    body = there.asked[0][2]
    assert (body["name"], body["state"], body["text"], body["labels"]["instance"]) == (
        "down",
        "firing",
        NOTE.text,
        "api",
    )


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ("service={{ alert.instance }}&what={{ alert.text }}", "service=api&what=api%20%3Cis%3E%20down%20%26%20out",
         "application/x-www-form-urlencoded"),
        ('{"said": "{{ alert.text }}", "quote": "{{ alert.rule }}"}', {"said": NOTE.text, "quote": 'a "b"'},
         "application/json"),
        ({"said": "{{ alert.rule }}", "deep": ["{{ alert.state }}"]}, {"said": 'a "b"', "deep": ["firing"]},
         "application/json"),
        ("It is {{ alert.text }}", "It is api <is> down & out", "text/plain; charset=utf-8"),
    ],
)  # fmt: skip
async def test_values_in_a_body_of_ones_own_end_no_text(there: JsonRoutes, body: Any, sent: Any, kind: str) -> None:
    await send("webhook", {"url": there.address, "body": body}, replace(NOTE, rule='a "b"'))
    assert there.asked[0][2] == sent
    assert there.asked[0][3]["Content-Type"] == kind


@pytest.mark.parametrize(("status", "again"), [(500, True), (429, True), (408, True), (404, False), (401, False)])
async def test_what_a_refusal_means_and_that_it_names_no_address(status: int, again: bool) -> None:
    with json_routes({"*": (status, {})}) as routes, pytest.raises(NotSentError) as error:
        await send("slack", {"url": f"{routes.address}/SECRET"})
    assert (str(error.value), error.value.again) == (f"it answered {status}", again)


async def test_a_receiver_that_is_not_there_is_said_without_its_address() -> None:
    with json_routes({}) as routes:
        address = routes.address
    with pytest.raises(UnavailableError) as error:
        await send("slack", {"url": f"{address}/SECRET"})
    assert "SECRET" not in str(error.value)
    assert "cannot be reached" in str(error.value)


def test_retry_after_is_seconds_or_a_date_and_never_without_end() -> None:
    assert _retry_after("120") == 120
    assert _retry_after("999999") == 3600
    assert _retry_after("soon") == 0
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    assert 90 < _retry_after(date) <= 100


async def test_alertmanager_gets_labels_and_an_end_that_lies_ahead_while_it_fires(there: JsonRoutes) -> None:
    await send("alertmanager", {"url": there.address, "labels": {"team": "ops"}})
    await send("alertmanager", {"url": there.address}, replace(NOTE, event=AlertEvent.ENDED))
    (firing,), (over,) = (asked[2] for asked in there.asked)
    assert there.asked[0][1] == "/api/v2/alerts"
    assert firing["labels"] == {"alertname": "down", "severity": "critical", "instance": "api", "team": "ops"}
    assert firing["annotations"]["runbook_url"] == "https://runbooks.example/down"
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 100))
    assert firing["endsAt"] > now > over["endsAt"]


async def test_a_heartbeat_beats_while_the_agent_watches_and_only_then(there: JsonRoutes) -> None:
    calls, watching = KindCalls(), True
    specs = {"dog": NotifierSpec.model_validate({"kind": "heartbeat", "url": there.address})}
    beats = Heartbeats(specs, calls)
    beats.fresh = lambda: watching
    beats.start(NOTE)
    await asyncio.to_thread(there.came.wait, 10)
    await beats.aclose()
    watching = False
    stuck = Heartbeats(specs, calls)
    stuck.fresh = lambda: watching
    stuck.start(NOTE)
    await asyncio.sleep(0)
    await stuck.aclose()
    await calls.aclose()
    assert len(there.asked) == 1
