"""Flask and sentence-transformers: CrossEncoder.predict with its defaults (batches of 32, sorted by length)."""

import os
from typing import Any

import torch  # noqa: TID251
from flask import Flask, request
from sentence_transformers import CrossEncoder

from benchmarks.rerank.peers.answer import answer

THREADS = 2


def create_app() -> Flask:
    torch.set_num_threads(THREADS)
    model = CrossEncoder(os.environ["RERANK_MODEL"], device="cpu")
    app = Flask(__name__)

    @app.post("/rerank")
    def rerank() -> dict[str, Any]:
        asked = request.get_json()
        scores = model.predict([(asked["query"], document) for document in asked["documents"]])
        return answer(scores.tolist(), asked.get("top_n"))

    return app
