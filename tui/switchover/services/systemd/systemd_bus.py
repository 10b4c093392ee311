"""One D-Bus connection to a systemd: calls with a deadline, signals, and the connection made anew when it was lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

__all__ = ["MANAGER", "MANAGER_PATH", "BusError", "SystemdBus", "unit_of_path"]

MANAGER = "org.freedesktop.systemd1.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
_SYSTEMD = "org.freedesktop.systemd1"
_BUS = "org.freedesktop.DBus"
_UNITS = f"{MANAGER_PATH}/unit"
_RULES = (
    f"type='signal',sender='{_SYSTEMD}',interface='{MANAGER}'",
    f"type='signal',sender='{_SYSTEMD}',interface='{_BUS}.Properties',path_namespace='{_UNITS}'",
    f"type='signal',sender='{_BUS}',interface='{_BUS}',member='NameOwnerChanged',arg0='{_SYSTEMD}'",
)
_CALL_S = 5.0


class BusError(Exception):
    """A call failed. `name` is D-Bus's name of the error, empty where there was no answer."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


def unit_of_path(path: str) -> str:
    """Return the unit that an object stands for: `/org/freedesktop/systemd1/unit/a_2eservice` is `a.service`."""
    first, *rest = path.removeprefix(f"{_UNITS}/").split("_")
    text = first.encode()
    for part in rest:
        text += bytes.fromhex(part[:2]) + part[2:].encode()
    return text.decode("utf-8", "replace")


def path_of_unit(unit: str) -> str:
    """Return the object that stands for a unit."""
    plain = [chr(byte) if chr(byte).isalnum() and byte < 128 else f"_{byte:02x}" for byte in unit.encode()]
    if plain and plain[0].isdigit():
        plain[0] = f"_{ord(plain[0]):02x}"
    return f"{_UNITS}/{''.join(plain)}"


class SystemdBus:
    """Speaks with one systemd. `address` is a D-Bus address; `on_signal` gets interface, member, path and body."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.on_signal: Callable[[str, str, str, list[Any]], None] = lambda *_: None
        self._bus: MessageBus | None = None
        self._gone: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Say whether the connection stands, as far as is known."""
        return self._bus is not None and self._bus.connected

    async def connect(self) -> None:
        """Connect and subscribe, where that is not done yet. Raise `BusError` in words."""
        async with self._lock:
            if self.connected:
                return
            from dbus_fast import DBusFastError
            from dbus_fast.auth import AuthExternal

            path = self.address.removeprefix("unix:path=").partition(",")[0]
            try:
                async with asyncio.timeout(_CALL_S):
                    bus = await _bus_class()(self.address, auth=AuthExternal(os.geteuid())).connect()
            except TimeoutError as error:
                raise BusError("the bus does not answer") from error
            except FileNotFoundError as error:
                raise BusError(f"no bus at {path}") from error
            except PermissionError as error:
                raise BusError(f"the bus at {path} may not be opened by this user") from error
            except (OSError, EOFError, DBusFastError, ValueError) as error:
                raise BusError(f"the bus at {path}: {error or type(error).__name__}") from error
            bus.add_message_handler(self._message)
            self._bus, self._gone = bus, asyncio.create_task(_until_gone(bus), name="systemd bus")
            try:
                for rule in _RULES:
                    await self._call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", (rule,))
                with suppress(BusError):  # a stub of systemd need not have it
                    await self._call(_SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe")
            except BaseException:  # a connection without its rules would never tell
                await self._drop()
                raise

    async def manager(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call a method of systemd's manager. Raise `BusError`."""
        await self.connect()
        return await self._call(_SYSTEMD, MANAGER_PATH, MANAGER, member, signature, body)

    async def properties(self, unit: str) -> dict[str, Any]:
        """Return all properties of a unit, which systemd loads for that. Raise `BusError`."""
        await self.connect()
        interface = f"{_BUS}.Properties"
        (found,) = await self._call(_SYSTEMD, path_of_unit(unit), interface, "GetAll", "s", ("",))
        return {name: variant.value for name, variant in found.items()}

    async def lost(self) -> None:
        """Wait until the connection is lost."""
        if self._gone is not None:
            await asyncio.wait({self._gone})

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._drop()

    async def _drop(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None and bus.connected and self._gone is not None:
            bus.disconnect()
            await asyncio.wait({self._gone}, timeout=1.0)

    async def _call(
        self, destination: str, path: str, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> list[Any]:
        from dbus_fast import DBusFastError, Message, MessageType

        if self._bus is None:
            raise BusError("the bus went away")
        message = Message(destination, path, interface, member, signature=signature, body=list(body))
        try:
            async with asyncio.timeout(_CALL_S):
                reply = await self._bus.call(message)
        except TimeoutError as error:
            raise BusError("systemd does not answer") from error
        except (OSError, EOFError, DBusFastError) as error:
            raise BusError("the bus went away") from error
        if reply is None:
            raise BusError("the bus went away")
        if reply.message_type is MessageType.ERROR:
            raise BusError(str(reply.body[0]) if reply.body else str(reply.error_name), str(reply.error_name))
        return list(reply.body)

    def _message(self, message: Message) -> None:
        from dbus_fast import MessageType

        if message.message_type is MessageType.SIGNAL:
            self.on_signal(message.interface or "", message.member or "", message.path or "", list(message.body))


@cache
def _bus_class() -> type[MessageBus]:
    """Return the class of connections, which is imported on first use."""
    from dbus_fast.aio import MessageBus

    class Bus(MessageBus):
        """Leaves it to the answer to say that a message could not be sent, which whoever called waits for."""

        def send(self, msg: Message) -> asyncio.Future[None]:  # type: ignore[override]
            try:
                sent: asyncio.Future[None] = super().send(msg)
            except (OSError, ValueError):  # the socket was closed under it
                sent = getattr(self._writer, "fut", None) or asyncio.get_running_loop().create_future()
            sent.add_done_callback(lambda future: future.cancelled() or future.exception())
            return sent

    return Bus


async def _until_gone(bus: MessageBus) -> None:
    with suppress(Exception):  # why it was lost makes no difference
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def system_address(environment: dict[str, str]) -> str:
    """Return where the system's bus is."""
    return environment.get("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket")


def user_address(environment: dict[str, str]) -> str:
    """Return where the bus of the user's own systemd is; empty where there is none."""
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if not folder or not Path(folder, "systemd").is_dir() or not Path(folder, "bus").exists():
        return ""
    return f"unix:path={folder}/bus"
