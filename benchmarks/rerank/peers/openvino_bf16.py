"""Flask and OpenVINO in bfloat16: pairs sorted by length, in batches that its streams work on side by side.

The fastest of what was tried (throughput or latency hint; 8, 16, 25, 32 or 50 pairs; lengths rounded up to 1, 8 or 16):
0.64 CPU seconds for 100 pairs of 120 tokens, where the latency hint takes 0.69 to 0.90. A larger batch gains nothing.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from flask import Flask, request
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer  # noqa: TID251

from benchmarks.rerank.model import OPENVINO_MODEL
from benchmarks.rerank.peers.answer import answer

THREADS = 2
PAIRS = 32
# Lengths are rounded up: OpenVINO compiles its kernels anew for every shape that it has not yet seen.
ROUNDED_TO = 8
LONGEST = 512
CONFIG = {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": THREADS}


def create_app() -> Flask:
    tokenizer = Tokenizer.from_file(str(Path(os.environ["RERANK_MODEL"]) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    core = openvino.Core()
    model = core.compile_model(Path(os.environ["RERANK_OPENVINO"]) / OPENVINO_MODEL, "CPU", CONFIG)
    app = Flask(__name__)

    @app.post("/rerank")
    def rerank() -> dict[str, Any]:
        asked = request.get_json()
        encoded = tokenizer.encode_batch([(asked["query"], document) for document in asked["documents"]])
        return answer(scored(model, encoded).tolist(), asked.get("top_n"))

    return app


def scored(model: openvino.CompiledModel, encoded: list[Encoding]) -> NDArray[np.float32]:
    """The logit of each pair. The queue is this call's own, its streams are the model's: threads may call at once."""
    scores = np.empty(len(encoded), np.float32)
    queue = openvino.AsyncInferQueue(model)

    def keep(done: openvino.InferRequest, places: list[int]) -> None:
        scores[places] = done.get_output_tensor().data[:, 0]

    queue.set_callback(keep)
    # Longest first, so that what the streams end with is short.
    order = sorted(range(len(encoded)), key=lambda place: -len(encoded[place].ids))
    for start in range(0, len(order), PAIRS):
        places = order[start : start + PAIRS]
        queue.start_async(padded([encoded[place] for place in places]), places)
    queue.wait_all()
    return scores


def padded(batch: list[Encoding]) -> dict[str, NDArray[np.int64]]:
    """int64[pairs, length] each; the padding's id, type and mask are all 0."""
    length = -(-max(len(pair.ids) for pair in batch) // ROUNDED_TO) * ROUNDED_TO
    names = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    inputs = {name: np.zeros((len(batch), length), np.int64) for name in names}
    for row, pair in enumerate(batch):
        for name, part in names.items():
            inputs[name][row, : len(pair.ids)] = getattr(pair, part)
    return inputs
