"""What the operator has chosen once for all plans, and the address of a journal that a team shares.

The settings are `switchover/settings.toml` in the XDG configuration directory:

    journal = "postgresql://ops@db.internal/switchover"    # where runs are written down; without it, in a file here
    theme = "light"   # how it looks: dark, light, ansi, mono, or one of your own; what the palette chooses is kept here
    ascii = true      # draw with plain ASCII signs; false: never, whatever the locale says
    mouse = true      # use the mouse also over SSH; false: never
    motion = false    # animate and scroll smoothly
    fps = 15          # draw at most so often a second
    registry = "/var/tmp"  # where all accounts of this host see whose run is going on; the same for all of them

    [sources]
    docker = false    # do not look for containers; so also systemd, process, compose, kubernetes, aws, gcp, http
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from switchover.errors import UsageError
from switchover_checks.language.declared import declared

__all__ = ["VARIABLE", "JournalAddress", "Settings", "choose_journal", "load_settings", "settings_path"]

VARIABLE = "SWITCHOVER_JOURNAL"
_LOCAL = "sqlite"
_KEYS = ("journal", "theme", "ascii", "mouse", "motion", "fps", "registry", "sources")
_FPS = range(1, 121)
_SECRET_PARAMETERS = frozenset(
    {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)
_HIDDEN = "[redacted]"
_ENDS_IN_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d*)?")  # a host, in brackets where it has colons itself
_SHORTEST_HIDDEN = 3  # a shorter password is found by its place alone: it would take letters out of every word
_IN_ITS_PLACE = re.compile(r"(?i)((?:pass\w*|secret\w*)\s*[=:]\s*|://[^/@:\s]*:)('(?:[^'\\]|\\.)*'|[^\s&@'\"]+)")
_PLACE_PARAMETERS = frozenset({"host", "hostaddr", "port", "dbname"})


@dataclass(frozen=True, slots=True)
class JournalAddress:
    """A PostgreSQL that keeps journals. `url` may hold a password, `shown` does not; `name` is the one chosen in it."""

    url: str = field(repr=False)
    name: str = ""

    @classmethod
    def parse(cls, text: str, where: str) -> JournalAddress:
        """Read `postgresql://…`, with `?journal=NAME` where the journal is not to be named after the plan's id."""
        from urllib.parse import unquote

        scheme, separator, rest = text.strip().partition("://")
        if not separator or scheme not in ("postgresql", "postgres") or any(c.isspace() for c in rest):
            raise UsageError(
                f"{where} holds no address of a PostgreSQL database",
                f"write postgresql://USER@HOST:PORT/DATABASE, or {_LOCAL} for a file on this machine",
            )
        place, _, query = rest.partition("?")
        login, at, hosts = place.partition("/")[0].rpartition("@")
        ports = all(_ENDS_IN_PORT.fullmatch(host) for host in hosts.split(","))
        if "@" in login or (not at and ":" in place and "@" in rest) or not ports:
            raise UsageError(
                f"{where}: a port is no number, or a character of user or password has to be written otherwise",
                "in an address @ is %40, / is %2F, ? is %3F and : is %3A; or leave the password to ~/.pgpass",
            )
        pairs = [pair for pair in query.split("&") if pair]
        name = next((unquote(p.partition("=")[2]) for p in pairs if p.startswith("journal=")), "")
        return cls(_join(place, [p for p in pairs if not p.startswith("journal=")]), name)

    @property
    def with_name(self) -> str:
        """The whole address, password and all, as it can be parsed again."""
        from urllib.parse import quote

        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}journal={quote(self.name)}" if self.name else self.url

    @property
    def shown(self) -> str:
        """The address without any password, fit to be read by anybody."""
        from urllib.parse import quote

        user, at, place, pairs = self._parts()
        shown = [p for p in pairs if _parameter(p) not in _SECRET_PARAMETERS]
        shown += [f"journal={quote(self.name)}"] if self.name else []
        return _join(f"{user.partition(':')[0]}{at}{place}", shown)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in it."""
        user, _, _, pairs = self._parts()
        return ":" in user or any(_parameter(p) in _SECRET_PARAMETERS for p in pairs)

    def hide(self, text: str) -> str:
        """Return what a server or its client says, without any password, in whatever spelling."""
        from urllib.parse import unquote

        user, _, _, pairs = self._parts()
        written = [user.partition(":")[2], *(p.partition("=")[2] for p in pairs if _parameter(p) in _SECRET_PARAMETERS)]
        written.append(os.environ.get("PGPASSWORD", ""))
        for word in sorted({*written, *map(unquote, written)}, key=len, reverse=True):
            if len(word) >= _SHORTEST_HIDDEN:
                text = text.replace(word, _HIDDEN)
        return _IN_ITS_PLACE.sub(rf"\1{_HIDDEN}", text)

    @property
    def identity(self) -> str:
        """What distinguishes this journal from others, whoever logs in to it and however."""
        _, _, place, pairs = self._parts()
        return "\0".join((place, *sorted(p for p in pairs if _parameter(p) in _PLACE_PARAMETERS), self.name))

    def _parts(self) -> tuple[str, str, str, list[str]]:
        """Return user with password, `@`, the place with the path, and the parameters."""
        place, _, query = self.url.partition("://")[2].partition("?")
        hosts, slash, path = place.partition("/")
        user, at, hosts = hosts.rpartition("@")
        return user, at, f"{hosts}{slash}{path}", [pair for pair in query.split("&") if pair]


def _parameter(pair: str) -> str:
    """Return which parameter it is: its name may be percent-encoded too."""
    from urllib.parse import unquote

    return unquote(pair.partition("=")[0])


def _join(place: str, pairs: list[str]) -> str:
    return f"postgresql://{place}" + (f"?{'&'.join(pairs)}" if pairs else "")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings file's content. `sources_off` are the kinds of services that are not searched."""

    journal: JournalAddress | None = None
    mouse: bool | None = None
    motion: bool | None = None
    fps: int | None = None
    theme: str | None = None
    ascii: bool | None = None
    sources_off: frozenset[str] = frozenset()
    registry: Path | None = None


