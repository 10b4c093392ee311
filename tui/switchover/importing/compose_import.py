"""`compose`: services that run in containers. Each becomes a service; ports and health checks become checks."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import Any, ClassVar

from switchover.importing.import_api import ImportFormat
from switchover.importing.plan_draft import PlanDraft, duration, each_of, names_a_secret, seconds
from switchover.importing.source_keys import Source

__all__ = ["ComposeImport"]

_PORT = re.compile(r"(?:(?P<ip>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<host>\d+):(?P<inside>\d+)(?:/(?P<protocol>\w+))?")
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - what is read, not bound
_URL = re.compile(r"(https?)://(\[[^\]]+\]|[^/:\s]+)(?::(\d+))?(/\S*)?")
_ITS_OWN = "how the container is made: Compose keeps it"


class ComposeImport(ImportFormat):
    """Reads a Compose file."""

    kind: ClassVar[str] = "compose"

    def fits(self, root: Source) -> bool:
        """Say whether it has services that are a mapping."""
        services = root.get("services")
        return services is not None and hasattr(services.value, "items")

    def read(self, root: Source, draft: PlanDraft) -> None:
        """Add a service for each, then what each needs."""
        project = root.text("name") or root.file.absolute().parent.name
        project = re.sub(r"[^a-z0-9_-]", "", project.lower()).lstrip("_-") or "default"
        services = root.get("services")
        found = [_Service(s, project, draft) for s in services.children()] if services is not None else []
        names = {service.source.name: service for service in found}
        for part in root.children():
            if part.name != "services":
                part.leave(_ITS_OWN if part.name != "include" else "a file that is included: give it as a FILE too")
        for service in found:
            service.add()
        for service in found:
            service.add_needs(names)
        if found and (name := root.get("name")) is not None:
            name.carry(("services", found[0].name))


class _Service:
    """One service of Compose."""

    def __init__(self, source: Source, project: str, draft: PlanDraft) -> None:
        self.source = source
        self.project = project
        self.draft = draft
        self.name = ""
        self.health = ""
        self.ports: dict[int, tuple[str, int]] = {}

    def add(self) -> None:
        """Add the service and its checks."""
        entry = {"kind": "compose", "project": self.project, "compose_service": self.source.name}
        self.name = self.draft.add("services", self.source.name, entry)
        for part in self.source.children():
            part.leave(_ITS_OWN)
        if extends := self.source.get("extends"):
            extends.leave("`extends` is not followed")
        if not list(self.source.children()):
            self.source.carry(("services", self.name))
        for image in (self.source.get("image"), self.source.get("container_name")):
            if image is not None and image.text():
                image.leave("what runs is read from the container itself")
        self._secrets()
        for port in each_of(self.source.get("ports")):
            self._port(port)
        self._healthcheck()

    def add_needs(self, others: dict[str, _Service]) -> None:
        """Carry `depends_on`: what must be healthy is needed by its check, else by the service."""
        needs: list[str] = []
        waited = self.source.get("depends_on")
        for need in waited.children() if waited is not None else ():
            name = need.text() if isinstance(need.path[-1], int) else need.name
            other = others.get(name)
            condition = need.text("condition")
            if other is None:
                need.leave("there is no such service in this file")
            elif condition == "service_completed_successfully":
                need.leave("a service that has to end has no word here: make it a step")
            else:
                needs.append(other.health if condition == "service_healthy" and other.health else other.name)
                for part in (need,) if not need.get("condition") else (need.get("condition"),):
                    part.carry(("services", self.name))  # type: ignore[union-attr]
        if needs and self.name in self.draft.sections["services"]:
            self.draft.sections["services"][self.name]["needs"] = list(dict.fromkeys(needs))

    def _secrets(self) -> None:
        """Refer to what sounds like a secret; all else in the environment is the container's own."""
        environment = self.source.get("environment")
        for variable in environment.children() if environment is not None else ():
            listed = isinstance(variable.path[-1], int)
            name = variable.text().partition("=")[0].strip() if listed else variable.name
            if names_a_secret(name) and not name.upper().endswith("_FILE"):
                self.draft.keep_secret(re.sub(r"\W", "_", name), variable)

    def _port(self, port: Source) -> None:
        published, inside = port.get("published"), port.get("target")
        if published is not None and inside is not None:
            ip, protocol = port.text("host_ip"), port.text("protocol") or "tcp"
            text = f"{ip + ':' if ip else ''}{published.text()}:{inside.text()}/{protocol}"
        else:
            text = port.text()
        filled = self.draft.fill_in(text, bare=True)
        found = _PORT.fullmatch(filled or "")
        if found is None or (found["protocol"] or "tcp") != "tcp":
            why = "only one published TCP port has a check: no range, no UDP, no port chosen by Docker"
            port.leave("a ${…} without a value" if filled is None or "{{" in filled else why)
            return
        host = (found["ip"] or "127.0.0.1").strip("[]")
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - what is read, not bound
        self.ports[int(found["inside"])] = (host, int(found["host"]))
        check = {"kind": "tcp", "host": host, "port": int(found["host"])}
        parts = [p for p in (published, inside, port.get("host_ip"), port.get("protocol")) if p is not None]
        self.draft.add("checks", f"{self.source.name}_port_{found['host']}", check, *(parts if published else [port]))

    def _healthcheck(self) -> None:
        health = self.source.get("healthcheck")
        if health is None:
            return
        if health.text("disable") == "true":
            health.leave("it is switched off")
            return
        test = health.get("test")
        words = [part.text() for part in each_of(test)]
        if test is None or not words or words[0] == "NONE":
            health.leave("it asks nothing")
            return
        command = self._command(words, is_list=isinstance(test.value, list))
        check = self._known(command)
        carried: list[Source | None] = [test]
        if check is None:
            check = {"kind": "docker", "container": self._container(), "expect": "health == 'healthy'"}
            carried = [health]  # Docker goes on judging by all of it
        else:
            for key, ours in (("interval", "every"), ("timeout", "timeout")):
                if (time := duration(seconds(health.text(key)))) is not None:
                    check[ours] = time
                    carried.append(health.get(key))
            if health.text("retries").isdecimal() and 0 < int(health.text("retries")) < 1000:
                check["fail_after"] = int(health.text("retries"))
                carried.append(health.get("retries"))
            for key in ("start_period", "start_interval"):
                if (part := health.get(key)) is not None:
                    part.leave("a check counts from the first look: set `when`, or `fail_after` higher")
        self.health = self.draft.add("checks", f"{self.source.name}_health", check, *carried)

    def _container(self) -> str:
        return self.source.text("container_name") or f"{self.project}-{self.source.name}-1"

    def _command(self, words: list[str], *, is_list: bool) -> list[str]:
        """Return the words that run in the container: `CMD` as they are, `CMD-SHELL` as a shell splits them."""
        if is_list and words[0] == "CMD":
            return [word.replace("$$", "$") for word in words[1:]]
        text = (words[1] if is_list and len(words) > 1 else words[0]).replace("$$", "$")
        text = re.sub(r"\s*\|\|\s*exit\s+\d+\s*$", "", text)
        try:
            return shlex.split(text) if not re.search(r"[;&|<>`$(){}]", text) else []
        except ValueError:
            return []

    def _known(self, words: list[str]) -> dict[str, Any] | None:
        """Return a check that asks the same from outside; None where only Docker can tell."""
        program = words[0].rpartition("/")[2] if words else ""
        if program == "curl" and {"-f", "--fail"} & set(words) | {w for w in words if re.fullmatch(r"-\w*f\w*", w)}:
            return self._page([word for word in words[1:] if _URL.fullmatch(word)], words)
        if program == "pg_isready":
            port = next((w for o, w in pairwise(words) if o in ("-p", "--port")), "5432")
            return self._outside({"kind": "tcp"}, int(port) if port.isdecimal() else 0)
        if program in ("redis-cli", "valkey-cli") and words[-1].lower() == "ping" and len(words) == 2:
            return self._outside({"kind": "redis"}, 6379)
        return None

    def _outside(self, check: dict[str, Any], inside: int) -> dict[str, Any] | None:
        if inside not in self.ports:
            return None
        host, port = self.ports[inside]
        return {**check, "host": host, "port": port}

    def _page(self, urls: list[str], words: list[str]) -> dict[str, Any] | None:
        found = _URL.fullmatch(urls[0]) if len(urls) == 1 else None
        others = [w for w in words[1:] if w not in urls and not re.fullmatch(r"-[fsSkL]+|--fail|--silent", w)]
        if found is None or found[2] not in _HERE or others:
            return None
        inside = int(found[3] or (443 if found[1] == "https" else 80))
        if inside not in self.ports:
            return None
        host, port = self.ports[inside]
        host = f"[{host}]" if ":" in host else host
        flags = "".join(w for w in words if re.fullmatch(r"-[fsSkL]+", w))
        check: dict[str, Any] = {"kind": "http", "url": f"{found[1]}://{host}:{port}{found[4] or '/'}"}
        check["expect"] = "status < 400"
        if "k" in flags:
            check["verify"] = False
        if "L" in flags:
            check["follow_redirects"] = True
        return check
