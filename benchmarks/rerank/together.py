"""`python -m benchmarks.rerank.together`: what it saves to score requests together instead of one after another.

One process, states in memory, every query read anew; queries of 32 to 96 tokens, items of 12 to 32. 1, 2, 4 and 8
requests a batch in turn, in interleaved rounds; milliseconds a request, medians. Prints a table; the last line is JSON,
kept in benchmarks/results/rerank_together.json.
"""

import json
import time
from collections.abc import Iterator
from itertools import count, product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch  # noqa: TID251 (measures the library itself)

from benchmarks import machine
from benchmarks.rerank.environments import FOLDER
from benchmarks.rerank.our_model import export_model
from contract.allocation import keep_freed_memory
from reranker.limits import Limits
from reranker.loading import load_reranker
from reranker.prepared import PreparedQuery
from reranker.scoring import Reranker

RESULTS = Path("benchmarks/results/rerank_together.json")
CANDIDATES, TOGETHER, ROUNDS, WARM_UP = (10, 100), (1, 2, 4, 8), 25, 12
TEXTS, ITEM_TOKENS, QUERY_TOKENS = 2000, (12, 33), (32, 97)


def main() -> None:
    keep_freed_memory()
    described = machine.describe()
    model = load_reranker(export_model(FOLDER / "ours"), "cpu", 2, Limits(known_queries=0))
    texts = made(np.random.default_rng(3))
    assert model.split is not None
    with torch.inference_mode():
        model.split.read_ahead(texts)
    found: list[dict[str, Any]] = []
    for candidates, level in product(CANDIDATES, model.levels):
        taken = measured(model, texts, candidates, level)
        found += [
            {
                "candidates": candidates,
                "level": level,
                "together": together,
                "ms_a_request": round(median(wall for wall, _ in times) * 1e3 / together, 2),
                "cpu_ms_a_request": round(median(cpu for _, cpu in times) * 1e3 / together, 2),
            }
            for together, times in taken.items()
        ]
    for row in found:
        print("{candidates:4} {level:4} {together:2}  {ms_a_request:8} {cpu_ms_a_request:8}".format(**row))
    told = {"benchmark": "rerank_together", "machine": described, "format": str(model.half), "rows": found}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told))


def measured(
    model: Reranker, texts: list[tuple[int, ...]], candidates: int, level: Any
) -> dict[int, list[tuple[float, float]]]:
    """Seconds of wall and of CPU of each batch, by how many requests it has."""
    requests = requested(texts, len(model.manifest.feature_names), candidates)
    taken: dict[int, list[tuple[float, float]]] = {together: [] for together in TOGETHER}
    for number in range(WARM_UP + ROUNDS):
        for together in TOGETHER:
            asked = [next(requests) for _ in range(together)]
            wall, cpu = time.perf_counter(), time.process_time()
            model.run_all(asked, level)
            if number >= WARM_UP:
                taken[together].append((time.perf_counter() - wall, time.process_time() - cpu))
    return taken


def made(draw: np.random.Generator) -> list[tuple[int, ...]]:
    """Token ids of different texts."""
    return [(1000 + n, *draw.integers(1000, 20_000, draw.integers(*ITEM_TOKENS) - 1).tolist()) for n in range(TEXTS)]


def requested(texts: list[tuple[int, ...]], features: int, candidates: int) -> Iterator[PreparedQuery]:
    """Each with a query of its own."""
    draw = np.random.default_rng(11)
    for number in count():
        query = (1000 + number % 20_000, *draw.integers(1000, 20_000, draw.integers(*QUERY_TOKENS) - 1).tolist())
        items = tuple(texts[place] for place in draw.integers(0, len(texts), candidates))
        yield PreparedQuery(query, items, np.zeros((candidates, features), np.float32))


if __name__ == "__main__":
    main()
