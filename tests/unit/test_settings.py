from pathlib import Path

import pytest

from switchover.errors import UsageError
from switchover.locations import workspace_for
from switchover.settings import JournalAddress, choose_journal, load_settings, settings_path

URL = "postgresql://ops:pw-canary@db.internal:5433/switchover?sslmode=require&sslpassword=pw-canary"


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "switchover" / "settings.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_an_address_is_shown_without_its_passwords() -> None:
    address = JournalAddress.parse(f"{URL}&journal=shop%20team", "here")
    assert address.shown == "postgresql://ops@db.internal:5433/switchover?sslmode=require&journal=shop%20team"
    assert address.has_password
    assert "pw-canary" not in repr(address) + repr(workspace_for(Path("/s"), Path("/p"), address)) + address.identity
    assert (address.url, address.name) == (URL, "shop team")
    assert JournalAddress.parse(address.with_name, "again") == address


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgresql:///d", "postgresql://ops@h1:1,h2:2/d?target=x"])
def test_an_address_without_a_password_is_shown_and_used_as_it_is(url: str) -> None:
    address = JournalAddress.parse(url, "here")
    assert (address.url, address.shown, address.has_password) == (url, url, False)


@pytest.mark.parametrize("text", ["", "db.internal/x", "mysql://h/d", "postgresql://h/d d", "/var/lib/journal"])
def test_what_is_no_address_is_refused_with_where_it_stands_and_never_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="--journal holds no address") as refused:
        choose_journal(text, {})
    assert not text or text not in refused.value.title


def test_the_command_line_goes_before_the_variable_and_that_before_the_settings(tmp_path: Path) -> None:
    _write(tmp_path, 'journal = "postgresql://settings/d"')
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    named = {**environ, "SWITCHOVER_JOURNAL": "postgresql://variable/d"}
    assert choose_journal("postgresql://option/d", dict(named)) == JournalAddress("postgresql://option/d")
    assert choose_journal(None, dict(named)) == JournalAddress("postgresql://variable/d")
    assert choose_journal(None, environ) == JournalAddress("postgresql://settings/d")
    assert choose_journal("sqlite", dict(named)) is None
    assert choose_journal(None, {**environ, "SWITCHOVER_JOURNAL": "sqlite"}) is None
    assert choose_journal(None, {"HOME": str(tmp_path)}) is None


def test_no_child_inherits_the_address() -> None:
    environ = {"SWITCHOVER_JOURNAL": URL}
    assert choose_journal(None, environ) is not None
    assert environ == {}


def test_a_password_on_the_command_line_is_refused() -> None:
    with pytest.raises(UsageError, match="does not belong on the command line") as refused:
        choose_journal(URL, {})
    assert "pw-canary" not in refused.value.title + refused.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("journal = ", ["Invalid value"]),
        ("journl = 'x'", ["journl: there is no such setting", "did you mean journal?"]),
        ("journal = 3", ["journal: this has to be a text"]),
        ("journal = 'mysql://h'", ["journal: holds no address"]),
        (f"journal = '{URL}'", ["others can read the password", "chmod 600"]),
    ],
)
def test_an_error_in_the_settings_names_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        load_settings(path)
    said = f"{refused.value.title} {refused.value.hint}"
    assert str(path) in said
    assert all(word in said for word in words), said
    assert "pw-canary" not in said


def test_private_settings_may_hold_a_password(tmp_path: Path) -> None:
    path = _write(tmp_path, f"journal = '{URL}'")
    path.chmod(0o600)
    assert load_settings(path).journal == JournalAddress(URL)


def test_without_settings_the_journal_is_a_file(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml").journal is None
    assert settings_path({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/switchover/settings.toml")


def test_outputs_of_runs_in_different_journals_never_share_a_folder(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    addresses = [None, *(JournalAddress.parse(f"postgresql://{text}", "") for text in ("h/a", "h/b", "h/a?journal=x"))]
    assert len({workspace_for(tmp_path, plan, address).directory for address in addresses}) == 4
    who = [JournalAddress.parse(f"postgresql://{user}@h/a", "") for user in ("ana", "ben:pw")]
    assert len({workspace_for(tmp_path, plan, address).directory for address in who}) == 1


def test_sources_that_are_not_wanted_are_switched_off(tmp_path: Path) -> None:
    assert load_settings(_write(tmp_path, "")).sources_off == frozenset()
    text = "[sources]\ndocker = false\nsystemd = true\naws = false\n"
    assert load_settings(_write(tmp_path, text)).sources_off == {"docker", "aws"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources = false\n", "sources: this is a table"),
        ("[sources]\ndoker = false\n", "sources.doker: there is no such source"),
        ("[sources]\ndocker = 'no'\n", "sources.docker: this is true or false"),
    ],
)
def test_a_slip_in_the_sources_names_the_file_and_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        load_settings(path)
    assert error.value.title.startswith(f"{path}: {said}")
