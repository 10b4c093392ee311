"""`redis`: whether a Redis (or Valkey) answers as what it must be: master or replica, loaded, with memory left.

A PONG proves little: a replica that lost its master gives one too. So role and state are read besides, as far as the
account may. What it may not ask is said, and never taken for fine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fields import LocalPort
from switchover_checks.language.units import format_bytes, format_duration

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisCheck", "RedisConfig"]

NAMES: dict[str, NameType] = {
    "role": "text",
    "version": "text",
    "keys": "number",
    "clients": "number",
    "replicas": "number",
    "lag": "number",
    "used_memory": "size",
    "used_ratio": "percent",
    "evicted": "number",
    "save": "text",
    "uptime": "duration",
    "time": "duration",
}
_FROM_INFO: Mapping[str, str] = {
    "version": "redis_version",
    "clients": "connected_clients",
    "replicas": "connected_slaves",
    "used_memory": "used_memory",
    "evicted": "evicted_keys",
    "save": "rdb_last_bgsave_status",
    "uptime": "uptime_in_seconds",
}
_ANSWER_S = 5.0


@dataclass(frozen=True)
class RedisConfig:
    """A server, and what must be true of it."""

    url: str | None = None
    """Where it is, in one: `redis://cache.example.org:6379/0`, or `rediss://` with TLS. No account stands in it."""
    host: str = "127.0.0.1"
    """The host."""
    port: LocalPort = 6379
    """The port."""
    socket: str | None = None
    """A socket in the file system, instead of host and port."""
    user: str | None = None
    """The account; without it that of `requirepass`."""
    password: str | None = None
    """The password, by a template: `{{ secret.NAME }}`."""
    database: int = 0
    """The number of the database of which `keys` are counted."""
    tls: bool = False
    """Whether TLS is spoken."""
    verify: bool = True
    """Whether the certificate is checked."""
    role: Literal["master", "replica", "sentinel"] | None = None
    """What it must be. A replica must have its master, too."""
    set_get: bool = False
    """Whether a key of its own is set, read and deleted: `switchover:check:…`, which ends by itself after a minute."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true. `lag` is the seconds since a replica heard of its master; `save` is `ok` or `err`."""

    def __post_init__(self) -> None:
        if self.url is None or "{{" in self.url:
            return
        if self.socket is not None:
            raise ValueError("url or socket says where it is, not both")
        for key, value in _parts_of(self.url).items():
            object.__setattr__(self, key, value)


class RedisCheck:
    """Ask a Redis."""

    kind: ClassVar[str] = "redis"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = RedisConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("time", "s", "the answer to PING"),
        Measured("keys", "", "the keys of the database"),
        Measured("clients", "", "the clients that are connected"),
        Measured("used_memory", "B", "memory in use"),
        Measured("used_ratio", "%", "memory in use, of `maxmemory`"),
        Measured("evicted", "", "keys that were thrown out since the start, for want of memory"),
    )
    example: ClassVar[str] = """
    kind: redis
    host: cache.example.org
    password: "{{ secret.redis }}"
    role: master
    expect: [used_ratio < 90%, keys > 0]
    """

    def changes(self, cfg: RedisConfig) -> str:
        """Judge whether a key is written."""
        return "it sets and deletes a key of its own" if cfg.set_get else ""

    async def probe(self, cfg: RedisConfig, ctx: Context) -> Result:
        """Connect, and ask as far as the account may."""
        import redis.exceptions as errors

        client = await _client(cfg, ctx)
        where = cfg.socket or f"{cfg.host}:{cfg.port}"
        ctx.enter("connect")
        phase = "connect"
        try:
            start = time.monotonic()
            await client.ping()
            facts: dict[str, Any] = {"time": time.monotonic() - start}
            phase = "assert"
            ctx.enter(phase)
            findings = [Finding("PING", "PONG", f"PONG in {format_duration(facts['time'])}", Status.OK)]
            findings += await _role(client, cfg, facts)
            await _state(client, cfg, facts)
            if cfg.set_get:
                findings.append(await _written(client))
        except errors.AuthenticationError as error:
            raise ProbeError(f"{where} does not let it in: {error}", phase="auth") from None
        except errors.BusyLoadingError:
            raise ProbeError(f"{where} is loading its data", phase="assert") from None
        except errors.TimeoutError:
            raise ProbeError(f"{where} does not answer within {format_duration(_ANSWER_S)}", phase=phase) from None
        except errors.NoPermissionError as error:
            raise ProbeError(f"{where}: {error}", phase="auth", status=Status.UNKNOWN) from None
        except errors.ConnectionError as error:
            raise ProbeError(_reason(str(error), where), phase=phase) from None
        except errors.RedisError as error:
            auth = str(error).startswith(("NOAUTH", "WRONGPASS"))
            raise ProbeError(f"{where} answers {str(error)[:200]}", phase="auth" if auth else phase) from None
        except ValueError:  # the library reads numbers where another protocol has words
            raise ProbeError(f"{where} does not speak the protocol of Redis", phase=phase) from None
        finally:
            await client.aclose()
        findings += [e.check(facts) for e in cfg.expect]
        metrics = [Metric(m.name, float(facts[m.name]), m.unit) for m in self.metrics if _is_number(facts.get(m.name))]
        used = f", {format_bytes(facts['used_memory'])} used" if _is_number(facts.get("used_memory")) else ""
        return Result.of(
            findings, metrics=metrics, ok=f"{facts['role']}{used}, PONG in {format_duration(facts['time'])}"
        )


