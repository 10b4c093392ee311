"""Other machines: each that is named is there, and what ssh calls it is a name and no option."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.hosts.ssh_command import HARMLESS
from switchover.plan.complaints import Complaint
from switchover.plan.rules.draft import Draft
from switchover.plan.templates import has_template

__all__ = ["hosts"]


def hosts(draft: Draft) -> Iterator[Complaint]:
    """Complain about hosts that ssh could not be given, and about names of hosts that are not there."""
    for name, host in draft.plan.hosts.items():
        if not host.destinations:
            yield Complaint(("hosts", name, "ssh"), "an empty list: name at least one machine")
        for index, text in enumerate(host.destinations):
            path = ("hosts", name, "ssh") if isinstance(host.ssh, str) else ("hosts", name, "ssh", index)
            if not has_template(text) and not HARMLESS.fullmatch(text):
                yield Complaint(path, f"{text!r} is no name that ssh can be given: write HOST, USER@HOST or an alias")
            elif text in host.destinations[:index]:
                yield Complaint(path, f"{text!r} is listed twice")
    for step_path, step in draft.steps():
        if step.run_on is None:
            continue
        yield from draft.unknown((*step_path, "run_on"), "host in `hosts`", step.run_on, draft.names.hosts)
        if not step.command:
            yield Complaint((*step_path, "run_on"), "only a step with a command runs on another machine")
