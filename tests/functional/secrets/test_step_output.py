"""What a step writes is redacted before it is on the disk, as a person would read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Secrets, open_bench

VALUE = "Kq7ZtPwJ3vNx-9Lm"


async def _written(directory: Path, command: str, more: str = "") -> str:
    bench = open_bench(
        directory,
        f"""
        secrets: {{pw: {{ref: 'file:unused'}}}}
        phases:
          - id: a
            steps:
              - id: s
                run: |
                  {command}
                env: {{PW: '{{{{ secret.pw }}}}'}}
                effect: read
                {more}
        """,
        secrets=Secrets({"pw": VALUE}),
    )
    await bench.engine.drive(ANA)
    await bench.engine.aclose()
    assert bench.engine.state.unit("s").stage == "done"
    (out,) = (directory / "state").rglob("out-*")
    return out.read_text(errors="replace")


@pytest.mark.parametrize(
    "command",
    [
        'printf "x\\npassword=$PW\\n" | grep --color=always -E "password|ZtP|vNx"',
        'printf "$PW" | sed "s/./&\\x00/g"',
        'printf "$PW" | iconv -t UTF-16',
        'printf "$PW" | sed "s/./&\\xe2\\x80\\x8b/g"',
        'printf "$PW" | sed "s/./&\\x08&/g"',
        'printf "$PW" | fold -w 5',
        'printf "$PW" | fold -w 5 | sed "s/$/\\r/"',
        'printf "user:$PW" | base64 -w 9 | sed "s/^/    /"',
        'printf "....... $PW" | od -c',
        'printf "....... $PW" | od -x',
        'printf "%s" "$PW" | cut -c1-7 | tr -d "\\n"; printf "%s" "$PW" | cut -c8- >&2',
    ],
)
async def test_a_step_s_secret_is_not_on_the_disk_whatever_stands_between_its_letters(
    tmp_path: Path, command: str
) -> None:
    text = await _written(tmp_path, command)
    assert "(secret pw)" in text
    bare = re.sub(r"\x1b\[[0-9;]*[mK]|[\0\b\r\n\u200b ]", "", text)
    assert not [n for n in range(len(VALUE) - 3) if VALUE[n : n + 4] in bare]


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ('printf %s "${PW%-9Lm}"; exec >&-; sleep 0.2; printf %s -9Lm >&2', ("(secret pw)",)),
        ('printf %s "${PW%-9Lm}"; printf %s -9Lm >&2; sleep 0.2', ("(secret pw)", "-9Lm(secret pw)")),
    ],
)
async def test_two_halves_on_two_streams_make_no_whole(tmp_path: Path, command: str, left: tuple[str, ...]) -> None:
    assert await _written(tmp_path, command, "outputs: {v: 'stdout:/^V=(.*)$/'}") in left


async def test_the_end_of_a_line_shows_while_the_step_goes_on(tmp_path: Path) -> None:
    """The last letter may be the first of a secret: nobody waits for the rest of it, neither a person nor a step."""
    out = f"{tmp_path}/state/workspaces/*/runs/1/s.1/out-*"
    text = await _written(tmp_path, f'printf "ready K\\n"; until grep -qs "ready K" {out}; do sleep 0.02; done')
    assert text == "ready K\n"
