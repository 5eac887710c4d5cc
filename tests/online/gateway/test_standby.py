"""What the pulse says of the store, in the log: what has changed, and nothing else."""

import logging
import os
import signal

import pytest

from tests.online.stack import running_stack
from tests.online.toy import free_port, publish, until


@pytest.fixture(autouse=True)
def everything_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="online.gateway.standby")


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and beginning of each line about the store."""
    lines = [record for record in caplog.records if record.name == "online.gateway.standby"]
    return [(record.levelname, record.getMessage()[:20]) for record in lines]


def test_a_store_that_was_never_away_is_not_back(client, keys, settings, start_gateway, caplog) -> None:
    publish(client, keys)
    gateway = start_gateway(settings())

    assert gateway.get("/readyz").json["store"] == "ok"
    assert said(caplog) == []


def test_a_store_that_is_away_from_the_start_is_told(settings, start_gateway, caplog) -> None:
    gateway = start_gateway(settings(redis={"url": f"redis://127.0.0.1:{free_port()}/0"}))

    assert gateway.get("/readyz").json["store"] == "unreachable"
    assert [level for level, _ in said(caplog)] == ["WARNING"]


def test_a_store_that_froze_is_told_and_so_is_that_it_is_back(tmp_path, settings, start_gateway, caplog) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        gateway = start_gateway(settings(redis={"url": stack.url}))
        pid = stack.client.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: gateway.get("/readyz").json["store"] == "unreachable", "it is seen that the store is away")
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: gateway.get("/readyz").json["store"] == "ok", "it is seen that the store is back")

        assert [level for level, _ in said(caplog)] == ["WARNING", "INFO"]
        assert said(caplog)[1] == ("INFO", "store: it is back")
