"""Files of goss, Gatus and Compose: every key is carried or listed, nothing secret is written, the plan validates."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from switchover.errors import UsageError
from switchover.importing import Imported, import_files, import_formats
from switchover.plan.loader.load import load_plan_text

FILES = Path(__file__).parent / "files"
SECRETS = ("hunter2hunter2", "verysecretvalue123", "abcdef0123456789", "T00/B00/")


def imported(*names: str, folder: Path = FILES) -> Imported:
    return import_files([folder / name for name in names], "taken")


def plan(found: Imported) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(found.text)
    return document


def check(found: Imported, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = plan(found)["checks"][name]
    return entry


def lost(found: Imported) -> dict[str, str]:
    return {key.path: key.why for key in found.lost}


@pytest.fixture(scope="module")
def goss() -> Imported:
    return imported("goss.yaml")


@pytest.fixture(scope="module")
def gatus() -> Imported:
    return imported("gatus.yaml")


@pytest.fixture(scope="module")
def compose() -> Imported:
    return imported("compose.yaml")


def test_each_format_is_found_by_what_it_declares() -> None:
    assert set(import_formats()) == {"goss", "gatus", "compose", "prometheus"}


def test_a_plan_validates_and_holds_no_secret(goss: Imported, gatus: Imported, compose: Imported) -> None:
    for found in (goss, gatus, compose):
        assert load_plan_text(found.text, Path("taken.yaml")).plan.id == "taken"
        assert not [secret for secret in SECRETS if secret in found.text]
        assert found.checks > 5


def test_every_key_is_carried_or_listed_with_its_line(goss: Imported, gatus: Imported, compose: Imported) -> None:
    for found in (goss, gatus, compose):
        paths = [(key.file, key.path, key.line) for key in (*found.carried, *found.lost)]
        assert len(paths) == len(set(paths)) > 40
        for key in found.lost:
            if not key.path.endswith(("]", "}")) and "x-logging" not in key.path and ".logging" not in key.path:
                word = re.findall(r"[\w-]+", key.path)[-1]
                assert word in Path(key.file).read_text().splitlines()[key.line - 1]
            assert key.why


def test_what_goss_has_no_check_for_is_listed(goss: Imported) -> None:
    listed = lost(goss)
    for path in (
        'file["/etc/passwd"].owner',
        'file["/etc/passwd"].contains[2]',
        'file["/srv/{{ … }}"].exists',
        "package.kernel.versions.semver-constraint",
        'port["udp:68"].listening',
        "user.u4.gid.gt",
        "interface.eth0.exists",
        'gossfile["missing.yaml"]',
        "{{ … }}",
    ):
        assert path in listed, path
    assert next(note.path for note in goss.notes) == 'port["tcp6:80"]'


def test_goss_resources_become_checks(goss: Imported) -> None:
    assert check(goss, "file__etc_passwd") == {
        "kind": "file",
        "path": "/etc/passwd",
        "exists": True,
        "what": "file",
        "mode": "0644",
        "min_size": 2118,
        "max_size": 2118,
    }
    assert check(goss, "file__etc_passwd_content_2")["matches"] == "^daemon:"
    assert check(goss, "port_tcp6_22_address_2")["address"] == "::1"
    assert check(goss, "user_u4")["uid"] == 4  # written as "4"
    assert check(goss, "service_telnet_enabled")["expect"] == "exit != 0"
    assert check(goss, "command_go_version")["expect"] == [
        "exit == 0",
        'stdout contains "go version go1.6 linux/amd64"',
        'stdout matches "go\\\\d"',
        'not (stdout contains "panic")',
    ]
    assert check(goss, "command_go_version")["timeout"] == "10s"
    assert check(goss, "command_len")["expect"][1:3] == ['stdout matches "^hi"', 'stdout matches "h."']
    assert check(goss, "dns_MX_example_com")["record"] == "MX"
    assert check(goss, "mount__home_usage")["crit"] == "5%:"
    assert check(goss, "kernel_param_vm_max_map_count")["expect"] == "value >= 1000"
    assert "file__etc_hostname" in plan(goss)["checks"]  # of a file that is included


def test_a_part_of_goss_that_has_no_words_here_costs_no_other_part(tmp_path: Path) -> None:
    stdout = '{and: [{have-prefix: "v"}, {semver-constraint: ">1"}, {not: {contain-substring: "rc"}}]}'
    text = f"command: {{a: {{exec: a, exit-status: 0, stdout: {stdout}, stderr: [fine, {{gjson: {{b: 1}}}}]}}}}\n"
    (tmp_path / "goss.yaml").write_text(text)
    found = imported("goss.yaml", folder=tmp_path)
    assert check(found, "command_a")["expect"] == [
        "exit == 0",
        'stdout matches "^v"',
        'not (stdout contains "rc")',
        'stderr contains "fine"',
    ]
    assert set(lost(found)) == {
        "command.a.stdout.and[1].semver-constraint",
        "command.a.stderr[1].gjson.b",
    }


@pytest.mark.parametrize(
    ("size", "bounds"),
    [
        ("{gt: 0}", {"min_size": 1}),
        ("{ge: 5}", {"min_size": 5}),
        ("{lt: 10}", {"max_size": 9}),
        ("{le: 10}", {"max_size": 10}),
        ("{equal: 7}", {"min_size": 7, "max_size": 7}),
        ("{and: [{gt: 1}, {lt: 10}, {le: 20}]}", {"min_size": 2, "max_size": 9}),
        ("{or: [1, 2]}", {}),
        ("{gt: big}", {}),
        ("{lt: 0}", {}),
        ("true", {}),
    ],
)
def test_the_bounds_of_a_size_are_carried_and_others_listed(tmp_path: Path, size: str, bounds: dict[str, int]) -> None:
    (tmp_path / "goss.yaml").write_text(f"file: {{/a: {{exists: true, size: {size}}}}}\n")
    found = imported("goss.yaml", folder=tmp_path)
    assert {key: value for key, value in check(found, "file__a").items() if "size" in key} == bounds
    assert bool(lost(found)) is not bool(bounds)


def test_a_number_in_quotes_is_compared_as_the_number(tmp_path: Path) -> None:
    (tmp_path / "goss.yaml").write_text('kernel-param: {vm.swappiness: {value: {le: "60"}}}\n')
    assert check(imported("goss.yaml", folder=tmp_path), "kernel_param_vm_swappiness")["expect"] == "value <= 60"


def test_a_secret_of_goss_becomes_a_reference(goss: Imported) -> None:
    page = check(goss, "http_https_www_example_org")
    assert page["headers"]["Authorization"] == "{{ secret.www_example_org_authorization }}"
    assert page["headers"]["Accept"] == "text/html"
    assert plan(goss)["secrets"]["www_example_org_authorization"] == {"ref": "env:WWW_EXAMPLE_ORG_AUTHORIZATION"}
    assert page["expect"][-1] == 'headers["content-type"] contains "text/html"'


def test_gatus_conditions_become_expectations(gatus: Imported) -> None:
    site = check(gatus, "website")
    assert site["expect"] == [
        "(status == 200 or status == 429)",
        'body.status == "UP"',
        "body.user.id == 4",
        "len(body.data) > 3",
        "not exists(body.errors)",
        'text matches "^[\\\\s\\\\S]*<h1>OK</h1>[\\\\s\\\\S]*$"',
        "time < 150ms",
    ]
    assert (site["title"], site["every"], site["fail_after"], site["ok_after"]) == ("core: website", "5m", 3, 2)
    assert check(gatus, "website_certificate")["crit"] == "2:"
    assert plan(gatus)["alerts"] == {
        "website": {"when": "website != OK", "notify": ["log"], "remind": "1h", "text": "health failed"}
    }
    assert check(gatus, "dns")["expect"] == ['"93.184.216.34" in answers', 'rcode == "NOERROR"']
    assert check(gatus, "mail")["starttls"] == "smtp"


def test_gatus_variables_become_secrets_and_variables_by_their_names(gatus: Imported) -> None:
    asked = check(gatus, "rendered")
    assert asked["url"] == "https://{{ host }}/?token={{ secret.api_token }}"
    assert asked["headers"] == {"Authorization": "Bearer {{ secret.token }}"}
    assert plan(gatus)["secrets"]["api_token"] == {"ref": "env:API_TOKEN"}
    assert plan(gatus)["vars"]["host"]["ask"] == "the value of HOST"


def test_what_gatus_has_beyond_is_listed(gatus: Imported) -> None:
    listed = lost(gatus)
    assert "alerting.slack.webhook-url" in listed
    assert "domain" in listed["endpoints[0].conditions[8]"]
    assert "wss://" in listed["endpoints[6].url"]
    assert "not enabled" in listed["endpoints[8].url"]
    assert listed["endpoints[7].ssh.password"]


def test_compose_services_needs_ports_and_health(compose: Imported) -> None:
    services = plan(compose)["services"]
    assert services["web"]["needs"] == ["db_health", "cache"]
    assert services["worker"]["needs"] == ["db", "cache"]
    assert check(compose, "db_health")["kind"] == "docker"  # a variable stands in its command
    assert check(compose, "cache_health") == {"kind": "redis", "host": "127.0.0.1", "port": 6379, "every": "5s"}
    assert check(compose, "web_health")["url"] == "http://127.0.0.1:8080/health"
    assert check(compose, "queue_health") == {
        "kind": "tcp",
        "host": "127.0.0.1",
        "port": 5433,
        "every": "10s",
        "timeout": "5s",
        "fail_after": 5,
    }
    assert check(compose, "web_port_8443")["port"] == 8443
    assert check(compose, "worker_health")["kind"] == "docker"  # its port is not published


def test_secrets_in_an_environment_become_references(compose: Imported) -> None:
    assert plan(compose)["secrets"] == {
        "postgres_password": {"ref": "env:POSTGRES_PASSWORD"},
        "secret_key": {"ref": "env:SECRET_KEY"},
        "token": {"ref": "env:TOKEN"},
    }


def test_what_compose_has_beyond_is_listed(compose: Imported) -> None:
    listed = lost(compose)
    for path in (
        "services.web.ports[1]",
        "services.web.ports[2]",
        "services.web.ports[3]",
        "services.web.depends_on.init.condition",
        "services.web.extends.file",
        "services.queue.healthcheck.start_period",
        "services.db.environment.POSTGRES_USER",
    ):
        assert path in listed, path


def test_several_files_become_one_plan() -> None:
    found = imported("goss.yaml", "gatus.yaml", "compose.yaml")
    names = plan(found)["checks"]
    assert {"website", "file__etc_passwd", "web_health"} <= set(names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", ":1"),
        ("endpoints: []\nendpoints: []\n", ":2"),
        ("- a\n", "no mapping"),
        ("a: 1\n", "no format that is known"),
        ("a: " + "[" * 100 + "]" * 100, "nested too deeply"),
        ("a: !!python/object:os.system {}\n", "no format"),
        ("\0", "not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        imported("x.yaml", folder=tmp_path)
    assert "x.yaml" in refused.value.title
    assert said in refused.value.title


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("gossfile: {b.yaml: {}}\nfile: {/a: {exists: true}}\n")
    (tmp_path / "b.yaml").write_text("gossfile: {a.yaml: {}}\nfile: {/b: {exists: true}}\n")
    found = imported("a.yaml", folder=tmp_path)
    assert set(plan(found)["checks"]) == {"file__a", "file__b"}
    assert "includes itself" in lost(found)['gossfile["a.yaml"]']


_ODD = (
    *("null", "[]", "{}", "-1", "'4'", "true", "1e999", "${X}", "'''"),
    *("[[1]]", "!x", "{a:b}", "é", "{{ x }}", "{a: {b: c}}"),
)


def _mutated(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        match dice.choice((0, 1, 2, 2, 2, 2, 2, 3, 4, 5)):
            case 0:
                del lines[at]
                lines = lines or [""]
            case 1:
                lines.insert(at, lines[dice.randrange(len(lines))])
            case 2:
                lines[at] = re.sub(r":.*", lambda _: f": {dice.choice(_ODD)}", lines[at], count=1)
            case 3:
                lines[at] = " " * dice.randrange(6) + lines[at].lstrip()
            case 4:
                place = dice.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + dice.choice("[]{}:&*!|>'\"%@`#,-\\\t") + lines[at][place:]
            case _:
                words = lines[at].split()
                dice.shuffle(words)
                lines[at] = " ".join(words)
    return "\n".join(lines)


def _try(seed: int, folder: Path) -> int:
    """Read a mutated file; return how many keys it had, none where it was refused in words."""
    dice = random.Random(seed)
    name = ("goss.yaml", "gatus.yaml", "compose.yaml")[seed % 3]
    (folder / name).write_text(_mutated((FILES / name).read_text(), dice))
    form = name.removesuffix(".yaml")
    try:
        found = import_files([folder / name], "taken", form)
    except UsageError as error:
        return 0 if name in error.title else -1000
    load_plan_text(found.text, Path("taken.yaml"))
    assert not [secret for secret in SECRETS if secret in found.text]
    return len(found.carried) + len(found.lost)


def test_mutated_files_never_crash(tmp_path: Path) -> None:
    assert sum(_try(seed, tmp_path) > 0 for seed in range(9)) > 1


@pytest.mark.soak
def test_many_mutated_files_never_crash(tmp_path: Path) -> None:
    assert sum(_try(seed, tmp_path) > 0 for seed in range(1000)) > 200
