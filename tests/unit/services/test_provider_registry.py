from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from switchover.plan.named_kinds import SERVICES
from switchover.services.provider_api import Acts, Capability, Lists, Logs, Shells, Watches
from switchover.services.provider_registry import make_providers
from switchover.services.service_kind import service_kinds
from switchover.settings import load_settings
from switchover_checks.language.declared import declared


def test_every_kind_of_service_that_is_declared_has_a_provider_and_keys(tmp_path: Path) -> None:
    assert [p.kind for p in make_providers(tmp_path, float)] == [kind.kind for kind in service_kinds()]
    assert {kind.kind for kind in service_kinds()} >= {"http", "process", "docker", "compose", "systemd", "kubernetes"}
    assert [kind.kind for kind in service_kinds() if not kind.keys] == []


def test_declaring_a_kind_of_service_imports_no_provider() -> None:
    program = (
        "import sys; from switchover.services.service_kind import service_kinds; service_kinds()\n"
        "loaded = [m for m in sys.modules if m.endswith('_provider') or m in ('docker', 'boto3', 'httpx', 'psutil')]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_source_can_be_switched_off(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[sources]\n" + "".join(f"{kind} = false\n" for kind in declared(SERVICES)))
    assert make_providers(tmp_path, float, without=load_settings(settings).sources_off) == []


def test_only_what_a_plan_needs_is_made_where_that_is_enough(tmp_path: Path) -> None:
    assert [p.kind for p in make_providers(tmp_path, float, only={"http", "systemd"})] == ["http", "systemd"]


def test_what_a_provider_says_that_it_can_do_it_has_the_methods_for(tmp_path: Path) -> None:
    needed = {
        Capability.LIST: Lists,
        Capability.WATCH: Watches,
        Capability.LOGS: Logs,
        Capability.EXEC: Shells,
        Capability.START: Acts,
        Capability.STOP: Acts,
        Capability.KILL: Acts,
        Capability.SCALE: Acts,
    }
    providers = make_providers(tmp_path, float)
    assert {one for provider in providers for one in provider.capabilities} >= set(needed)
    for provider in providers:
        for capability, protocol in needed.items():
            if capability in provider.capabilities:
                assert isinstance(provider, protocol), (provider.kind, capability)


def test_making_providers_imports_no_sdk_and_asks_nobody(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from switchover.services.provider_registry import make_providers\n"
        f"all_of_them = make_providers(Path({str(tmp_path)!r}), float)\n"
        "heavy = {'docker', 'boto3', 'botocore', 'google.auth', 'httpx', 'dbus_fast', 'psutil'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert [p.off() for p in all_of_them if p.kind == 'docker'] == ['']\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
