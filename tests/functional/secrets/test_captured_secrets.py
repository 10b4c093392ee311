"""What a step captures and nobody may read stands nowhere in clear, and reaches the steps after it as it was."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Secrets, open_bench

from switchover.errors import RefusedError
from switchover.migration.run.execution import Executor
from switchover.migration.steps.sealing import seal, unseal

VALUE = "Kq7ZtPwJ3vNx-9Lm"
MADE = "vB4xRq81-madeHere"


def _bench(
    directory: Path,
    command: str,
    name: str = "v",
    more: str = "",
    source: str = "stdout:/^V=(.*)$/",
    way: str = "default",
) -> Bench:
    named = f"step.a.{name}" if way == "template" else "taken"
    output = f"{{from: '{source}', secret: true}}" if more else f"'{source}'"
    plan = f"""
        vars: {{taken: {{default: '{{{{ step.a.{name} }}}}'}}}}
        secrets: {{pw: {{ref: 'file:unused'}}}}
        phases:
          - id: one
            steps:
              - id: a
                run: |
                  {command}
                env: {{PW: '{{{{ secret.pw }}}}'}}
                effect: read
                outputs: {{{name}: {output}}}
              - id: b
                run: printf %s "$TAKEN" > "$OUT"; echo "got $TAKEN"
                env: {{TAKEN: '{{{{ {named} }}}}', OUT: '{directory}/taken'}}
                effect: read
        """
    return open_bench(directory, plan, secrets=Secrets({"pw": VALUE}))


def _clear(state: Path, value: str) -> list[str]:
    """Return where a value stands below the state directory, also in the records, as it is or coded."""
    files = [path for path in state.rglob("*") if path.is_file() and path.name != "seal.key"]
    texts = {str(path): path.read_bytes() for path in files}
    for path in files:
        if path.name == "journal.sqlite":
            with closing(sqlite3.connect(path)) as journal:
                texts["journal"] = repr(journal.execute("SELECT * FROM events").fetchall()).encode()
    coded = base64.b64encode(value.encode())[:-4]
    return [where for where, data in texts.items() if value.encode() in data or coded in data]


@pytest.mark.parametrize(
    ("command", "wanted", "shown"),
    [
        ('echo "V=$PW"', VALUE, "(secret pw)"),
        ('echo "V=user:$PW@host"', f"user:{VALUE}@host", "user:(secret pw)@host"),
        ('echo "V=$(printf %s "$PW" | base64)"', base64.b64encode(VALUE.encode()).decode(), None),
        ("echo V=10.0.0.7", "10.0.0.7", "10.0.0.7"),
        ("printf 'V=\\033[31mred\\033[0m\\n'", "red", "red"),
    ],
)
async def test_what_is_captured_reaches_a_later_step_and_no_record(
    tmp_path: Path, command: str, wanted: str, shown: str | None
) -> None:
    bench = _bench(tmp_path, command)
    await bench.engine.drive(ANA)
    first = bench.engine.state.unit("a")
    assert (tmp_path / "taken").read_text() == wanted
    assert first.outputs["v"] == shown or shown is None
    assert first.sealed or wanted == shown
    assert not first.sealed or _clear(tmp_path / "state", wanted) == []
    await bench.engine.aclose()


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ('echo "V=${PW%-9Lm}"', VALUE.removesuffix("-9Lm")),
        ("half=vB4xRq81; echo V=password=$half-madeHere", f"password={MADE}"),
    ],
)
async def test_a_part_of_a_secret_and_what_looks_like_one_stand_in_no_record_either(
    tmp_path: Path, command: str, wanted: str
) -> None:
    bench = _bench(tmp_path, command)
    await bench.engine.drive(ANA)
    assert (tmp_path / "taken").read_text() == wanted
    assert not [where for where in _clear(tmp_path / "state", wanted) if "/out-" not in where]
    await bench.engine.aclose()


@pytest.mark.parametrize("way", ["default", "template"])
@pytest.mark.parametrize(("name", "more"), [("admin_password", ""), ("v", "secret")])
async def test_a_new_secret_is_kept_out_of_its_own_output_and_of_all_later_ones(
    tmp_path: Path, name: str, more: str, way: str
) -> None:
    made = "M=vB4xRq81; M=$M-madeHere"  # the plan's text itself is in the journal
    bench = _bench(
        tmp_path, f"{made}; echo begin; echo V=$M; echo again $M; echo $M >&2; printf end", name, more, way=way
    )
    await bench.engine.drive(ANA)
    assert (tmp_path / "taken").read_text() == MADE
    assert _clear(tmp_path / "state", MADE) == []
    mark = f"(secret a.{name})"
    assert bench.engine.state.unit("a").outputs == {name: mark}
    kept = "".join(path.read_text() for path in sorted((tmp_path / "state").rglob("out-*")))
    assert f"V={mark}\nagain {mark}\n" in kept
    assert f"got {mark}\n" in kept
    await bench.engine.aclose()


async def test_a_secret_in_json_is_kept_out_of_its_own_output_and_of_all_later_ones(tmp_path: Path) -> None:
    command = (
        """M=vB4xRq81; M=$M-madeHere; echo "{\\"pw\\": {\\"value\\": \\"$M\\"},"; echo "\\"again\\": \\"$M\\"}" """
    )
    bench = _bench(tmp_path, command, more="secret", source="json:.pw.value")
    await bench.engine.drive(ANA)
    assert (tmp_path / "taken").read_text() == MADE
    assert _clear(tmp_path / "state", MADE) == []
    kept = "".join(path.read_text() for path in sorted((tmp_path / "state").rglob("out-*")))
    assert '{"pw": {"value": "(secret a.v)"},\n"again": "(secret a.v)"}\n' in kept
    await bench.engine.aclose()


async def test_what_is_too_long_to_be_looked_through_for_a_secret_is_not_kept(tmp_path: Path) -> None:
    command = "M=vB4xRq81; M=$M-madeHere; head -c 1100000 /dev/zero | tr '\\\\0' x; echo $M"
    bench = _bench(tmp_path, command, more="secret", source="json:.pw.value")
    with pytest.raises(RefusedError, match="'taken' is not known yet"):
        await bench.engine.drive(ANA)
    assert _clear(tmp_path / "state", MADE) == []
    assert "nothing in its output gave v" in bench.engine.state.unit("a").reason
    await bench.engine.aclose()


async def test_a_driver_that_comes_after_a_crash_hands_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _bench(tmp_path, 'echo "V=$PW"')
    with monkeypatch.context() as crash:
        crash.setattr(Executor, "settle", _die)
        with pytest.raises(InterruptedError):
            await bench.engine.drive(ANA)
    await bench.engine.aclose()
    (record,) = (tmp_path / "state").rglob("exit.json")
    assert VALUE not in record.read_text()
    after = open_bench(tmp_path, secrets=Secrets({"pw": VALUE}))
    await after.engine.recover()
    assert after.engine.state.unit("a").outputs["v"] != VALUE  # though this driver has not fetched the secret yet
    await after.engine.drive(ANA)
    assert (tmp_path / "taken").read_text() == VALUE
    assert _clear(tmp_path / "state", VALUE) == []
    await after.engine.aclose()


async def _die(*_: object, **__: object) -> None:
    raise InterruptedError


async def test_without_its_key_it_is_refused_in_words_and_what_was_sealed_stays(tmp_path: Path) -> None:
    bench = _bench(tmp_path, 'echo "V=$PW"')
    await bench.engine.drive(ANA)
    sealed = bench.engine.state.unit("a").sealed
    assert sealed
    await bench.engine.aclose()
    key = tmp_path / "state" / "seal.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.rename(tmp_path / "elsewhere")
    after = open_bench(tmp_path, secrets=Secrets({"pw": VALUE}))
    store = after.engine.run_store
    assert "taken" not in store.values.revealed_scope().values
    assert (
        store.values.why_shut("taken") == f"step a captured it as a secret, which only the key {key} of that host opens"
    )
    (tmp_path / "elsewhere").rename(key)
    assert store.values.revealed_scope().values["taken"] == VALUE
    await after.engine.aclose()


def test_a_sealed_value_is_opened_only_with_its_key_and_as_what_it_is_about() -> None:
    sealed = seal(b"k" * 32, VALUE, "1/a/v")
    assert unseal(b"k" * 32, sealed, "1/a/v") == VALUE
    assert unseal(b"K" * 32, sealed, "1/a/v") is None
    assert unseal(b"k" * 32, sealed, "1/b/v") is None
    assert unseal(b"k" * 32, sealed[:-4] + "AAA=", "1/a/v") is None
    assert unseal(b"k" * 32, "sealed:1:?", "1/a/v") is None
    assert seal(b"k" * 32, VALUE, "1/a/v") != sealed
