"""Opening a connection, and what stops it in words: which phase it was, and what that means."""

from __future__ import annotations

import asyncio
import ssl

from switchover_checks.api import Context, ProbeError, Status
from switchover_checks.language.units import format_duration

__all__ = ["connection", "line_of", "tls_words"]

_CONNECT_S = 5.0
_LONGEST_LINE = 8192

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connection(ctx: Context, host: str, port: int) -> Streams:
    """Connect to `host`. Raise `ProbeError` of the phase `dns` or `connect`."""
    loop = asyncio.get_running_loop()
    ctx.enter("dns")
    try:
        found = await loop.getaddrinfo(host, port, type=1)
    except OSError as error:
        raise ProbeError(f"the name {host} cannot be resolved: {error.strerror or error}", phase="dns") from None
    except UnicodeError:
        raise ProbeError(f"{host!r} is not a host name", phase="dns", status=Status.UNKNOWN) from None
    ctx.enter("connect")
    failures = []
    for address in dict.fromkeys(str(entry[4][0]) for entry in found):
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(address, port, limit=_LONGEST_LINE)
        except TimeoutError:
            failures.append(f"{address}:{port} does not answer within {format_duration(_CONNECT_S)}")
        except ConnectionRefusedError:
            failures.append(f"{address}:{port}: connection refused, nothing listens there")
        except OSError as error:
            failures.append(f"{address}:{port}: {error.strerror or error}")
    raise ProbeError("; ".join(failures), phase="connect")


async def line_of(reader: asyncio.StreamReader, phase: str, whose: str) -> str:
    """Return the next line without its end. Raise `ProbeError` where none comes, or one without an end."""
    try:
        raw = await reader.readline()
    except ConnectionError as error:
        raise ProbeError(f"the connection broke: {error.strerror or error}", phase=phase) from None
    except ValueError:
        raise ProbeError(f"a line of more than {_LONGEST_LINE} bytes is not {whose}", phase=phase) from None
    if not raw.endswith(b"\n"):
        said = f" after {raw[:60].decode('utf-8', 'replace')!r}" if raw else ""
        raise ProbeError(f"the connection was closed{said}, before {whose} was whole", phase=phase)
    return raw.decode("utf-8", "replace").rstrip("\r\n")


def tls_words(error: BaseException) -> str:
    """Say what stopped a TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
            return "the other side does not speak TLS"
        return f"TLS failed: {error.reason or error}"
    return f"the connection broke during the TLS handshake: {error or 'closed by the other side'}"
