"""`python -m benchmarks.recommend_ranker ENDPOINT [WORK_MS]` stands in for a ranker where the gateway is measured.

It speaks the real frames over the real socket; every list gets the same scores. It answers at once, or after WORK_MS of
matrix products on all cores: what they do to caches is what a model does, and a gateway that is asked once in a while
finds nothing of its own in them.
"""

import sys
import time

import numpy as np
import zmq

from contract.codec import decode_candidates
from contract.frames import RankReply, decode_request, encode
from contract.levels import MODEL_LEVELS

LEVEL = MODEL_LEVELS[0]
# Three matrices of 4 MiB: more than the cache of a core holds.
WIDTH = 1024


def main(endpoint: str, work_ms: str = "0") -> None:
    """Serve until SIGTERM."""
    factor, product = np.ones((WIDTH, WIDTH), np.float32), np.empty((WIDTH, WIDTH), np.float32)
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(endpoint)
    while True:
        peer, body = router.recv_multipart()
        request = decode_request(body)
        # Neither in the candidates' order nor far from it, as a model's scores are.
        places = np.arange(len(decode_candidates(request.candidates)))
        done = time.perf_counter() + (float(work_ms) / 1000 if len(places) else 0.0)
        while time.perf_counter() < done:
            np.matmul(factor, factor, out=product)
        reply = RankReply(
            request_id=request.request_id,
            model=request.model,
            level=LEVEL,
            best=True,
            scores=(np.cos(places) - places / 20).astype("<f4").tobytes(),
            queue_ms=0.0,
            features_ms=0.0,
            encode_ms=0.0,
            score_ms=0.0,
        )
        router.send_multipart([peer, encode(reply)])


if __name__ == "__main__":
    main(*sys.argv[1:])
