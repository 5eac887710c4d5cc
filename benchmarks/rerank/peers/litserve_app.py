"""LitServe with its dynamic batching: requests that wait together become one list of pairs, in batches of 32.

One worker with two threads, as every other peer has; its request timeout is off, because a peer is paused between
its turns.
"""

import os
from typing import Any

import litserve
import torch  # noqa: TID251
from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: TID251

from benchmarks.rerank.peers.answer import answer

THREADS = 2
# Up to so many requests together, after at most so many seconds of waiting for more.
MAX_BATCH_SIZE, BATCH_TIMEOUT = 8, 0.01
PAIRS = 32


class Rerank(litserve.LitAPI):
    def setup(self, device: str) -> None:
        torch.set_num_threads(THREADS)
        self.tokenizer = AutoTokenizer.from_pretrained(os.environ["RERANK_MODEL"])
        self.model = AutoModelForSequenceClassification.from_pretrained(os.environ["RERANK_MODEL"]).eval().to(device)

    def batch(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return inputs

    def predict(self, inputs: list[dict[str, Any]]) -> list[tuple[list[float], int | None]]:
        pairs = [(asked["query"], document) for asked in inputs for document in asked["documents"]]
        scores: list[float] = []
        for start in range(0, len(pairs), PAIRS):
            queries, documents = zip(*pairs[start : start + PAIRS], strict=True)
            batch = self.tokenizer(
                list(queries), list(documents), padding=True, truncation=True, return_tensors="pt"
            ).to(self.device)
            with torch.inference_mode():
                scores += self.model(**batch).logits[:, 0].tolist()
        remaining = iter(scores)
        return [([next(remaining) for _ in asked["documents"]], asked.get("top_n")) for asked in inputs]

    def unbatch(self, output: list[tuple[list[float], int | None]]) -> list[tuple[list[float], int | None]]:
        return output

    def encode_response(self, output: tuple[list[float], int | None]) -> dict[str, Any]:
        return answer(*output)


def main() -> None:
    api = Rerank(max_batch_size=MAX_BATCH_SIZE, batch_timeout=BATCH_TIMEOUT, api_path="/rerank")
    server = litserve.LitServer(api, accelerator="cpu", timeout=False)
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
