"""`python -m benchmarks.rerank_gpu`: scoring on a GPU beside what the device could do. Without CUDA it says so.

BERT-base dimensions (12 layers, 768 wide), random weights, items of 32 tokens, a query of 96, in bf16. Measured in the
process: the matrix rate and the copy bandwidth of the device; the whole cross-encoder's share of that rate; level
`full` at N = 1000 beside its floor (its operations at the matrix rate, or its bytes at the bandwidth, whichever takes
longer); latencies at N = 100 and 1000; throughput beside BertForSequenceClassification in fp16, as peers run it; and
that of requests scored together. The last line is JSON; benchmarks/results/rerank_gpu.json where there is a device.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch  # noqa: TID251 (measures the library itself)

from benchmarks import machine
from reranker.cost import Lengths, split_flops
from reranker.depth import level_depths
from reranker.encoders import build_encoder
from reranker.encoding import TextEncoder, base_model_directory, base_text_encoder
from reranker.limits import Limits
from reranker.prepared import PreparedQuery
from reranker.shape import flops
from reranker.split import SplitNetwork
from reranker.split_scoring import SplitScorer
from reranker.states import calibrate
from reranker.throughput import matrix_rate
from reranker.tokens import pair_tensors

RESULTS = Path("benchmarks/results/rerank_gpu.json")
HALF = torch.bfloat16
QUERY, ITEM, FEATURES = 94, 30, 8  # tokens without the two special ones
RUNS = 200
TOGETHER = (1, 2, 4, 8, 16)


def main() -> None:
    if not torch.cuda.is_available():
        print(json.dumps({"benchmark": "rerank_gpu", "skipped": "there is no CUDA device here"}))
        return
    device = torch.device("cuda")
    network, encoder = bert_base(device)
    rate, bandwidth = matrix_rate(device, HALF), copy_bandwidth(device)
    scorer = SplitScorer(network, encoder, "int8", level_depths(network.layers), device, Limits(1024, known_queries=0))
    found: dict[str, Any] = {
        "benchmark": "rerank_gpu",
        "machine": machine.describe() | {"device": torch.cuda.get_device_name(device), "torch": torch.__version__},
        "matrix_flops": rate,
        "copy_bytes_per_second": bandwidth,
    }
    pairs = 256
    whole = seconds(lambda: network_scores(network, encoder, pairs, device))
    found["exact_share_of_matrix_rate"] = flops(network, QUERY + ITEM + 4) * pairs / whole / rate
    for documents in (100, 1000):
        asked = work(documents)
        taken = [seconds_once(lambda: scorer.scores([asked], "full")) for _ in range(RUNS)][RUNS // 10 :]  # noqa: B023
        found[f"full_{documents}_ms"] = {q: float(np.percentile(taken, q)) * 1000 for q in (50, 99)}
    found["full_1000_times_its_floor"] = found["full_1000_ms"][50] / 1000 / floor(network, rate, bandwidth, 1000)
    found["throughput_over_peer_fp16"] = pairs_per_second(scorer, 1, 1000) / peer_pairs_per_second(encoder, device)
    found["pairs_per_second"] = {
        f"{requests} of 100 together": round(pairs_per_second(scorer, requests, 100)) for requests in TOGETHER
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def bert_base(device: torch.device) -> tuple[SplitNetwork, TextEncoder]:
    """A split network of BERT-base's dimensions, in HALF, calibrated."""
    from tests.scenarios import SAMPLE

    base = base_model_directory("")
    config = json.loads((base / "config.json").read_text())
    config |= {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    torch.manual_seed(1)
    encoder = base_text_encoder(base, QUERY, ITEM, SAMPLE.text)
    network = SplitNetwork(build_encoder(config), np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32))
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


def network_scores(network: SplitNetwork, encoder: TextEncoder, pairs: int, device: torch.device) -> None:
    """The whole cross-encoder: every item reads its query again."""
    from reranker.network import CrossEncoder

    asked = work(pairs)
    batch = pair_tensors(encoder, [asked.query], asked.items, [0] * pairs, device)
    network.judge(CrossEncoder.encode(network, batch), torch.from_numpy(asked.features).to(device))


def floor(network: SplitNetwork, rate: float, bandwidth: float, documents: int) -> float:
    """Seconds that level `full` takes at least: its operations, or its weights and states read once."""
    depth = level_depths(network.layers)["full"]
    operations = split_flops(network, depth, Lengths(QUERY + 2, ITEM + 2, documents)) * documents
    weights = sum(weight.nbytes for weight in network.encoder.encoder.parameters())
    states = documents * (ITEM + 2) * network.encoder.config.hidden_size
    return max(operations / rate, (weights + states) / bandwidth)


def pairs_per_second(scorer: SplitScorer, requests: int, documents: int) -> float:
    """Of so many requests of so many documents each, scored together."""
    asked = [work(documents, seed) for seed in range(requests)]
    return requests * documents / seconds(lambda: scorer.scores(asked, "full"))


def peer_pairs_per_second(encoder: TextEncoder, device: torch.device) -> float:
    """BertForSequenceClassification in fp16 with SDPA, batches of 256."""
    from transformers import BertConfig, BertForSequenceClassification  # noqa: TID251 (the peer)

    config = BertConfig(num_labels=1)
    model = BertForSequenceClassification(config).half().to(device).eval()
    ids = torch.randint(1000, 20_000, (256, QUERY + ITEM + 3), device=device)
    return 256 / seconds(lambda: model(input_ids=ids))


def copy_bandwidth(device: torch.device) -> float:
    """Bytes a second that are read and written by a copy of a gigabyte."""
    source = torch.empty(1 << 30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source))


def seconds(task: Callable[[], object], runs: int = 20) -> float:
    """The median of `runs`, after as many that do not count."""
    taken = [seconds_once(task) for _ in range(2 * runs)]
    return float(np.median(taken[runs:]))


def seconds_once(task: Callable[[], object]) -> float:
    with torch.inference_mode():
        torch.cuda.synchronize()
        start = time.perf_counter()
        task()
        torch.cuda.synchronize()
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
