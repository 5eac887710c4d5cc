"""Several rankers behind one gateway: a request goes to the next one, and on to another where that is away or full."""

import itertools
import time
from collections.abc import Sequence

from contract.frames import RankError, RankReply
from contract.levels import Reason
from online.gateway.ranker_client import Question, RankerClient, RankingFailed

# Known at once, before any work was done: another ranker may do better. A timeout has spent the budget.
ELSEWHERE: frozenset[Reason] = frozenset({"ranker_unavailable", "ranker_busy", "ranker_no_model"})


class RankerPool:
    """The rankers at `endpoints`, at least one; each has connections and a breaker of its own."""

    def __init__(self, endpoints: Sequence[str], outstanding: int) -> None:
        self.clients = [RankerClient(endpoint, outstanding) for endpoint in endpoints]
        self._turns = itertools.count()

    @property
    def is_silent(self) -> bool:
        """Whether one of them has stopped answering: then it is to be asked again soon."""
        return any(client.breaker.is_open for client in self.clients)

    def rank(self, question: Question, budget_seconds: float) -> RankReply:
        """Scores from the ranker whose turn it is, or from the next that can give them, all within `budget_seconds`.

        Raises RankingFailed with what the last one said.
        """
        deadline = time.perf_counter() + budget_seconds
        first = next(self._turns)
        failed = RankingFailed("ranker_unavailable")
        for place in range(len(self.clients)):
            client = self.clients[(first + place) % len(self.clients)]
            left = deadline - time.perf_counter()
            if left <= 0:
                break
            try:
                return client.rank(question, left)
            except RankingFailed as error:
                failed = error
                if error.reason not in ELSEWHERE:
                    break
        raise failed

    def ping(self, generation: int, model: str, empty: bytes, timeout_seconds: float) -> RankReply | RankError:
        """Ask every ranker for the scores of no candidates, which closes the breaker of each that answers.

        The best answer of all: scores, else an error frame. Raises RankingFailed where none came.
        """
        refused: RankError | None = None
        scored: RankReply | None = None
        failed = RankingFailed("ranker_unavailable")
        for client in self.clients:
            try:
                answer = client.ping(generation, model, empty, timeout_seconds)
            except RankingFailed as error:
                failed = error
                continue
            if isinstance(answer, RankReply):
                scored = scored or answer
            else:
                refused = refused or answer
        if scored is None and refused is None:
            raise failed
        return scored or refused  # type: ignore[return-value]

    def close(self) -> None:
        """Close every connection; no thread may be asking any more."""
        for client in self.clients:
            client.close()
