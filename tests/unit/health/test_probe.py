from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from tests.unit.health.health_fakes import FakeRunner, FakeServices, StillClock, plan, result, scope_of

from switchover.health.probing import CheckObservation, Evaluator, _join
from switchover_checks.api import Finding, Result, Status

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status

PLAN = """
services:
  pg: {kind: docker, container: postgres}
  api: {kind: http, url: "http://127.0.0.1:1/health"}
checks:
  base: {kind: tcp, port: 1}
  middle: {kind: tcp, port: 2, needs: [base]}
  top: {kind: tcp, port: 3, needs: [middle]}
  on_pg: {kind: tcp, port: 4, needs: [pg]}
  both: {kind: http, service: [pg, api]}
"""


def evaluator(runner: FakeRunner, services: FakeServices | None = None, text: str = PLAN, **values: str) -> Evaluator:
    loaded = plan(text)
    return Evaluator(
        loaded,
        lambda: scope_of(loaded, values),
        runner,
        services or FakeServices(pg=OK, api=OK),
        StillClock(),
        fields=lambda kind: {"url"} if kind == "http" else (),
    )


async def test_a_check_is_looked_at_after_what_it_needs_and_each_only_once() -> None:
    runner = FakeRunner()
    readings = await evaluator(runner).evaluate(["top", "middle"])
    assert [spec.name for spec in runner.asked] == ["base", "middle", "top"]
    assert list(readings) == ["top", "middle"]
    assert {r.status for r in readings.values()} == {OK}


@pytest.mark.parametrize("status", [WARN, CRIT, UNKNOWN])
async def test_what_needs_something_that_is_not_ok_is_skipped_and_says_what_it_waits_for(status: Status) -> None:
    runner = FakeRunner({"base": status})
    readings = await evaluator(runner).evaluate(["top", "middle", "base"])
    assert [spec.name for spec in runner.asked] == ["base"]
    assert (readings["middle"].status, readings["middle"].waits_for) == (SKIPPED, ("base",))
    assert (readings["top"].status, readings["top"].waits_for) == (SKIPPED, ("middle",))
    assert "waits for base" in readings["middle"].result.summary


async def test_a_service_that_is_not_ok_keeps_its_checks_waiting() -> None:
    runner = FakeRunner()
    services = FakeServices(pg=CRIT)
    reading = (await evaluator(runner, services).evaluate(["on_pg"]))["on_pg"]
    assert (reading.status, reading.waits_for, runner.asked) == (SKIPPED, ("pg",), [])
    assert services.asked == [frozenset({"pg"})]


async def test_a_service_is_looked_at_as_a_check_is_and_a_loop_of_them_as_one() -> None:
    text = PLAN.replace("services:", 'services:\n  "w[a]": {kind: http, url: x}\n  "w[b]": {kind: http, url: y}')
    services = FakeServices(**{"pg": OK, "w[a]": OK, "w[b]": CRIT})

    found = await evaluator(FakeRunner(), services, text).evaluate(["pg", "w"])

    assert (found["pg"].status, found["pg"].result.summary) == (OK, "pg is ok")
    assert (found["w"].status, found["w"].result.summary) == (CRIT, "w[b]: w[b] is crit")


async def test_services_that_nobody_needs_are_not_asked() -> None:
    services = FakeServices()
    await evaluator(FakeRunner(), services).evaluate(["base"])
    assert services.asked == []


async def test_a_check_over_several_services_is_as_bad_as_its_worst_member() -> None:
    runner = FakeRunner({"both[pg]": result(CRIT, "refused")})
    readings = await evaluator(runner).evaluate(["both", "both[api]"])
    assert readings["both"].status is CRIT
    assert readings["both"].result.summary == "both[pg]: refused"
    assert [f.what for f in readings["both"].result.findings] == ["both[pg] thing", "both[api] thing"]
    assert readings["both[api]"].status is OK


async def test_a_service_gives_its_url_to_the_check() -> None:
    runner = FakeRunner()
    await evaluator(runner).evaluate(["both[api]"])
    assert runner.asked[0].config == {"url": "http://127.0.0.1:1/health"}


async def test_a_variable_without_a_value_makes_a_check_unknown_and_says_which() -> None:
    text = 'vars: {new_ip: {type: ip, ask: "IP?"}}\nchecks: {a: {kind: tcp, host: "{{ new_ip }}", port: 1}}\n'
    runner = FakeRunner()
    reading = (await evaluator(runner, text=text).evaluate(["a"]))["a"]
    assert (reading.status, reading.result.summary) == (UNKNOWN, "waits for variable new_ip")
    assert (reading.waits_for, runner.asked) == (("variable new_ip",), [])
    await evaluator(runner, text=text, new_ip="10.0.0.7").evaluate(["a"])
    assert runner.asked[0].config == {"host": "10.0.0.7", "port": 1}


