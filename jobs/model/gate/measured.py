"""The part of the gate that needs the model and this machine: what scoring takes, and what the scores are like."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.settings import Settings
from jobs.model.dataset import Query
from jobs.model.gate import rules
from jobs.model.gate.record import Latency, Parity, Scores
from jobs.model.rankers import read_ahead
from reranker.golden import golden_tolerance
from reranker.scoring import Reranker


def measured(model: Reranker, queries: Sequence[Query], settings: Settings) -> tuple[Latency, Parity, Scores]:
    """`model` is loaded with the ranker's settings; each query is scored once, alone, as a request would be."""
    model.warm_up()
    read_ahead(model, queries, settings.gateway.rerank_depth)
    taken: list[float] = []
    scores: list[NDArray[np.float32]] = []
    for query in queries:
        head = query.candidates.take(range(min(settings.gateway.rerank_depth, len(query.candidates))))
        start = time.perf_counter()
        found = model.run(model.prepare(query.user, query.context, head, query.items, query.sources))
        taken.append((time.perf_counter() - start) * 1000)
        scores.append(found.final)
    took = rules.latency(
        taken,
        max(map(len, scores)),
        settings.gate.latency_budget_ms,
        machine(),
        str(model.device),
        str(model.half or "float32").removeprefix("torch."),
        settings.ranker.threads,
    )
    return took, rules.parity(model.golden_difference, golden_tolerance(model.half)), rules.score_check(scores)


def machine() -> str:
    """Cores, processor and kernel: what a latency is worth elsewhere depends on them."""
    names = [line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.processor()}, {platform.platform()}"


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.is_file() else []
