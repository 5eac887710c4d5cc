"""A browser and a server for it. Where there is no browser, the summary says what was not run."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.store.numbers import number_by_clock
from contract.store.publisher import set_model
from ops.embedded.servers import CHROMIUM
from tests.browser import Browser, chromium
from tests.online.stack import Stack, running_stack
from tests.online.toy import publish, until, write_model

# `make test` installs Chromium where it can.
NEED_CHROMIUM = ["test_monitor_page.py", "test_monitor_readers.py"]
collect_ignore = [] if CHROMIUM.path() else NEED_CHROMIUM


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"NOT RUN, for no chromium is on PATH: {', '.join(collect_ignore)}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = CHROMIUM.path()
    assert path is not None
    with chromium(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway and a ranker that have answered at two levels."""
    models = tmp_path_factory.mktemp("models")
    with running_stack(models, PACE_GATEWAY__CACHE_TTL_SECONDS="60") as stack:
        publish(stack.client, stack.keys, number_now=number_by_clock)  # as wide as it is
        write_model(models, "m1")
        set_model(stack.client, stack.keys, "m1")
        with stack.ranker(), stack.gateway():
            until(lambda: "serves" in stack.page("/readyz")[1]["ranker"], "the ranker serves")
            for query in ("user_id=ann", "user_id=ann&item_id=cup", "user_id=stranger", "user_id=ann") * 5:
                assert stack.ask(query)[0] == 200
            until(lambda: any(stack.page("/monitor.json")[1]["series"]["t_total_ms"]), "a point of the series")
            yield stack
