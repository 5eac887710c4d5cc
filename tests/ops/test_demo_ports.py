"""Ports are checked before anything starts, and the message says what to do."""

import os
import socket
from collections.abc import Iterator

import pytest

from contract.errors import BadInput
from contract.settings import Settings
from ops.embedded.ports import Port, check_ports, wanted_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_names_the_service_the_process_and_the_setting(taken: int) -> None:
    with pytest.raises(BadInput) as refused:
        check_ports([Port("gateway", "PACE_GATEWAY__PORT", "127.0.0.1", taken)])
    assert f"port {taken} for gateway is in use by" in str(refused.value)
    assert f"(pid {os.getpid()})" in str(refused.value)
    assert "set PACE_GATEWAY__PORT" in str(refused.value)


def test_every_problem_is_told_at_once(taken: int) -> None:
    ports = [
        Port("gateway", "PACE_GATEWAY__PORT", "127.0.0.1", taken),
        Port("mail", "PACE_MAIL__PORT", "127.0.0.1", 1025),
        Port("mail-page", "PACE_MAIL__WEB_PORT", "127.0.0.1", 1025),
    ]
    with pytest.raises(BadInput, match=r"port 1025 is set for mail .*PACE_MAIL__PORT.* and mail-page") as refused:
        check_ports(ports)
    assert str(taken) in str(refused.value)


def test_free_ports_pass() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    check_ports([Port("gateway", "PACE_GATEWAY__PORT", "127.0.0.1", free)])


def test_a_server_that_the_settings_place_elsewhere_is_not_started_here() -> None:
    settings = Settings(
        _env_file=None,
        redis={"url": "redis://redis.internal:6379/0"},
        monitoring={"prometheus_url": "https://prometheus.internal"},
        registry={"tracking_uri": "http://127.0.0.1:5000"},
    )
    services = {port.service for port in wanted_ports(settings)}
    assert not services & {"valkey", "prometheus", "registry"}
    assert {"valkey-events", "gateway", "airflow", "mail", "alertmanager"} <= services


def test_every_port_of_the_demo_is_its_own_and_a_setting() -> None:
    ports = wanted_ports(Settings(_env_file=None))
    assert len({port.number for port in ports}) == len(ports) == 11
    assert all(port.setting.startswith("PACE_") and port.host == "127.0.0.1" for port in ports)
