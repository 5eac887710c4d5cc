"""`python -m benchmarks.rerank_gpu`: scoring on a GPU beside what the device could do. Without CUDA it says so.

BERT-base dimensions (12 layers, 768 wide), random weights, items of 32 tokens, a query of 96, in bf16. Measured in the
process: the matrix rate and the copy bandwidth of the device; the whole cross-encoder's share of that rate; latencies
at N = 100 and 1000, with passes recorded and without; level `full` at N = 1000 beside its floor (its operations at the
matrix rate, or its bytes at the bandwidth, whichever takes longer); throughput beside BertForSequenceClassification in
fp16, as peers run it, and that of requests scored together. Then over HTTP, through gateway, ranker and Redis, one
request in flight. The last line is JSON; benchmarks/results/rerank_gpu.json where there is a device.

`--dry-run` goes the same way on the CPU with a small encoder and few runs: its figures say nothing, and stay nowhere.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch  # noqa: TID251 (measures the library itself)

from benchmarks import load_client, machine
from benchmarks.rerank.environments import FOLDER
from benchmarks.rerank.generated_base import BERT_BASE, Dimensions, generated_base
from benchmarks.rerank.ours import Ours
from benchmarks.rerank.system import HOST
from reranker.cost import Lengths, split_flops
from reranker.depth import level_depths
from reranker.encoders import load_base_encoder
from reranker.encoding import TextEncoder, base_text_encoder
from reranker.graphs import recorder_for
from reranker.limits import Limits
from reranker.network import CrossEncoder
from reranker.prepared import PreparedQuery
from reranker.recording import record
from reranker.shape import flops
from reranker.split import SplitNetwork
from reranker.split_scoring import SplitScorer
from reranker.states import calibrate
from reranker.throughput import matrix_rate
from reranker.tokens import pair_tensors

RESULTS = Path("benchmarks/results/rerank_gpu.json")
HALF = torch.bfloat16
QUERY, ITEM, FEATURES = 94, 30, 8  # tokens without the two special ones
SIZES = (100, 1000)


class Extent(NamedTuple):
    """How much is measured. `together`: requests of SIZES[0] that are scored together."""

    dimensions: Dimensions
    runs: int
    peer_batch: int
    together: tuple[int, ...]
    copied_bytes: int


WHOLE = Extent(BERT_BASE, 200, 256, (1, 2, 4, 8, 16), 1 << 30)
DRY = Extent(Dimensions(64, 4, 4, 128), 4, 8, (1, 2), 1 << 20)


def main(argv: list[str]) -> None:
    dry = "--dry-run" in argv
    if not dry and not torch.cuda.is_available():
        print(json.dumps({"benchmark": "rerank_gpu", "skipped": "there is no CUDA device here"}))
        return
    device, extent = torch.device("cpu" if dry else "cuda"), DRY if dry else WHOLE
    base = generated_base(FOLDER / "generated_base", extent.dimensions)
    found = in_process(base, device, extent) | {"over_http_ms": over_http(base, extent.runs)}
    found["aims"] = aims(found)
    if dry:
        found["benchmark"] = "rerank_gpu, a dry run"
    else:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def in_process(base: Path, device: torch.device, extent: Extent) -> dict[str, Any]:
    """What the scorer takes by itself."""
    network, encoder = split_network(base, device)
    rate, bandwidth = matrix_rate(device, HALF), copy_bandwidth(device, extent)
    limits = Limits(known_queries=0)
    direct, scorer = (
        SplitScorer(network, encoder, "int8", level_depths(network.layers), device, limits) for _ in range(2)
    )
    found: dict[str, Any] = {
        "benchmark": "rerank_gpu",
        "machine": machine.describe() | {"device": device_name(device), "torch": torch.__version__},
        "matrix_flops": rate,
        "copy_bytes_per_second": bandwidth,
    }
    recorder = recorder_for(device)
    with torch.inference_mode():
        found["recorded"] = recorder is not None and record(scorer, recorder)
    whole = seconds(lambda: whole_scores(network, encoder, extent.peer_batch, device), device, extent)
    found["exact_share_of_matrix_rate"] = flops(network, QUERY + ITEM + 4) * extent.peer_batch / whole / rate
    found["full_ms"] = {
        name: {str(size): latencies(one, size, device, extent) for size in SIZES}
        for name, one in (("recorded", scorer), ("direct", direct))
    }
    taken = found["full_ms"]["recorded"][str(SIZES[1])]["p50"] / 1000
    found["full_1000_times_its_floor"] = taken / floor(network, rate, bandwidth, SIZES[1])
    peer = peer_pairs_per_second(base, device, extent)
    found["throughput_over_peer_fp16"] = pairs_per_second(scorer, 1, SIZES[1], device, extent) / peer
    found["pairs_per_second"] = {
        f"{requests} of {SIZES[0]} together": round(pairs_per_second(scorer, requests, SIZES[0], device, extent))
        for requests in extent.together
    }
    return found


def over_http(base: Path, runs: int) -> dict[str, dict[str, float]]:
    """p50 and p99 of so many requests, one in flight, by the number of documents."""
    system, found = Ours("full", "full", SIZES, base=base), {}
    with system.start() as running:
        for size in SIZES:
            requests = system.requests(size)
            load_client.run(HOST, running.port, requests, 1, runs // 4 + 1, 60.0)
            load = load_client.run(HOST, running.port, requests, 1, runs, 60.0)
            if load.refused:
                raise SystemExit(f"{load.refused} of {runs} requests were refused: see {FOLDER}")
            found[str(size)] = {f"p{q}": round(load.quantile(q / 100) * 1000, 3) for q in (50, 99)}
    return found


def aims(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was to be reached, beside what was."""
    least = {"exact_share_of_matrix_rate": 0.5, "throughput_over_peer_fp16": 10.0}
    floors, http = found["full_1000_times_its_floor"], found["over_http_ms"]
    most = {
        "full_1000_times_its_floor": (floors, 3.0),
        "over_http_ms 100 p99": (http["100"]["p99"], 5.0),
        "over_http_ms 1000 p99": (http["1000"]["p99"], 12.0),
    }
    return [
        *(
            {"what": what, "found": found[what], "at_least": aim, "met": found[what] >= aim}
            for what, aim in least.items()
        ),
        *({"what": what, "found": it, "at_most": aim, "met": it <= aim} for what, (it, aim) in most.items()),
    ]


