"""Rank requests from their frames on, and the line that they wait in."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import NamedTuple

from contract.codec import CandidateList, decode_candidates
from contract.errors import BadInput, CorruptValue
from contract.frames import ErrorCode, RankError, RankRequest, decode_request
from online.ranker.budget import Waiting


class Refused(Exception):
    """A request that gets no scores; becomes an error frame."""

    def __init__(self, code: ErrorCode, detail: str, request_id: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.request_id = request_id

    def frame(self) -> RankError:
        return RankError(request_id=self.request_id, code=self.code, detail=str(self))


@dataclass(frozen=True, eq=False)
class Job:
    """A request that was understood, with its candidates decoded; `peer` is who asked."""

    request: RankRequest
    candidates: CandidateList
    waiting: Waiting
    peer: bytes


def read_job(body: bytes, arrived: float, peer: bytes) -> Job:
    """Raises Refused for a frame that cannot be understood."""
    try:
        request = decode_request(body)
    except BadInput as error:
        raise Refused("bad_frame", str(error)) from None
    try:
        candidates = decode_candidates(request.candidates)
    except CorruptValue as error:
        raise Refused("bad_frame", str(error), request.request_id) from None
    return Job(request, candidates, Waiting(request.budget_ms, arrived), peer)


class Load(NamedTuple):
    """So many requests, of so many pairs together."""

    requests: int
    pairs: int


class Line:
    """Jobs in the order in which they came. One thread puts, another takes."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._pairs = 0
        self._closed = False
        self._changed = Condition()

    def put(self, job: Job) -> None:
        with self._changed:
            self._jobs.append(job)
            self._pairs += len(job.candidates)
            self._changed.notify()

    def close(self) -> None:
        """What waits may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def first(self) -> Job | None:
        """Waits for one; None when the line is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            return self._take() if self._jobs else None

    def next_if(self, fits: Callable[[Job], bool]) -> Job | None:
        """The next one if there is one and it fits; waits for none, and looks at none behind it."""
        with self._changed:
            return self._take() if self._jobs and fits(self._jobs[0]) else None

    @property
    def load(self) -> Load:
        """What waits."""
        with self._changed:
            return Load(len(self._jobs), self._pairs)

    def _take(self) -> Job:
        job = self._jobs.popleft()
        self._pairs -= len(job.candidates)
        return job
