"""Opening a connection, and what stops it in words: which phase it was, and what that means."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from switchover_checks.api import ProbeError, Status, Streams, TlsTrust
from switchover_checks.language.units import format_duration

__all__ = ["Address", "connected", "dialled", "line_of", "resolved", "shake_hands", "tls_context", "tls_words"]

Address = tuple[socket.AddressFamily, str]
T = TypeVar("T")

_CONNECT_S = 5.0
_MOST_ADDRESSES = 4
_LONGEST_LINE = 8192


async def resolved(host: str, port: int) -> list[Address]:
    """Return the addresses of `host`. Raise `ProbeError` of the phase `dns`."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return [(family, host)]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ProbeError(f"the name {host} cannot be resolved: {error.strerror or error}", phase="dns") from None
    except UnicodeError:
        raise ProbeError(f"{host!r} is not a host name", phase="dns", status=Status.UNKNOWN) from None
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


async def dialled(addresses: Sequence[Address], port: int, dial: Callable[[Address], Awaitable[T]]) -> T:
    """Connect to the first address that answers. Raise `ProbeError` of the phase `connect` with each one's reason."""
    failures = []
    for address in addresses[:_MOST_ADDRESSES]:
        where = f"{address[1]}:{port}"
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await dial(address)
        except TimeoutError:
            failures.append(f"{where} does not answer within {format_duration(_CONNECT_S)}")
        except ConnectionRefusedError:
            failures.append(f"{where}: connection refused, nothing listens there")
        except OSError as error:
            failures.append(f"{where}: {(error.strerror or str(error)).lower()}")
    raise ProbeError("; ".join(failures), phase="connect")


async def connected(
    host: str, port: int, enter: Callable[[str], None], *, tls: TlsTrust | None = None, server_name: str = ""
) -> Streams:
    """Connect to `host`, with `tls` as far as the end of the handshake. Raise `ProbeError` with the phase."""
    enter("dns")
    addresses = await resolved(host, port)
    enter("connect")

    async def dial(address: Address) -> Streams:
        return await asyncio.open_connection(address[1], port, family=address[0], limit=_LONGEST_LINE)

    reader, writer = await dialled(addresses, port, dial)
    if tls is not None:
        enter("tls")
        await shake_hands(writer, tls_context(verify=tls == "verified"), server_name or host)
    return reader, writer


async def shake_hands(writer: asyncio.StreamWriter, context: ssl.SSLContext, server_name: str) -> None:
    """Start TLS on an open connection; where it fails, close that. Raise `ProbeError` of the phase `tls`."""
    try:
        await writer.start_tls(context, server_hostname=server_name)
    except BaseException as error:
        writer.transport.abort()
        if isinstance(error, OSError | asyncio.IncompleteReadError):
            raise ProbeError(tls_words(error), phase="tls") from None
        if isinstance(error, ValueError):
            words = f"{server_name!r} is no name for TLS: {error}"
            raise ProbeError(words, phase="tls", status=Status.UNKNOWN) from None
        raise


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return what a handshake goes by: the authorities that the system trusts, or none."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


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
