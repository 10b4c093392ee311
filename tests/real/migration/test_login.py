"""Who is not let in is told so, which is not "away"; and no spelling of a password gets into what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import PostgresServer, run_postgres
from tests.unit.migration.harness import HandClock

from switchover.cli.parser import main
from switchover.errors import JournalAwayError, JournalError
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.settings import JournalAddress

CANARY = "pw canary/7@1"  # with what has to be written otherwise in an address
ENCODED = "pw%20canary%2F7%401"
PLAN = "schema: 1\nid: p\ntitle: P\nphases: [{id: a, steps: [{id: one, run: 'true', effect: read}]}]\n"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with run_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE ana LOGIN PASSWORD 'right'")
            connection.execute("CREATE ROLE ben LOGIN PASSWORD 'right' VALID UNTIL '2001-01-01'")
            connection.execute("CREATE ROLE cat PASSWORD 'right'")
            connection.execute("CREATE DATABASE closed")
            connection.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
            path = server.folder / "data" / "pg_hba.conf"
            path.write_text("host all postgres 127.0.0.1/32 trust\nhost all ana,ben,cat 127.0.0.1/32 scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.mark.parametrize(
    ("login", "rest", "says"),
    [
        (f"ana:{ENCODED}", "/postgres", "password authentication failed"),
        ("ana", "/postgres", "no password supplied"),
        ("ben:right", "/postgres", "password authentication failed"),
        ("cat:right", "/postgres", "not permitted to log in"),
        ("nobody", "/postgres", "no pg_hba.conf entry"),
        ("ana:right", "/nowhere", "does not exist"),
        ("ana:right", "/closed", "permission denied for database"),
        ("ana:right", "/postgres?sslmode=require", "does not support SSL"),
    ],
)
def test_who_is_not_let_in_is_told_why_and_not_that_it_is_away(
    server: PostgresServer, login: str, rest: str, says: str
) -> None:
    address = JournalAddress.parse(f"postgresql://{login}@127.0.0.1:{server.port}{rest}", "here")
    with pytest.raises(JournalError, match=f"does not let you in: .*{says}") as refused:
        PostgresJournal.open(address, "p", HandClock())
    assert not isinstance(refused.value, JournalAwayError)
    assert "canary" not in f"{refused.value.title}{refused.value.hint}{refused.value.__cause__}"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no.such.host.invalid", "127.0.0.1:1,127.0.0.2:1"])
def test_a_server_that_is_not_there_is_away(host: str) -> None:
    with pytest.raises(JournalAwayError, match="is away"):
        PostgresJournal.open(JournalAddress(f"postgresql://ana:{ENCODED}@{host}/x"), "p", HandClock())


SPELLINGS = [
    "postgresql://ana:{encoded}@{place}/postgres",
    "postgres://ana:{encoded}@{place}/postgres?application_name=x",
    "postgresql://ana@{place}/postgres?password={encoded}",
    "postgresql://ana@{place}/postgres?pass%77ord={encoded}",
    "postgresql://ana:{raw}@{place}/postgres",
    "postgresql://ana@{place}/postgres?password={raw}",
    "postgresql://ana:{encoded}@{place}/postgres?nonsense=1",
    "postgresql://ana:{encoded}@{place}/postgres?sslpassword={encoded}&sslmode=nonsense",
    "postgresql://ana:{encoded}@{place}/postgres?service=nowhere",
    "postgresql://ana:{encoded}@[{place}/postgres",
    "postgresql://ana:{encoded}@127.0.0.1:{encoded}/postgres",
    "host=127.0.0.1 user=ana password='{raw}' dbname=postgres",
    "host=127.0.0.1 user=ana password={encoded}",
    "mysql://ana:{encoded}@{place}/postgres",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("how", ["variable", "settings", "option"])
def test_no_spelling_of_a_password_is_said_or_written_down(
    server: PostgresServer,
    tmp_path: Path,
    spelling: str,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = spelling.format(encoded=ENCODED, raw=CANARY, place=f"127.0.0.1:{server.port}")
    (tmp_path / "p.yaml").write_text(PLAN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    words = ["status", str(tmp_path / "p.yaml"), "--state", str(tmp_path / "state")]
    if how == "variable":
        monkeypatch.setenv("SWITCHOVER_JOURNAL", address)
    elif how == "option":
        words += ["--journal", address]
    else:
        path = tmp_path / "config" / "switchover" / "settings.toml"
        path.parent.mkdir(parents=True)
        path.write_text(f'journal = "{address}"\n')
        path.chmod(0o600)
    assert main(words) in (1, 2)
    said = "".join(capsys.readouterr())
    written = [p.read_text(errors="replace") for p in (tmp_path / "state").rglob("*") if p.is_file()]
    for text in (said, *written):
        for part in ("canary", ENCODED, "7@1", "%2F7"):
            assert part not in text


def test_the_password_of_the_environment_is_not_said_either(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", CANARY)
    address = JournalAddress(f"postgresql://ana@127.0.0.1:{server.port}/postgres")
    assert address.hide(f"what says {CANARY}, password={CANARY} or postgresql://ana:{CANARY}@x") == (
        "what says [redacted], password=[redacted] or postgresql://ana:[redacted]@x"
    )
    with pytest.raises(JournalError, match="does not let you in") as refused:
        PostgresJournal.open(address, "p", HandClock())
    assert "canary" not in refused.value.title
