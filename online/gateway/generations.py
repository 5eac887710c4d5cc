"""What a worker keeps in memory of the generations it serves: sources, popular lists, item records."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial

from contract.codec import CandidateList
from contract.merge import Summed, popular_scores
from contract.records import GenerationMeta, ItemRecord
from contract.store.reader import Reader
from online.known_items import KnownItems

EVERYONE = "all"
KEPT_GENERATIONS = 2  # the live one, and the one that requests in flight still read
MAX_SEGMENTS = 1000
# Sums of lists of one generation, and the most lists that are worth keeping together: more hardly come again, and ten
# thousand entries take 0.7 MB. Four lists of 200 take 60 kB.
KEPT_SCORES = 256
MOST_TOGETHER = 4


class _Kept:
    """A generation never changes, so what was read of it holds."""

    def __init__(self, meta: GenerationMeta, scores_of: Callable[[tuple[str, ...]], Summed]) -> None:
        self.meta = meta
        self.popular: dict[str, CandidateList | None] = {}
        self.scores_of = lru_cache(KEPT_SCORES)(scores_of)


class Generations:
    """Reads through to the store once per value. Every method raises StoreUnreachable and CorruptValue."""

    def __init__(self, reader: Reader, known_items: int) -> None:
        self._reader = reader
        self._items = KnownItems(reader.items, known_items)
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def meta(self, generation: int) -> GenerationMeta:
        """Raises NoGeneration."""
        return self._of(generation).meta

    def popular(self, generation: int, segments: Sequence[str]) -> list[CandidateList]:
        """The popular lists of those segments that have one, in the order given. Raises NoGeneration."""
        lists = self._of(generation).popular
        found: dict[str, CandidateList | None] = {}
        missing = []
        for segment in segments:  # others may clear `lists` meanwhile: what is answered is what is found here
            try:
                found[segment] = lists[segment]
            except KeyError:
                missing.append(segment)
        if missing:
            read = self._reader.query(generation, None, (), missing).segment_candidates
            found |= {segment: read.get(segment) for segment in missing}
            if len(lists) + len(missing) > MAX_SEGMENTS:
                lists.clear()
            lists.update({segment: found[segment] for segment in missing})
        return [one for segment in segments if (one := found[segment]) is not None]

    def popular_scores(self, generation: int, segments: tuple[str, ...]) -> Summed:
        """What those popular lists say together: summed once for all queries of these segments. Raises NoGeneration."""
        if len(segments) > MOST_TOGETHER:
            return self._popular_scores(generation, segments)
        return self._of(generation).scores_of(segments)

    def items(self, generation: int, item_ids: Iterable[str]) -> dict[str, ItemRecord]:
        """The records of those items that the generation knows."""
        return self._items.records(generation, item_ids)

    def _popular_scores(self, generation: int, segments: tuple[str, ...]) -> Summed:
        return popular_scores(self.popular(generation, segments), len(self.meta(generation).weights))

    def _of(self, generation: int) -> _Kept:
        kept = self._kept.get(generation)
        if kept is None:
            kept = _Kept(self._reader.meta(generation), partial(self._popular_scores, generation))
            with self._lock:
                kept = self._kept.setdefault(generation, kept)
                while len(self._kept) > KEPT_GENERATIONS:
                    self._kept.popitem(last=False)
        return kept
