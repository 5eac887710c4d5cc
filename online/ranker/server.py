"""The ranker's socket and queue: requests in at once, scored one batch after another, refusals without waiting."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import zmq

from contract.errors import BadInput
from contract.frames import MAX_FRAME_BYTES, RankError, RankReply, encode
from online.ranker.batching import Batcher
from online.ranker.budget import LevelCosts
from online.ranker.line import Job, Line, Refused, read_job
from online.ranker.metrics import RankerMetrics
from online.ranker.models import Scorer
from online.ranker.scoring import Scoring

log = logging.getLogger(__name__)

LOOK_FOR_STOP_MS = 100
LAST_ANSWERS_MS = 1000
_DONE = "inproc://done"


class RankerServer:
    """One thread owns the socket, another the model; so a request's wait is seen from the moment it arrives.

    A request whose predicted finish lies past its budget is refused at once, as is one that finds
    `queue_length` requests waiting.
    """

    def __init__(
        self,
        endpoint: str,
        batcher: Batcher,
        scoring: Scoring,
        cost: LevelCosts,
        metrics: RankerMetrics,
        queue_length: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Raises BadInput where the endpoint cannot be bound."""
        self._batcher = batcher
        self._scoring = scoring
        self._cost = cost
        self._metrics = metrics
        self._queue_length = queue_length
        self._clock = clock
        self._stopping = threading.Event()
        self._line = line = Line()
        metrics.watch_line(lambda: line.load.requests)
        # Waiting or being scored.
        self._open_jobs = 0
        self._open_pairs = 0
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, LAST_ANSWERS_MS)
        self._router.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        self._done = self._context.socket(zmq.PAIR)
        self._done.bind(_DONE)
        try:
            self._router.bind(endpoint)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise BadInput(f"ranker.endpoint {endpoint}: {error} (PACE_RANKER__ENDPOINT)") from error

    def stop(self) -> None:
        """End `run`: what is being scored is answered, what waits is refused."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until `stop`; then close the socket."""
        worker = threading.Thread(target=self._work, name="scoring", daemon=True)
        worker.start()
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._done, zmq.POLLIN)
        while not self._stopping.is_set():
            ready = dict(poller.poll(LOOK_FOR_STOP_MS))
            if self._done in ready:
                self._pass_on()
            if self._router in ready:
                self._receive()
        self._line.close()
        while self._open_jobs and self._done.poll(LAST_ANSWERS_MS * 10):
            self._pass_on()
        worker.join(LAST_ANSWERS_MS / 1000)
        self._router.close()
        self._done.close()
        self._context.term()

    def _receive(self) -> None:
        frames = self._router.recv_multipart(zmq.DONTWAIT)
        peer, arrived = frames[0], self._clock()
        try:
            if len(frames) != 2:
                raise Refused("bad_frame", f"{len(frames) - 1} frames instead of one")
            job = read_job(frames[1], arrived, peer)
            model = self._batcher.model_for(job.request)
            if not len(job.candidates):  # a ping
                self._send(peer, _nothing_scored(job.request.request_id, model))
                return
            self._admit(job, model)
        except Refused as refused:
            self._send(peer, refused.frame())
            return
        self._open_jobs += 1
        self._open_pairs += len(job.candidates)
        self._line.put(job)

    def _admit(self, job: Job, model: Scorer) -> None:
        """Raises Refused where waiting would be in vain."""
        number = job.request.request_id
        if self._open_jobs > self._queue_length:
            raise Refused("over_budget", f"{self._queue_length} requests wait already", number)
        levels = self._cost.served(model.levels)
        pairs = self._open_pairs + len(job.candidates)
        needed = self._cost.least_seconds(levels, pairs, self._open_jobs + 1)
        if needed >= job.request.budget_ms / 1000:
            self._cost.passed_over(levels, None)
            ahead = f"{self._open_pairs} pairs ahead of {len(job.candidates)}"
            raise Refused("over_budget", f"{ahead}: done in {needed * 1000:.1f} ms at the earliest", number)

    def _pass_on(self) -> None:
        peer, pairs, body = self._done.recv_multipart()
        self._open_jobs -= 1
        self._open_pairs -= int(pairs)
        self._router.send_multipart([peer, body])

    def _send(self, peer: bytes, answer: RankReply | RankError) -> None:
        if isinstance(answer, RankError):
            self._metrics.refused(answer.code)
            if answer.code == "bad_frame":
                log.warning("refused a frame: %s", answer.detail)
        self._router.send_multipart([peer, encode(answer)])

    def _work(self) -> None:
        done: Any = self._context.socket(zmq.PAIR)
        done.connect(_DONE)
        while (first := self._line.first()) is not None:
            for job, answer in self._answers(first):
                if isinstance(answer, RankError):
                    self._metrics.refused(answer.code)
                done.send_multipart([job.peer, b"%d" % len(job.candidates), encode(answer)])
        done.close()

    def _answers(self, first: Job) -> Iterable[tuple[Job, RankReply | RankError]]:
        if self._stopping.is_set():
            refused = Refused("stopping", "it is being stopped", first.request.request_id)
            return [(first, refused.frame())]
        return self._scoring.answers(first, self._line)


def _nothing_scored(request_id: int, model: Scorer) -> RankReply:
    return RankReply(
        request_id=request_id,
        model=model.version,
        level=model.levels[0],
        best=True,
        scores=b"",
        queue_ms=0.0,
        features_ms=0.0,
        encode_ms=0.0,
        score_ms=0.0,
    )