def split_network(base: Path, device: torch.device) -> tuple[SplitNetwork, TextEncoder]:
    """Calibrated, in HALF."""
    from tests.scenarios import SAMPLE

    encoder = base_text_encoder(base, QUERY, ITEM, SAMPLE.text)
    network = SplitNetwork(load_base_encoder(base), np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32))
    network.to(device).eval()
    calibrate(network, encoder, work(64).items)
    network.encoder.to(HALF)
    return network, encoder


def work(documents: int, seed: int = 0) -> PreparedQuery:
    """A query, different documents, and their features."""
    draw = np.random.default_rng((documents, seed))
    texts = draw.integers(1000, 20_000, (documents, ITEM)).tolist()
    features = np.zeros((documents, FEATURES), np.float32)
    return PreparedQuery(tuple(draw.integers(1000, 20_000, QUERY).tolist()), tuple(map(tuple, texts)), features)


def whole_scores(network: SplitNetwork, encoder: TextEncoder, pairs: int, device: torch.device) -> None:
    """The whole cross-encoder: every item reads its query again."""
    asked = work(pairs)
    batch = pair_tensors(encoder, [asked.query], asked.items, [0] * pairs, device)
    network.judge(CrossEncoder.encode(network, batch), torch.from_numpy(asked.features).to(device))


def floor(network: SplitNetwork, rate: float, bandwidth: float, documents: int) -> float:
    """Seconds that level `full` takes at least: its operations, or its weights and states read once."""
    depth = level_depths(network.layers)["full"]
    operations = split_flops(network, depth, Lengths(QUERY + 2, ITEM + 2, documents)) * documents
    weights = sum(weight.nbytes for weight in network.encoder.encoder.parameters())
    states = documents * (ITEM + 2) * network.encoder.config.hidden_size
    return float(max(operations / rate, (weights + states) / bandwidth))


def latencies(scorer: SplitScorer, documents: int, device: torch.device, extent: Extent) -> dict[str, float]:
    """Milliseconds of a request, its query read anew each time."""
    asked = work(documents)
    taken = [seconds_once(lambda: scorer.scores([asked], "full"), device) for _ in range(extent.runs * 11 // 10)]
    return {f"p{q}": float(np.percentile(taken[len(taken) - extent.runs :], q)) * 1000 for q in (50, 99)}


def pairs_per_second(scorer: SplitScorer, requests: int, documents: int, device: torch.device, extent: Extent) -> float:
    """Of so many requests of so many documents each, scored together."""
    asked = [work(documents, seed) for seed in range(requests)]
    return requests * documents / seconds(lambda: scorer.scores(asked, "full"), device, extent)


def peer_pairs_per_second(base: Path, device: torch.device, extent: Extent) -> float:
    """BertForSequenceClassification in fp16 with SDPA."""
    from transformers import BertConfig, BertForSequenceClassification  # noqa: TID251 (the peer)

    model = BertForSequenceClassification(BertConfig.from_pretrained(base, num_labels=1)).half().to(device).eval()
    ids = torch.randint(1000, 20_000, (extent.peer_batch, QUERY + ITEM + 3), device=device)
    return extent.peer_batch / seconds(lambda: model(input_ids=ids), device, extent)


def copy_bandwidth(device: torch.device, extent: Extent) -> float:
    """Bytes a second that are read and written by a copy."""
    source = torch.empty(extent.copied_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), device, extent)


def seconds(task: Callable[[], object], device: torch.device, extent: Extent) -> float:
    """The median of some runs, after as many that do not count."""
    runs = max(extent.runs // 10, 1)
    taken = [seconds_once(task, device) for _ in range(2 * runs)]
    return float(np.median(taken[runs:]))


def seconds_once(task: Callable[[], object], device: torch.device) -> float:
    with torch.inference_mode():
        wait_for(device)
        start = time.perf_counter()
        task()
        wait_for(device)
        return time.perf_counter() - start


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


if __name__ == "__main__":
    main(sys.argv[1:])