def _parts_of(url: str) -> dict[str, Any]:
    """Return host, port, database and TLS of a URL. Raise `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("url is redis://HOST[:PORT][/DATABASE], or rediss:// with TLS")
    if parts.username or parts.password:
        raise ValueError("url holds no account: write user, and password by a template")
    found: dict[str, Any] = {"host": parts.hostname, "tls": parts.scheme == "rediss", "port": parts.port or 6379}
    if database := parts.path.strip("/"):
        if not database.isdecimal():
            raise ValueError("url ends with the number of the database, such as /0")
        found["database"] = int(database)
    return found


async def _client(cfg: RedisConfig, ctx: Context) -> Redis:
    """Make the client. It connects with its first command."""
    from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    keys: dict[str, Any] = {
        "db": cfg.database,
        "username": cfg.user,
        "password": cfg.password,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": _ANSWER_S,
    }
    if cfg.socket is not None:
        keys |= {"connection_class": UnixDomainSocketConnection, "path": str(ctx.base_dir / cfg.socket)}
    else:
        keys |= {"host": cfg.host, "port": cfg.port, "socket_connect_timeout": _ANSWER_S}
        keys["connection_class"] = SSLConnection if cfg.tls else Connection
        if cfg.tls and not cfg.verify:
            keys |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return Redis.from_pool(ConnectionPool(decode_responses=True, **keys))


async def _role(client: Redis, cfg: RedisConfig, facts: dict[str, Any]) -> list[Finding]:
    """Read what the server is. A replica tells how it stands to its master."""
    from redis.exceptions import ResponseError

    try:
        told = await client.role()
    except ResponseError as error:
        facts["role"] = Unavailable(f"ROLE is refused: {error}")
        return [Finding("role", cfg.role, f"ROLE is refused: {error}", Status.UNKNOWN)] if cfg.role else []
    role = {"slave": "replica"}.get(told[0], str(told[0]))
    facts["role"] = role
    findings = []
    if cfg.role is not None:
        findings.append(Finding.compare("role", cfg.role, role, role == cfg.role))
    if role == "replica" and cfg.role != "master":
        master, state = f"{told[1]}:{told[2]}", str(told[3])
        findings.append(Finding.compare(f"master {master}", "connected", state, state == "connected"))
    return findings


async def _state(client: Redis, cfg: RedisConfig, facts: dict[str, Any]) -> None:
    """Read INFO and the count of keys into `facts`; what is refused is there as unavailable, with the reason."""
    from redis.exceptions import ResponseError

    try:
        info: Mapping[str, Any] = await client.info()
    except ResponseError as error:
        refused = Unavailable(f"INFO is refused: {error}")
        facts.update(dict.fromkeys((*_FROM_INFO, "keys", "used_ratio", "lag"), refused))
        return
    for name, key in _FROM_INFO.items():
        facts[name] = info.get(key, Unavailable(f"this server does not tell {key}"))
    facts["keys"] = info.get(f"db{cfg.database}", {}).get("keys", 0)
    most = info.get("maxmemory", 0)
    none = Unavailable("it has no maxmemory")
    facts["used_ratio"] = 100 * info["used_memory"] / most if most and "used_memory" in info else none
    facts["lag"] = info.get("master_last_io_seconds_ago", Unavailable("only a replica has a lag"))


async def _written(client: Redis) -> Finding:
    """Set a key, read it, delete it."""
    import secrets

    key, value = f"switchover:check:{secrets.token_hex(8)}", secrets.token_hex(8)
    await client.set(key, value, ex=60)
    read = await client.get(key)
    await client.delete(key)
    return Finding.compare(
        "a key that was written", "read again", "read again" if read == value else "lost", read == value
    )


def _reason(said: str, where: str) -> str:
    """Take the reason out of the library's sentence."""
    if re.search(r"refused|\b111\b", said):
        return f"{where}: connection refused, nothing listens there"
    return f"{where}: {said[:200]}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
