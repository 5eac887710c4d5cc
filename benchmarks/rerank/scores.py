"""`python -m benchmarks.rerank.scores`: do the peers score alike? Each is asked the same; all are held to the first.

A peer that answers with a sigmoid of the score is compared by its logit: Pearson's correlation of the scores,
Spearman's of the order, and how many of the first's best 10 are among the peer's.
"""

import json
import math
import sys
import urllib.request
from collections.abc import Sequence

import numpy as np
from scipy.stats import pearsonr, spearmanr

from benchmarks.rerank.peer import PEERS, Peer, body
from benchmarks.rerank.system import HOST, Running
from benchmarks.rerank.work import workload

DOCUMENTS, REQUESTS = 100, 3
LEAST_CORRELATION = 0.99
TOP = 10
# These answer with sigmoid(logit), as sentence-transformers do for one output.
SIGMOID = frozenset({"cross_encoder", "infinity", "infinity_bf16"})


def scores(running: Running, number: int, documents: int, sigmoid: bool) -> list[float]:
    """The logits of request `number`, in the order of its documents. Raises ValueError where some were not answered."""
    asked = workload().request(number, documents)
    texts = [workload().documents[place] for place in asked.candidates]
    request = urllib.request.Request(
        f"http://{HOST}:{running.port}/rerank",
        body(workload().queries[asked.query], texts, documents),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        found = {result["index"]: result["relevance_score"] for result in json.load(answer)["results"]}
    if sorted(found) != list(range(documents)):
        raise ValueError(f"of {documents} documents {len(found)} were scored")
    ordered = [found[index] for index in range(documents)]
    return [math.log(score / (1 - score)) for score in ordered] if sigmoid else ordered


def agreement(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Of one request's scores; `theirs` are the ones held to."""
    best = [set(np.argsort(values)[::-1][:TOP].tolist()) for values in (ours, theirs)]
    return {
        "pearson": round(float(pearsonr(ours, theirs).statistic), 5),
        "spearman": round(float(spearmanr(ours, theirs).statistic), 5),
        "largest_difference": round(float(np.abs(np.subtract(ours, theirs)).max()), 5),
        "of_best_10": len(best[0] & best[1]),
    }


def main(peers: Sequence[Peer] = PEERS) -> int:
    answered: dict[str, list[list[float]]] = {}
    for peer in peers:
        with peer.start() as running:
            answered[peer.name] = [
                scores(running, number, DOCUMENTS, peer.name in SIGMOID) for number in range(REQUESTS)
            ]
    first, *others = answered
    worst = 1.0
    for name in others:
        for ours, theirs in zip(answered[name], answered[first], strict=True):
            found = agreement(ours, theirs)
            worst = min(worst, found["pearson"])
            print(f"{name} against {first}: {found}")
    print(json.dumps({"benchmark": "rerank scores", "least_correlation": worst}))
    return 0 if worst > LEAST_CORRELATION else 1


if __name__ == "__main__":
    sys.exit(main())
