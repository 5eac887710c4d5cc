"""What the last queries' tokens answer: kept here, and on a shelf that processes share, if there is one."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

from contract.errors import CorruptValue
from reranker.encoding import TextEncoder
from reranker.engine import Answers
from reranker.passes import QUERIES_AT_ONCE, Direct, Passes
from reranker.query_states import QueryShelf, answers_key, packed, unpacked

Outcome = Literal["known", "fetched", "read"]
OUTCOMES: tuple[Outcome, ...] = ("known", "fetched", "read")


class Queries:
    """Keys and values of queries by their token ids, so that another history of a user is another query.

    The `limit` asked for last are kept; 0 keeps none. `shelf` is set where processes share them, `passes` where
    there are faster ones than the direct ones.
    """

    def __init__(self, model: str, direct: Direct, encoder: TextEncoder, limit: int) -> None:
        self.passes: Passes = direct
        self.shelf: QueryShelf | None = None
        self._model, self._engine, self._encoder = model, direct.engine, encoder
        self._lowest, self._device, self._limit = direct.lowest, direct.device, limit
        self._kept: OrderedDict[tuple[int, ...], Answers] = OrderedDict()

    def answers(self, queries: Sequence[tuple[int, ...]]) -> list[tuple[Answers, Outcome]]:
        """What the tokens of each answer in each layer, and whether that was known, fetched from the shelf, or read
        anew. The second of equal ones is known."""
        distinct = list(dict.fromkeys(queries))
        outcomes: dict[tuple[int, ...], Outcome] = dict.fromkeys(distinct, "known")
        found = {query: self._kept[query] for query in distinct if query in self._kept}
        if self.shelf is not None:
            fetched = {query: self._fetched(self.shelf, query) for query in distinct if query not in found}
            found |= {query: answers for query, answers in fetched.items() if answers is not None}
            outcomes |= dict.fromkeys(fetched, "fetched")
        unread = [query for query in distinct if query not in found]
        outcomes |= dict.fromkeys(unread, "read")
        for query, answers in zip(unread, self._read(unread), strict=True):
            found[query] = answers
            if self.shelf is not None:
                self.shelf.put(self._key(query), packed(answers))
        for query in distinct:
            self._keep(query, found[query])
        return [(found[query], outcomes.pop(query, "known")) for query in queries]

    def forget(self) -> None:
        """Read all of them anew."""
        self._kept.clear()

    def _keep(self, query: tuple[int, ...], answers: Answers) -> None:
        """As the one asked for last."""
        self._kept[query] = answers
        self._kept.move_to_end(query)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def _fetched(self, shelf: QueryShelf, query: tuple[int, ...]) -> Answers | None:
        raw = shelf.get(self._key(query))
        if raw is None:
            return None
        try:
            return unpacked(raw, self._engine.forms(self._lowest), self._engine.kind, self._device)
        except CorruptValue:  # it is written anew, and so mended
            return None

    def _read(self, queries: Sequence[tuple[int, ...]]) -> list[Answers]:
        found: list[Answers] = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            found += self.passes.queries(self._encoder.framed(queries[start : start + QUERIES_AT_ONCE]))
        return found

    def _key(self, query: tuple[int, ...]) -> bytes:
        return answers_key(self._model, self._engine.kind, self._lowest, query)
