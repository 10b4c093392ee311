"""Other machines: each that is named is there, and what ssh calls it is a name and no option."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.hosts.ssh_command import HARMLESS
from switchover.plan.complaints import Complaint, Path
from switchover.plan.rules.draft import Draft
from switchover.plan.templates import has_template

__all__ = ["hosts", "services_on_hosts"]

_COMMANDS = ("command", "nagios")


def hosts(draft: Draft) -> Iterator[Complaint]:
    """Complain about hosts that ssh could not be given, and about names of hosts that are not there."""
    for name, host in draft.plan.hosts.items():
        if not host.destinations:
            yield Complaint(("hosts", name, "ssh"), "an empty list: name at least one machine")
        for index, text in enumerate(host.destinations):
            path: Path = ("hosts", name, "ssh") if isinstance(host.ssh, str) else ("hosts", name, "ssh", index)
            if not has_template(text) and not HARMLESS.fullmatch(text):
                yield Complaint(path, f"{text!r} is no name that ssh can be given: write HOST, USER@HOST or an alias")
            elif text in host.destinations[:index]:
                yield Complaint(path, f"{text!r} is listed twice")
    for where, run_on, command in _placed(draft):
        yield from draft.unknown((*where, "run_on"), "host in `hosts`", run_on, draft.names.hosts)
        if not command:
            yield Complaint((*where, "run_on"), "only a command runs on another machine")
    for where, step in draft.steps():
        group = draft.plan.hosts.get(step.run_on or "")
        if group is not None and len(group.destinations) > 1 and step.outputs:
            yield Complaint((*where, "outputs"), f"{step.run_on} is a group: its machines may put out different values")
        if group is None or len(group.destinations) < 2:
            for key in ("serial", "max_fail"):
                if not draft.lacks((*where, key)):
                    yield Complaint((*where, key), f"`{key}` is for steps that run on a group of machines")


def services_on_hosts(draft: Draft) -> Iterator[Complaint]:
    """Complain about services on hosts where nothing could look at them."""
    for name, service in draft.plan.services.items():
        if service.run_on is None:
            continue
        where: Path = ("services", name, "run_on")
        yield from draft.unknown(where, "host in `hosts`", service.run_on, draft.names.hosts)
        host = draft.plan.hosts.get(service.run_on)
        if service.docker_host:
            yield Complaint(where, "`docker_host` says already where it is")
        if host is not None and len(host.destinations) > 1:
            yield Complaint(where, f"{service.run_on} is a group: name a service for each of its machines")


def _placed(draft: Draft) -> Iterator[tuple[Path, str, object]]:
    """Yield what says on which host it runs: its place, the host, and its command."""
    for where, step in draft.steps():
        if step.run_on is not None:
            yield where, step.run_on, step.command
        if step.undo is not None and step.undo.run_on is not None:
            yield (*where, "rollback"), step.undo.run_on, step.undo.command
    for index, entry in enumerate(draft.plan.troubleshooting):
        if entry.run_on is not None:
            yield ("troubleshooting", index), entry.run_on, True
        for number, look in enumerate(entry.diagnose):
            if not isinstance(look, str) and look.run_on is not None:
                yield ("troubleshooting", index, "diagnose", number), look.run_on, True
    for name, command in draft.plan.commands.items():
        if command.run_on is not None:
            yield ("commands", name), command.run_on, command.command
    for name, check in draft.plan.checks.items():
        if check.run_on is not None:
            yield (
                ("checks", name),
                check.run_on,
                check.kind in _COMMANDS or check.config.get("resource") == "spot_notice",
            )
    for name, rollback in draft.plan.rollbacks.items():
        for index, action in enumerate(rollback.steps):
            if action.run_on is not None:
                yield ("rollbacks", name, "steps", index), action.run_on, action.command
