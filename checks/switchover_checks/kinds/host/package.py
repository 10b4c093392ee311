"""`package`: whether a package of the system is installed, and in which version (dpkg, rpm, apk or pacman)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from switchover_checks.api import CommandOutput, Context, Effect, Finding, Measured, Result
from switchover_checks.language.fields import Texts

__all__ = ["PackageCheck", "PackageConfig"]


@dataclass(frozen=True)
class PackageConfig:
    """A package, and whether it must be installed."""

    name: str
    """Its name, as the package manager knows it."""
    installed: bool = True
    """Whether it must be installed."""
    version: Texts = ()
    """Versions of which it must have one.

    Each is whole, or its beginning up to a sign that divides: `15` fits `15.6-0`.
    """
    manager: Literal["auto", "dpkg", "rpm", "apk", "pacman"] = "auto"
    """The package manager that is asked; `auto` takes the first that is there."""

    def __post_init__(self) -> None:
        if not self.name or self.name.startswith("-") or any(c.isspace() for c in self.name):
            raise ValueError(f"{self.name!r} is not the name of a package")
        if self.version and not self.installed:
            raise ValueError("a package that must not be installed has no version")


_MANAGERS: Mapping[str, tuple[str, ...]] = {
    "dpkg": ("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Version}\n", "--"),
    "rpm": ("rpm", "-q", "--qf", "installed\t%{VERSION}-%{RELEASE}\n", "--"),
    "apk": ("apk", "info", "-e", "-v", "--"),
    "pacman": ("pacman", "-Q", "--"),
}
_NOT_INSTALLED = 1


class PackageCheck:
    """Ask the package manager."""

    kind: ClassVar[str] = "package"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = PackageConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    runs_a_process: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: package
    name: postgresql-client
    version: ["15", "16"]
    """

    async def probe(self, cfg: PackageConfig, ctx: Context) -> Result:
        """Ask once."""
        names = [cfg.manager] if cfg.manager != "auto" else list(_MANAGERS)
        manager = next((name for name in names if shutil.which(_MANAGERS[name][0])), None)
        if manager is None:
            return Result.unknown(f"there is no {' or '.join(names)} here to ask")
        done = await ctx.run([*_MANAGERS[manager], cfg.name], env={"LC_ALL": "C"})
        if done.exit_code not in (0, _NOT_INSTALLED):
            said = (done.stderr or done.stdout).strip()[-200:]
            return Result.unknown(f"{_MANAGERS[manager][0]} ended with {done.exit_code}: {said}")
        version = _version(cfg.name, done)
        observed = "not installed" if version is None else f"installed, {version}"
        wanted = "installed" if cfg.installed else "not installed"
        findings = [Finding.compare(cfg.name, wanted, observed, (version is not None) is cfg.installed)]
        if cfg.version and version is not None:
            fine = any(_fits(version, given) for given in cfg.version)
            findings.append(Finding.compare("version", " or ".join(cfg.version), version, fine))
        return Result.of(findings, ok=observed)


def _version(name: str, done: CommandOutput) -> str | None:
    """Read `installed<tab>VERSION`, `NAME-VERSION` and `NAME VERSION`. None where it is not installed."""
    for line in done.stdout.splitlines():
        state, tab, version = line.partition("\t")
        if tab and state == "installed":
            return version
        if not tab and done.exit_code == 0 and line.startswith(name):
            return line[len(name) :].lstrip(" -")
    return None


def _fits(version: str, given: str) -> bool:
    """Compare a version; its beginning counts without the epoch before the colon."""
    upstream = version.partition(":")[2] or version
    return given in (version, upstream) or (upstream.startswith(given) and not upstream[len(given)].isalnum())
