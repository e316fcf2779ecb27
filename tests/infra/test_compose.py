"""`infra/compose.yaml` as far as it can be judged without containers: what it names is there, and nothing is open."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.kafka.containers import prepare
from infra.kafka.libraries import version
from infra.kafka.node import Node, Ports, write_settings
from infra.kafka.topics import OPERATOR

INFRA = Path(__file__).resolve().parents[2] / "infra"
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN_PLACE = {
    "controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs", "ssl.keystore.location",
    "ssl.truststore.location",
}  # fmt: skip
"""Settings that differ because a container has paths and ports of its own."""


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_named_with_its_whole_version(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(/[a-z]+)?:\d+\.\d+(\.\d+)?", SERVICES[name]["image"])


def test_the_kafka_of_the_containers_is_the_kafka_of_the_tests() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version()}"


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_on_loopback_only(name: str) -> None:
    assert [one for one in SERVICES[name]["ports"] if not one.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_an_environment_or_a_command(name: str) -> None:
    for variable, value in SERVICES[name]["environment"].items():
        assert variable.endswith("_FILE") or not re.search("PASS|SECRET|KEY|TOKEN", variable), variable
        assert not variable.endswith("_FILE") or value.startswith("/run/secrets/")
    assert "password" not in " ".join(SERVICES[name]["command"]).lower()


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_and_every_setting_that_a_service_names_is_a_file_of_the_list(name: str) -> None:
    service = SERVICES[name]
    assert set(service["secrets"]) <= COMPOSE["secrets"].keys()
    assert {one["source"] for one in service["configs"]} <= COMPOSE["configs"].keys()
    used = set(re.findall(r"/run/secrets/([\w.-]+)", str(service)))
    assert used <= set(service["secrets"])


def test_prepare_makes_every_secret_and_for_its_owner_only(tmp_path: Path) -> None:
    prepare(tmp_path / "secrets")
    for secret in COMPOSE["secrets"].values():
        made = tmp_path / secret["file"]
        assert made.stat().st_size > 0
        assert secret["file"] == "secrets/ca.pem" or stat.S_IMODE(made.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        prepare(tmp_path / "secrets")


def test_the_settings_that_it_mounts_are_there() -> None:
    for setting in COMPOSE["configs"].values():
        assert (INFRA / setting["file"]).is_file()


def test_kafka_has_no_listener_without_tls_and_is_set_as_the_one_that_the_tests_run(tmp_path: Path) -> None:
    node = Node(1, tmp_path, Ports(1, 2, 3))
    write_settings(node, [node], [OPERATOR, "CN=node-1"], tmp_path / "ca.pem")
    tested = properties(tmp_path / "server.properties")
    ours = properties(INFRA / "compose" / "kafka.properties")
    assert {k: v for k, v in ours.items() if k not in OWN_PLACE} == {
        k: v for k, v in tested.items() if k not in OWN_PLACE
    }
    protocols = dict(one.split(":") for one in ours["listener.security.protocol.map"].split(","))
    assert set(protocols.values()) == {"SASL_SSL", "SSL"}
    assert {one.split(":")[0] for one in ours["listeners"].split(",")} == protocols.keys()


def test_postgresql_lets_nobody_in_without_tls() -> None:
    lines = (INFRA / "compose" / "pg_hba.conf").read_text().splitlines()
    doors = [line.split() for line in lines if line and not line.startswith("#")]
    assert {(door[0], door[-1]) for door in doors} == {("local", "peer"), ("hostssl", "scram-sha-256")}


def properties(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)
