"""What a step writes, read on by one agent after the other: byte for byte what it wrote, without gap or repeat."""

import asyncio

from tests.functional.agent.conftest import Desk, step

_LINES = 6000
_PLAN = f"""\
schema: 1
id: small
title: Small
phases:
  - id: one
    steps:
      - id: wait
        run: |
          awk 'BEGIN {{
            for (i = 0; i < {_LINES}; i++) {{
              printf "línea %d → done\\n", i
              if (i % 100 == 0) {{ fflush(); system("sleep 0.03") }}
            }}
          }}'
        effect: changes
        timeout: 60s
"""
_EXPECTED = "".join(f"línea {i} → done\n" for i in range(_LINES))


async def test_output_goes_on_without_gap_or_repeat_while_three_agents_are_killed(desk: Desk) -> None:
    await asyncio.to_thread(desk.plan.write_text, _PLAN)
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    await desk.see(client, lambda s: step(s, "wait").state in ("running", "done"))
    text, offset, killed = "", 0, 0
    async with asyncio.timeout(60):
        while True:
            part = await client.request("output.read", step="wait", attempt=1, offset=offset, limit=1)
            assert part["next"] - offset == len(part["text"].encode())
            text, offset = text + part["text"], part["next"]
            if part["complete"]:
                break
            if killed < 3 and len(text) > len(_EXPECTED) * (killed + 1) / 6:
                await asyncio.to_thread(desk.kill_agent)
                await asyncio.to_thread(desk.ensure)
                client = await desk.client()
                killed += 1
            elif not part["text"]:
                await asyncio.sleep(0.01)
    assert killed == 3
    assert text == _EXPECTED
    await desk.see(client, lambda s: step(s, "wait").state == "done")
