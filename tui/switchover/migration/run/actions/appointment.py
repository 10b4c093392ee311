"""An appointment: the run is to go on by itself at a later time. A file of the workspace keeps it.

Nothing is confirmed beforehand: a step that wants something typed waits for a person then.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from switchover.clock import iso_utc
from switchover.errors import RefusedError, StateError, SwitchoverError
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.facts.operator import Operator
from switchover.migration.rules.cli_names import known_name
from switchover.private_files import read_private, replace_private

if TYPE_CHECKING:
    from switchover.migration.run.engine import Engine

__all__ = ["Appointment", "appointment_of", "cancel", "is_due", "keep", "make"]

_NAME = "appointment.json"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What is to be done, and when. `digest` is that of the file, where no run is open. `said`: how it came out."""

    at: float
    expires: float
    by: Operator
    until: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    new: bool = False
    digest: str = ""
    said: str = ""
    seq: int = 0  # the run's newest record when that was said

    @property
    def in_words(self) -> str:
        """Say it as a person reads it."""
        if self.said:
            return f"what {self.by.who} had put off until {_time(self.at)}: {self.said}"
        until = f", as far as phase {self.until}" if self.until else ""
        return f"goes on by itself at {_time(self.at)}{until}, says {self.by.who}; not after {_time(self.expires)}"


def appointment_of(workspace: Workspace) -> Appointment | None:
    """Return what the workspace has put off, or how that came out; None where there is nothing."""
    try:
        return msgspec.json.decode(read_private(workspace.directory / _NAME, only_ours=True), type=Appointment)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        return None


def make(engine: Engine, one: Appointment) -> None:
    """Write an appointment down. Raise `RefusedError` where nothing could come of it."""
    run_store = engine.run_store
    now, state = run_store.tools.clock.now(), run_store.state
    if one.at <= now:
        raise RefusedError(f"{_time(one.at)} is over already", "name a time to come")
    if one.expires <= one.at:
        raise RefusedError("it would expire before it begins", "--expires lies behind --at")
    is_open = state.exists and not state.finished
    if state.finished and not one.new:
        raise RefusedError(f"run {state.run_id} is over ({state.stage})", "begin another with --new")
    if one.until:
        known_name(one.until, [phase.id for phase in run_store.plan.phases], "phase")
    _write(run_store.workspace, replace(one, digest="" if is_open else run_store.file.digest))
    run_store.tools.on_change()


def cancel(engine: Engine) -> str:
    """Take an appointment back; return what it was. Raise `RefusedError` where there is none."""
    one = appointment_of(engine.run_store.workspace)
    if one is None:
        raise RefusedError("nothing is put off")
    _remove(engine.run_store.workspace)
    engine.run_store.tools.on_change()
    return one.in_words


def is_due(engine: Engine) -> bool:
    """Whether an appointment is to be kept now, or is over."""
    one = appointment_of(engine.run_store.workspace)
    now = engine.run_store.tools.clock.now()
    if one is None or one.said or now < one.at:
        return False
    return now > one.expires or not (engine.busy or engine.holder() is not None)


async def keep(engine: Engine) -> None:
    """Go on as it was put off. What comes of it is kept where that is not all that was wanted."""
    workspace = engine.run_store.workspace
    one = appointment_of(workspace)
    if one is None or one.said:
        return
    if engine.run_store.tools.clock.now() > one.expires:
        said = f"it was not begun, because nothing could begin it before {_time(one.expires)}"
    else:
        said = await _go_on(engine, one)
    if appointment_of(workspace) == one:  # nobody has taken it back or made another meanwhile
        if said:
            _write(workspace, replace(one, said=engine.run_store.clean(said), seq=engine.state.seq))
        else:
            _remove(workspace)
    engine.run_store.tools.on_change()


async def _go_on(engine: Engine, one: Appointment) -> str:
    run_store = engine.run_store
    is_open = run_store.state.exists and not run_store.state.finished
    try:
        if not is_open and one.digest and (await run_store.read_file()).digest != one.digest:
            return "it was not begun, because the plan's file was edited since"
        new, variables = one.new and not is_open, {} if is_open else one.variables
        outcome = await engine.drive(one.by, until=one.until or None, variables=variables, new=new)
    except SwitchoverError as error:
        return error.title
    return "" if outcome.kind in ("done", "reached") else outcome.text


def _time(at: float) -> str:
    return (iso_utc(int(at)) or "").replace(".000Z", "Z")


def _write(workspace: Workspace, one: Appointment) -> None:
    ensure_private_dir(workspace.directory)
    try:
        replace_private(workspace.directory / _NAME, msgspec.json.encode(one))
    except OSError as error:
        raise StateError(f"it cannot be put off: {error.strerror}", "free space in the state directory") from None


def _remove(workspace: Workspace) -> None:
    with suppress(OSError):
        (workspace.directory / _NAME).unlink()
