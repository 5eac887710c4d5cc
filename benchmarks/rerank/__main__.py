"""`python -m benchmarks.rerank [--quick]`: what re-ranking costs over HTTP, beside what people would set up instead.

All systems have the same MiniLM weights, two threads, and the same queries and documents; they are asked in turn, in
interleaved rounds (benchmarks.rerank.rounds). `--quick` gives the same figures from fewer systems, sizes and requests
in less than five minutes and keeps nothing; without it benchmarks/results/rerank.json and docs/benchmarks/rerank.md
are written. Peers are installed by `make bench-peers`. The last line is JSON.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.rerank.ours import Ours, of_sizes
from benchmarks.rerank.page import page
from benchmarks.rerank.peer import PEERS
from benchmarks.rerank.rounds import Contestant, Turn, growth, measure, started, summary, table

RESULTS = Path("benchmarks/results/rerank.json")
# A run that is to stay beside the newest one, of another machine, is kept as rerank.<machine>.json.
ELSEWHERE = "rerank.*.json"
PAGE = Path("docs/benchmarks/rerank.md")
DOCUMENTS = 100
SIZES = (10, 50, 100, 200, 500, 1000)
NAIVE, OPENVINO, FULL, FAST = "naive", "openvino", "full", "fast"
# Peers whose growth is measured too; each takes seconds a request at the larger sizes.
GROWN = (NAIVE, OPENVINO)


def main(argv: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m benchmarks.rerank", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer systems, sizes and requests; keeps nothing")
    quick = parser.parse_args(argv).quick
    described = machine.describe()
    sizes = (DOCUMENTS,) if quick else SIZES
    peers = [peer for peer in PEERS if not quick or peer.name in GROWN]
    with started([*peers, *of_sizes(sizes)]) as contestants:
        rows = summary(beside_peers(contestants, 2 if quick else 5))
        by_size = [] if quick else summary(over_sizes(contestants, 3))
    found = {
        "benchmark": "rerank",
        "quick": quick,
        "machine": described,
        "documents": DOCUMENTS,
        "rows": rows,
        "over_sizes": by_size,
        "growth": growth(by_size),
        **ratios(rows),
    }
    print(table([*rows, *by_size]))
    if not quick:
        elsewhere = [json.loads(file.read_text()) for file in sorted(RESULTS.parent.glob(ELSEWHERE))]
        for file, text in ((RESULTS, json.dumps(found, indent=2) + "\n"), (PAGE, page(found, elsewhere))):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    print(json.dumps(found))


def beside_peers(contestants: Sequence[Contestant], rounds: int) -> list[Turn]:
    """Of DOCUMENTS each, one and eight requests in flight; in a round ours are asked more often: they take less."""
    turns = []
    for concurrency in (1, 8):
        turns += measure(
            contestants,
            DOCUMENTS,
            concurrency,
            lambda system: 24 if isinstance(system, Ours) else 2,
            rounds if concurrency == 1 else max(1, rounds // 2),
            warm_up=2,
        )
    return turns


def over_sizes(contestants: Sequence[Contestant], rounds: int) -> list[Turn]:
    """Every size in each round: of sizes asked minutes apart, ratios would tell how the machine changed meanwhile."""
    chosen = [one for one in contestants if isinstance(one.system, Ours) or one.system.name in GROWN]
    turns = []
    for place in range(rounds):
        for size in SIZES:
            turns += measure(
                chosen,
                size,
                1,
                lambda system: 12 if isinstance(system, Ours) else 1,
                rounds=1,
                warm_up=1 if place == 0 else 0,
            )
    return turns


def ratios(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How many times less CPU and wall time a request takes than with the naive design, and than with OpenVINO."""
    of = {(row["system"], row["concurrency"]): row for row in rows}

    def less(name: str, than: str, concurrency: int, figure: str) -> float:
        return round(float(of[than, concurrency][figure] / of[name, concurrency][figure]), 2)

    return {
        "cpu_ratio_full": less(FULL, NAIVE, 1, "cpu_ms_per_request"),
        "cpu_ratio_fast": less(FAST, NAIVE, 1, "cpu_ms_per_request"),
        "wall_ratio_full_c8": less(FULL, NAIVE, 8, "wall_ms_per_request"),
        "wall_ratio_fast_c8": less(FAST, NAIVE, 8, "wall_ms_per_request"),
        "cpu_ratio_full_vs_openvino": less(FULL, OPENVINO, 1, "cpu_ms_per_request"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