def settings_path(environ: Mapping[str, str]) -> Path:
    """Return where the settings lie, whether they are there or not."""
    xdg = environ.get("XDG_CONFIG_HOME", "")
    base = Path(xdg) if xdg.startswith("/") else Path(environ.get("HOME", "/")) / ".config"
    return base / "switchover" / "settings.toml"


def load_settings(path: Path) -> Settings:
    """Read the settings; none where there is no file. Raise `UsageError` that names file and key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "make the settings readable, or remove them") from error
    import tomllib
    from difflib import get_close_matches

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", "the settings are written in TOML") from error
    for key in values:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UsageError(f"{path}: {key}: there is no such setting", f"{hint}there are {', '.join(_KEYS)}")
    mouse, motion, fps, plain = values.get("mouse"), values.get("motion"), values.get("fps"), values.get("ascii")
    for name, value in (("mouse", mouse), ("motion", motion), ("ascii", plain)):
        if not isinstance(value, bool | None):
            raise UsageError(f"{path}: {name}: this is true or false", f"such as {name} = false")
    if fps is not None and (isinstance(fps, bool) or fps not in _FPS):
        raise UsageError(f"{path}: fps: this has to be a number from 1 to 120", "such as fps = 15")
    theme = values.get("theme")
    if theme is not None and (not isinstance(theme, str) or not theme):
        raise UsageError(f"{path}: theme: this has to be the name of a theme", 'such as theme = "light"')
    off = _sources_off(values.get("sources", {}), path)
    registry = values.get("registry")
    if registry is not None and not (isinstance(registry, str) and registry.startswith("/")):
        raise UsageError(f"{path}: registry: this has to be an absolute path", 'such as registry = "/var/tmp"')
    registry = Path(registry) if registry is not None else None
    journal = values.get("journal", _LOCAL)
    if not isinstance(journal, str):
        raise UsageError(
            f"{path}: journal: this has to be a text", 'such as journal = "postgresql://ops@db/switchover"'
        )
    if journal == _LOCAL:
        return Settings(None, mouse, motion, fps, theme, plain, off, registry)
    address = JournalAddress.parse(journal, f"{path}: journal:")
    if address.has_password and path.stat().st_mode & 0o077:
        raise UsageError(f"{path}: journal: others can read the password in it", f"chmod 600 {path}")
    return Settings(address, mouse, motion, fps, theme, plain, off, registry)


def _sources_off(value: object, path: Path) -> frozenset[str]:
    from difflib import get_close_matches

    if not isinstance(value, dict):
        raise UsageError(f"{path}: sources: this is a table", "such as [sources] with a line docker = false below it")
    known = tuple(declared("switchover.services"))
    for name, on in value.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UsageError(f"{path}: sources.{name}: there is no such source", f"{hint}there are {', '.join(known)}")
        if not isinstance(on, bool):
            raise UsageError(f"{path}: sources.{name}: this is true or false", f"such as {name} = false")
    return frozenset(name for name, on in value.items() if not on)


def choose_journal(given: str | None, environ: MutableMapping[str, str]) -> JournalAddress | None:
    """Return the shared journal that `--journal`, `SWITCHOVER_JOURNAL` or the settings name; None for a local file.

    The variable is taken out of `environ`, so that no step and no check inherits a password.
    """
    variable = environ.pop(VARIABLE, "")
    if given is not None:
        if given == _LOCAL:
            return None
        address = JournalAddress.parse(given, "--journal")
        if address.has_password:
            raise UsageError(
                "a password does not belong on the command line, where everybody on this machine can read it",
                f"put it into ~/.pgpass, or the whole address into ${VARIABLE} or the settings",
            )
        return address
    if variable:
        return None if variable == _LOCAL else JournalAddress.parse(variable, f"${VARIABLE}")
    return load_settings(settings_path(environ)).journal
