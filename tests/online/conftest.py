"""A gateway and a ranker in this process, over real sockets and a real Valkey."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from contract.settings import Settings
from online.gateway.app import create_app
from online.ranker.main import Ranker
from tests.online.toy import PriceScorer, free_port, until


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def settings(valkey_url: str, models: Path) -> Callable[..., Settings]:
    """Settings of the test, by section: settings(gateway={"max_n": 5})."""
    ranker = {"endpoint": f"tcp://127.0.0.1:{free_port()}", "metrics_port": free_port(), "poll_seconds": 0.02}

    def of(**sections: dict[str, Any]) -> Settings:
        defaults: dict[str, dict[str, Any]] = {
            # The machine that tests run on may be busy: a pause of it must not look like a Redis that is gone.
            "redis": {"url": valkey_url, "prefix": "test", "timeout_seconds": 1.0},
            "events": {"url": valkey_url},
            "gateway": {"cache_ttl_seconds": 0, "refresh_seconds": 0.05, "min_timeout_ms": 1001, "timeout_ms": 5000},
            "ranker": ranker,
            "night": {"models": str(models)},
        }
        merged = {name: {**defaults.get(name, {}), **sections.get(name, {})} for name in {*defaults, *sections}}
        return Settings(_env_file=None, **merged)  # type: ignore[call-arg]

    return of


@pytest.fixture
def start_gateway() -> Iterator[Callable[[Settings], FlaskClient]]:
    """Starts gateways; `background` of the app is stopped at the end."""
    started = []

    def start(settings: Settings) -> FlaskClient:
        app = create_app(settings)
        started.append(app.extensions["background"])
        return app.test_client()

    yield start
    for background in started:
        background.stop()


@pytest.fixture
def start_ranker() -> Iterator[Callable[..., Ranker]]:
    """Starts ranker processes' insides in threads; `warm` waits for the model that the pointer names."""
    started: list[tuple[Ranker, threading.Thread]] = []

    def start(settings: Settings, load: Callable[[Path], Any] = PriceScorer, warm: bool = True) -> Ranker:
        ranker = Ranker(settings, load)
        thread = threading.Thread(target=ranker.run)
        thread.start()
        started.append((ranker, thread))
        if warm:
            until(lambda: ranker.watch.serving is not None, "a model serves")
        return ranker

    yield start
    for ranker, thread in started:
        ranker.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def ranked_gateway(
    settings: Callable[..., Settings],
    start_gateway: Callable[[Settings], FlaskClient],
    start_ranker: Callable[..., Ranker],
) -> Callable[..., FlaskClient]:
    """A gateway whose ranker serves the model that the pointer names."""

    def start(**sections: dict[str, Any]) -> FlaskClient:
        chosen = settings(**sections)
        start_ranker(chosen, warm=False)
        gateway = start_gateway(chosen)
        until(lambda: gateway.get("/readyz").json["ranker"].startswith("serves"), "the ranker answers")
        return gateway

    return start
