"""`python -m benchmarks.rerank.slab [--items 1000000]`: does a million items' states fit, and do scores take longer?

One process holds the states of 10,000 texts of 32 tokens, and those of `--items`, at level `full` alone; requests of
100 candidates drawn from all of them are scored from either in turn. The states are generated: what they say is not
looked at, where they lie is. The last line is JSON, kept in benchmarks/results/rerank_slab.json for a million.
"""

import json
import random
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import machine
from benchmarks.rerank.environments import FOLDER
from benchmarks.rerank.our_model import export_model
from contract.allocation import keep_freed_memory
from contract.states import BLOCK_TEXTS, StateBlock, text_key
from reranker.limits import Limits
from reranker.loading import load_reranker
from reranker.prepared import PreparedQuery
from reranker.scoring import Reranker
from reranker.shelf import Slab, filled

RESULTS = Path("benchmarks/results/rerank_slab.json")
SMALL, KEPT = 10_000, 1_000_000
TOKENS, CANDIDATES, QUERY_TOKENS = 32, 100, 96
REQUESTS, WARM_UP = 300, 20


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.rerank.slab", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=KEPT, help="texts of the large slab (%(default)s)")
    items = parser.parse_args().items
    keep_freed_memory()
    described = machine.describe()
    model = load_reranker(export_model(FOLDER / "ours"), "cpu", 2, Limits(known_queries=0, levels=("full",)))
    began = time.perf_counter()
    slabs = {count: slab(model, count) for count in (SMALL, items)}
    filled_after = time.perf_counter() - began
    seconds = scored(model, slabs)
    found: dict[str, Any] = {
        "benchmark": "rerank_slab",
        "machine": described,
        "items": items,
        "bytes_an_item": round(slabs[items].nbytes / items, 1),
        "slab_gb": round(slabs[items].nbytes / 1e9, 2),
        "process_gb": round(psutil.Process().memory_info().rss / 1e9, 2),
        "filled_seconds": round(filled_after, 1),
        **{f"{name}_{count}": value for count, taken in seconds.items() for name, value in figures(taken).items()},
    }
    found["p50_ratio"] = round(found[f"p50_ms_{items}"] / found[f"p50_ms_{SMALL}"], 3)
    found["p99_ratio"] = round(found[f"p99_ms_{items}"] / found[f"p99_ms_{SMALL}"], 3)
    if items == KEPT:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def text(number: int) -> tuple[int, ...]:
    """The token ids of a text, 32 of them, unlike any other's."""
    return (1000 + number // 20_000, 1000 + number % 20_000, *range(2000, 2000 + TOKENS - 2))


def slab(model: Reranker, count: int) -> Slab:
    assert model.split is not None
    shelf = model.split.shelf
    return filled(shelf.codec, shelf.depths, blocks(model, count), count * (TOKENS + 2), model.device)


def blocks(model: Reranker, count: int) -> Iterator[StateBlock]:
    assert model.split is not None
    codec, draw = model.split.shelf.codec, np.random.default_rng(7)
    rows = draw.integers(-127, 128, (BLOCK_TEXTS * (TOKENS + 2), codec.width)).astype(codec.kind)
    for start in range(0, count, BLOCK_TEXTS):
        keys = tuple(text_key(text(number)) for number in range(start, min(start + BLOCK_TEXTS, count)))
        lengths = np.full(len(keys), TOKENS + 2, np.int32)
        yield StateBlock(model.version, codec.kind, codec.width, keys, lengths, rows[: int(lengths.sum())])


def scored(model: Reranker, slabs: dict[int, Slab]) -> dict[int, list[float]]:
    """Seconds of each request, slabs in turn."""
    assert model.split is not None
    draw = random.Random("slab")
    features = np.zeros((CANDIDATES, len(model.manifest.feature_names)), np.float32)
    taken: dict[int, list[float]] = {count: [] for count in slabs}
    for number in range(WARM_UP + REQUESTS):
        query = (1000 + number, *range(3000, 3000 + QUERY_TOKENS - 1))
        for count, one in slabs.items():
            model.split.shelf.hold(one)
            items = tuple(text(draw.randrange(count)) for _ in range(CANDIDATES))
            began = time.perf_counter()
            model.run(PreparedQuery(query, items, features))
            if number >= WARM_UP:
                taken[count].append(time.perf_counter() - began)
    unknown = {outcome: texts for kind, outcome, texts in model.needed() if kind == "item"}["read"]
    if unknown:
        raise SystemExit(f"{unknown} texts were in no slab: something else was measured")
    return taken


def figures(taken: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.quantile(taken, (0.5, 0.99))
    return {"p50_ms": round(float(p50) * 1e3, 2), "p99_ms": round(float(p99) * 1e3, 2)}


if __name__ == "__main__":
    main()
