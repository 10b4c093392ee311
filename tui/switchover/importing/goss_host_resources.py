"""Resources of goss that are about the machine itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from switchover.importing.goss_resource import Resource
from switchover.importing.matchers import (
    each_wish,
    number_expectation,
    output_expectations,
    size_bounds,
    value_expectation,
)
from switchover.importing.plan_draft import each_of
from switchover.importing.source_keys import Source, as_text

__all__ = ["HOST_RESOURCES"]

_FILE_TYPES = {"file": "file", "directory": "folder", "socket": "socket"}


def _file(found: Resource) -> None:
    path = found.text("path") or found.id
    check: dict[str, Any] = {"kind": "file", "path": path, "exists": found.flag("exists")}
    kind = found.source.text("filetype")
    if kind in _FILE_TYPES:
        check["what"] = _FILE_TYPES[found.text("filetype")]
    else:
        check["what"] = "any"
    if re.fullmatch(r"[0-7]{3,4}", found.source.text("mode")):
        check["mode"] = found.text("mode")
    if re.fullmatch(r"[0-9a-fA-F]{64}", found.source.text("sha256")):
        check["sha256"] = found.text("sha256")
    _size(found, check)
    found.add(check)
    if check["exists"]:
        for number, line in enumerate(each_of(found.source.get("contents", "contains")), 1):
            _content(found, path, number, line)


def _size(found: Resource, check: dict[str, Any]) -> None:
    """Take a size that is given, or the bounds that one matcher sets."""
    size = found.source.get("size")
    if size is None or not check["exists"]:
        return
    bounds = size_bounds(size.value)
    if bounds:
        check.update(bounds)
        found.take("size")


def _content(found: Resource, path: str, number: int, line: Source) -> None:
    """Add a check for a pattern that the file must hold. What it must not hold has no check."""
    text = as_text(line.value)
    if not text or text.startswith("!"):
        line.leave("`file` has no check for what must not stand in it" if text else "a matcher that `file` has not")
        return
    plain = not (len(text) > 1 and text.startswith("/") and text.endswith("/"))
    wanted = {"contains": text.removeprefix("\\")} if plain else {"matches": text[1:-1]}
    found.add({"kind": "file", "path": path, **wanted}, suffix=f"_content_{number}", only=[line])


def _package(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "package", "name": found.text("name") or found.id}
    check["installed"] = found.flag("installed")
    versions = found.source.get("versions")
    if versions is not None and isinstance(versions.value, list) and all(isinstance(v, str) for v in versions.value):
        check["version"] = found.take("versions") or None
    found.add(check)


def _service(found: Resource) -> None:
    unit = found.text("name") or found.id
    named = list(found.carried)
    if found.source.get("running") is not None or found.source.get("enabled") is None:
        runs = found.flag("running")
        found.add(_unit_check(unit, "is-active", runs))
        if runs:
            found.draft.add("services", unit, {"kind": "systemd", "unit": unit})
    enabled = found.source.get("enabled")
    if enabled is not None and isinstance(enabled.value, bool):
        found.add(_unit_check(unit, "is-enabled", enabled.value), suffix="_enabled", only=[*named, enabled])


def _unit_check(unit: str, question: str, wanted: bool) -> dict[str, Any]:
    check = {"kind": "command", "command": ["systemctl", question, "--quiet", "--", unit], "effect": "read"}
    return check if wanted else {**check, "expect": "exit != 0"}


def _process(found: Resource) -> None:
    name = found.text("comm") or found.id
    check: dict[str, Any] = {"kind": "process", "pattern": rf"(^|/){re.escape(name)}(\s|$)"}
    if not found.flag("running"):
        check["count"] = 0
    found.add(check)


def _command(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "command", "command": found.text("exec") or found.id}
    expect: list[str] = []
    exit_code = found.source.get("exit-status")
    if exit_code is not None and (wanted := number_expectation("exit", exit_code.value)) is not None:
        expect.append(wanted)
        found.take("exit-status")
    for stream in ("stdout", "stderr"):
        said_of = found.source.get(stream)
        for said in each_wish(said_of):
            if not said.templated and (parts := output_expectations(stream, said.value)) is not None:
                expect += parts
                found.carried.append(said)
    found.add({**check, "expect": expect or None})


def _user(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "user", "name": found.text("username") or found.id}
    check["exists"] = found.flag("exists")
    _numbers(found, check, "uid", "gid")
    for key in ("home", "shell"):
        check[key] = found.text(key) or None
    groups = found.source.get("groups")
    if groups is not None and isinstance(groups.value, list) and all(isinstance(g, str) for g in groups.value):
        check["groups"] = found.take("groups") or None
    found.add(check)


def _group(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "group", "name": found.text("groupname") or found.id}
    check["exists"] = found.flag("exists")
    _numbers(found, check, "gid")
    found.add(check)


def _numbers(found: Resource, check: dict[str, Any], *keys: str) -> None:
    for key in keys:
        if re.fullmatch(r"\d{1,10}", found.source.text(key)):
            check[key] = int(found.text(key))


def _mount(found: Resource) -> None:
    path = found.text("mountpoint") or found.id
    check: dict[str, Any] = {"kind": "mount", "path": path, "exists": found.flag("exists")}
    check["device"] = found.text("source") or None
    check["fstype"] = found.text("filesystem") or None
    options = found.source.get("opts")
    if options is not None and isinstance(options.value, list) and all(isinstance(o, str) for o in options.value):
        check["options"] = found.take("opts") or None
    found.add(check)
    usage = found.source.get("usage")
    most = usage.get("lt", "le") if usage is not None else None
    if usage is not None and most is not None and isinstance(most.value, int) and 0 < most.value < 100:
        found.add({"kind": "disk", "path": path, "crit": f"{100 - most.value}%:"}, suffix="_usage", only=[most])


def _kernel_param(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "kernel_param", "name": found.text("name") or found.id}
    value = found.source.get("value")
    if value is not None and as_text(value.value):
        check["value"] = found.text("value")
    elif value is not None and (wanted := value_expectation("value", value.value)) is not None:
        found.take("value")
        check["expect"] = wanted
    if "value" in check or "expect" in check:
        found.add(check)


HOST_RESOURCES: Mapping[str, Callable[[Resource], None]] = {
    "file": _file,
    "package": _package,
    "service": _service,
    "process": _process,
    "command": _command,
    "user": _user,
    "group": _group,
    "mount": _mount,
    "kernel-param": _kernel_param,
}