@pytest.mark.parametrize("named", ["step.make.ip", "url"])
async def test_what_a_step_will_put_out_is_waited_for_and_nobody_is_asked_for_it(named: str) -> None:
    text = f"""
vars: {{url: {{default: "http://{{{{ step.make.ip }}}}:81"}}}}
checks: {{a: {{kind: tcp, host: "{{{{ {named} }}}}", port: 1}}}}
phases: [{{id: p, steps: [{{id: make, run: "true", outputs: {{ip: "stdout:/(.+)/"}}, rollback: not_needed}}]}}]
"""
    runner = FakeRunner()
    reading = (await evaluator(runner, text=text).evaluate(["a"]))["a"]
    assert (reading.status, reading.result.summary) == (PENDING, f"waits for variable {named}")
    assert runner.asked == []


async def test_an_environment_that_waits_for_a_variable_makes_its_checks_wait_too() -> None:
    text = """
vars: {new_ip: {type: ip, ask: "IP?"}}
sides: {before: {db: "sqlite:///a"}, after: {db: "postgresql://{{ new_ip }}/a"}}
checks: {rows: {kind: sql_compare, left: before, right: after, tables: "*"}}
"""
    reading = (await evaluator(FakeRunner(), text=text).evaluate(["rows"]))["rows"]
    assert (reading.status, reading.result.summary) == (UNKNOWN, "waits for variable new_ip")


async def test_a_check_is_never_looked_at_twice_at_once_and_who_asks_gets_a_fresh_look() -> None:
    runner = FakeRunner()
    runner.held = True
    looks = evaluator(runner)
    first = asyncio.create_task(looks.evaluate(["base"]))
    await runner.begun.wait()
    assert looks.busy("base")
    second = asyncio.create_task(looks.evaluate(["base"]))
    await asyncio.sleep(0)
    runner.release.set()
    await asyncio.gather(first, second)
    assert len(runner.asked) == 2
    assert runner.most_at_once == 1
    assert not looks.busy("base")


async def test_everybody_who_subscribed_hears_of_every_reading() -> None:
    heard: list[CheckObservation] = []
    looks = evaluator(FakeRunner({"base": CRIT}))
    looks.subscribe(heard.append)
    await looks.evaluate(["middle"])
    assert [(r.name, r.status) for r in heard] == [("base", CRIT), ("middle", SKIPPED)]


async def test_secrets_and_control_sequences_are_taken_out_of_every_text() -> None:
    loaded = plan("checks: {a: {kind: tcp, port: 1}}\n")
    dirty = Result(
        CRIT,
        "hunter2 refused",
        (Finding("x hunter2", "y hunter2", "z hunter2", CRIT, "hint hunter2"),),
        evidence={"body": "hunter2"},
    )
    looks = Evaluator(
        loaded,
        lambda: scope_of(loaded),
        FakeRunner({"a": dirty}),
        FakeServices(),
        StillClock(),
        redact=lambda text: text.replace("hunter2", "(secret)"),
    )
    reading = (await looks.evaluate(["a"]))["a"]
    assert "hunter2" not in repr(reading)
    plain = evaluator(FakeRunner({"base": result(CRIT, "\x1b[31mred\x1b[0m")}))
    assert (await plain.evaluate(["base"]))["base"].result.summary == "red"


async def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        await evaluator(FakeRunner()).evaluate(["nothing"])


async def test_an_ended_look_leaves_the_check_free() -> None:
    runner = FakeRunner()
    runner.held = True
    looks = evaluator(runner)
    task = asyncio.create_task(looks.evaluate(["base"]))
    await runner.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    runner.held = False
    assert (await looks.evaluate(["base"]))["base"].status is OK


async def test_a_secret_in_a_config_is_fetched_only_for_the_look() -> None:
    class Secrets:
        asked: list[str]

        def __init__(self) -> None:
            self.asked = []

        def get(self, name: str) -> str:
            self.asked.append(name)
            return "s3cret"

    loaded = plan(
        'secrets: {token: {ref: "env:TOKEN"}}\n'
        'checks: {a: {kind: http, url: "http://x/", headers: {Authorization: "Bearer {{ secret.token }}"}}}\n'
    )
    secrets = Secrets()
    runner = FakeRunner()
    looks = Evaluator(loaded, lambda: scope_of(loaded), runner, FakeServices(), StillClock(), secrets=secrets)
    await looks.evaluate(["a"])
    headers = runner.asked[0].config["headers"]
    assert isinstance(headers, Mapping)
    assert (headers["Authorization"], secrets.asked) == ("Bearer s3cret", ["token"])


def test_a_check_of_no_items_took_no_time_and_is_as_old_as_can_be() -> None:
    joined = _join("none", [])
    assert (joined.observed_at, joined.duration_s, joined.waits_for) == (0.0, 0.0, ())
