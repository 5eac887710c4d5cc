"""`python -m benchmarks.rerank.scale`: does an answer take longer where items and users are a hundred times more?

Two stacks of ours at level `fast`, one of 10,000 items and users, one of a million of each, asked in turn. The texts of
the million are those of the ten thousand over again, so that the states held are the same: what grows is what Redis and
the caches of records hold. Writes benchmarks/results/rerank_scale.json; the last line is JSON.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.rerank.ours import Ours
from benchmarks.rerank.rounds import measure, started, summary, table
from benchmarks.rerank.work import CATALOGUE

RESULTS = Path("benchmarks/results/rerank_scale.json")
DOCUMENTS, REQUESTS, ROUNDS = 100, 200, 5
SMALL, LARGE = 10_000, 1_000_000


def main() -> None:
    described = machine.describe()
    systems = [
        Ours(f"{size} items and users", "fast", (DOCUMENTS,), copies=size // CATALOGUE, users=size)
        for size in (SMALL, LARGE)
    ]
    with started(systems) as contestants:
        turns = measure(contestants, DOCUMENTS, 1, lambda _: REQUESTS, ROUNDS, warm_up=REQUESTS)
    rows = summary(turns)
    small, large = rows
    found: dict[str, Any] = {
        "benchmark": "rerank_scale",
        "machine": described,
        "rows": rows,
        "p50_ratio": round(large["p50_ms"] / small["p50_ms"], 3),
        "p99_ratio": round(large["p99_ms"] / small["p99_ms"], 3),
        "cpu_ratio": round(large["cpu_ms_per_request"] / small["cpu_ms_per_request"], 3),
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(table(rows))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
