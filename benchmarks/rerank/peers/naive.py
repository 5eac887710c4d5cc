"""Flask and transformers as tutorials put them together: FP32, one padded batch a request, no tricks."""

import os
from typing import Any

import torch  # noqa: TID251
from flask import Flask, request
from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: TID251

from benchmarks.rerank.peers.answer import answer

THREADS = 2


def create_app() -> Flask:
    torch.set_num_threads(THREADS)
    tokenizer = AutoTokenizer.from_pretrained(os.environ["RERANK_MODEL"])
    model = AutoModelForSequenceClassification.from_pretrained(os.environ["RERANK_MODEL"])
    model.eval()
    app = Flask(__name__)

    @app.post("/rerank")
    def rerank() -> dict[str, Any]:
        asked = request.get_json()
        documents = asked["documents"]
        batch = tokenizer(
            [asked["query"]] * len(documents), documents, padding=True, truncation=True, return_tensors="pt"
        )
        with torch.no_grad():
            scores = model(**batch).logits[:, 0]
        return answer(scores.tolist(), asked.get("top_n"))

    return app
