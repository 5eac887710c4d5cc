"""docker-compose.yml without Docker: the schema of the specification, and the promises its first lines make.

compose-spec.schema.json is schema/compose-spec.json of the Compose Specification (github.com/compose-spec/compose-spec,
Apache-2.0), unchanged.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contract.settings import read_settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / "docker" / "env.example"
TEXT = FILE.read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<operator>:?[-?])(?P<rest>[^}]*))?\}")
ONE_SHOT = {name for name, service in SERVICES.items() if service.get("restart") == "no"}


def resolve(text: str, given: dict[str, str]) -> str:
    """Variables as Compose puts them in."""

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found["name"], found["operator"] or "", found["rest"] or ""
        if given.get(name) or (name in given and operator in ("", "-", "?")):
            return given[name]
        if "?" in operator:
            raise KeyError(f"{name}: {rest}")
        return rest

    return VARIABLE.sub(value, text)


def resolved(node: Any, given: dict[str, str]) -> Any:
    """Compose puts variables into the parsed tree, so that a value stays a string."""
    if isinstance(node, dict):
        return {key: resolved(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [resolved(value, given) for value in node]
    return resolve(node, given) if isinstance(node, str) else node


def example_variables() -> tuple[set[str], set[str]]:
    """The required and the optional variables of docker/env.example."""
    text = EXAMPLE.read_text()
    return set(re.findall(r"(?m)^(\w+)=", text)), set(re.findall(r"(?m)^#(\w+)=", text))


FILLED = dict.fromkeys(example_variables()[0], "s3cret")
RESOLVED = resolved(COMPOSE, FILLED)


@pytest.mark.parametrize("compose", [COMPOSE, RESOLVED], ids=["as written", "resolved"])
def test_it_follows_the_compose_schema(compose: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(compose)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_every_part_of_the_platform_is_there() -> None:
    assert set(SERVICES) == {
        "postgres", "airflow-init", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor",
        "airflow-triggerer", "spark-master", "spark-worker", "redis-serving", "redis-events", "ranker", "gateway",
        "prometheus", "alertmanager", "grafana", "mailpit", "mlflow",
    }  # fmt: skip


def test_every_published_port_is_on_loopback() -> None:
    ports = {f"{name} {port}" for name, service in RESOLVED["services"].items() for port in service.get("ports", [])}
    assert ports
    assert {port for port in ports if not re.search(r" 127\.0\.0\.1:\d+:\d+$", port)} == set()


def test_no_two_services_publish_one_port() -> None:
    published = [port.split(":")[1] for service in RESOLVED["services"].values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_a_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_initialisation_is_a_one_shot() -> None:
    assert sorted(ONE_SHOT) == ["airflow-init"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_dependency_exists_and_waits_for_a_state_it_can_reach(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert how == {"condition": wanted}, needed
        assert needed in SERVICES


def test_no_secret_is_written_down() -> None:
    """What is called a secret, and the password part of a URL, is a variable that has no default."""
    secret_names = re.compile(r"(PASSWORD|SECRET|SECRET_KEY|FERNET_KEY|TOKEN|AUTH)$")
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if secret_names.search(variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", str(value)), f"{name}: {variable}"
    for password in re.findall(r"://\w*:([^@\s]+)@", TEXT):
        assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", password)
    assert all(value == "" for value in re.findall(r"(?m)^\w+=(.*)$", EXAMPLE.read_text()))


def test_every_variable_is_documented_and_used() -> None:
    required, optional = example_variables()
    used = {(found["name"], "?" in (found["operator"] or "")) for found in VARIABLE.finditer(TEXT)}
    assert {name for name, needed in used if needed} == required
    assert {name for name, needed in used if not needed} == optional


def test_the_documented_defaults_are_the_defaults() -> None:
    documented = dict(re.findall(r"(?m)^#(\w+)=(.*)$", EXAMPLE.read_text()))
    for found in VARIABLE.finditer(TEXT):
        if "-" in (found["operator"] or ""):
            assert documented[found["name"]] == found["rest"], found["name"]


@pytest.mark.parametrize("missing", sorted(example_variables()[0]))
def test_a_missing_secret_stops_it_with_its_name(missing: str) -> None:
    given = {name: value for name, value in FILLED.items() if name != missing}
    with pytest.raises(KeyError, match=f"{missing}: set it in .env"):
        resolve(TEXT, given)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_has_a_pinned_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?", tag)


def test_what_is_mounted_exists_and_every_volume_is_named() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source, _, _ = mount.partition(":")
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {mount}"
                assert mount.endswith(":ro"), f"{name}: {mount}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {mount}"
    mounted = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= mounted


def test_the_driver_and_its_workers_see_the_lake_at_one_path() -> None:
    lake = SERVICES["airflow-scheduler"]["environment"]["PACE_NIGHT__LAKE"]
    assert f"lake:{lake}" in SERVICES["airflow-scheduler"]["volumes"]
    assert f"lake:{lake}" in SERVICES["spark-worker"]["volumes"]


@pytest.mark.parametrize(
    "name", sorted(n for n, s in SERVICES.items() if any(v.startswith("PACE_") for v in s.get("environment", {})))
)
def test_the_settings_of_a_service_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt or impossible PACE_ variable is refused here as it would be at the start of the service."""
    for variable, value in RESOLVED["services"][name]["environment"].items():
        if variable.startswith("PACE_"):
            monkeypatch.setenv(variable, str(value))
    settings = read_settings(env_file=None)
    assert settings.redis.url == "redis://:s3cret@redis-serving:6379/0"
    assert settings.events.url == "redis://:s3cret@redis-events:6379/0"


def test_an_address_inside_names_a_service_and_the_port_it_listens_on() -> None:
    listening = {
        "postgres": 5432, "airflow-api-server": 8080, "spark-master": 7077, "redis-serving": 6379,
        "redis-events": 6379, "ranker": 8001, "prometheus": 9090, "alertmanager": 9093, "mlflow": 5000,
    }  # fmt: skip
    found = set()
    for service in RESOLVED["services"].values():
        text = " ".join(map(str, service.get("environment", {}).values())) + " " + str(service.get("command", ""))
        found |= set(re.findall(r"(?:@|://)([a-z][a-z-]+):(\d+)", text))
    assert {(host, int(port)) for host, port in found} == set(listening.items())


def test_the_spark_connection_is_the_cluster() -> None:
    connection = json.loads(SERVICES["airflow-scheduler"]["environment"]["AIRFLOW_CONN_SPARK_DEFAULT"])
    assert connection == {"conn_type": "spark", "host": "spark://spark-master", "port": 7077}
    assert "spark://spark-master:7077" in SERVICES["spark-worker"]["command"]


def test_a_component_of_airflow_is_asked_for_under_its_own_host_name() -> None:
    assert COMPOSE["x-airflow"]["environment"]["AIRFLOW__CORE__HOSTNAME_CALLABLE"] == "socket.gethostname"
    for name in ("airflow-dag-processor", "airflow-triggerer"):
        check = SERVICES[name]["healthcheck"]["test"]
        assert check[check.index("--hostname") + 1] == SERVICES[name]["hostname"] == name
