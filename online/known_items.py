"""Item records of the live generations, held in memory: shared by gateway and ranker."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from contract.records import ItemRecord

FetchItems = Callable[[int, Sequence[str]], dict[str, ItemRecord]]


class KnownItems:
    """At most `limit` records in all; the generation not asked for longest gives way first, then its oldest uses.

    `fetch(generation, ids)` reads what is missing, in one go; whatever it raises goes through. That a
    generation does not know an id is remembered as well. Safe to use from many threads.
    """

    def __init__(self, fetch: FetchItems, limit: int) -> None:
        self._fetch = fetch
        self._limit = limit
        self._shelves: OrderedDict[int, OrderedDict[str, ItemRecord | None]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def records(self, generation: int, item_ids: Iterable[str]) -> dict[str, ItemRecord]:
        """The records of those ids that `generation` knows."""
        found: dict[str, ItemRecord] = {}
        missing: list[str] = []
        with self._lock:
            shelf = self._shelves.get(generation)
            if shelf is None:
                missing.extend(item_ids)
            else:
                self._shelves.move_to_end(generation)
                # Until half of the room is taken nothing gives way soon, and the order of uses is not kept.
                touch = shelf.move_to_end if 2 * self._count > self._limit else None
                for item_id in item_ids:
                    if item_id in shelf:
                        record = shelf[item_id]
                        if touch is not None:
                            touch(item_id)
                        if record is not None:
                            found[item_id] = record
                    else:
                        missing.append(item_id)
        if missing:
            read = self._fetch(generation, missing)
            self._keep(generation, missing, read)
            found.update(read)
        return found

    def _keep(self, generation: int, asked: Sequence[str], read: dict[str, ItemRecord]) -> None:
        with self._lock:
            shelf = self._shelves.setdefault(generation, OrderedDict())
            before = len(shelf)
            for item_id in asked:
                shelf[item_id] = read.get(item_id)
            self._count += len(shelf) - before
            while self._count > self._limit:
                oldest = next(iter(self._shelves))
                self._shelves[oldest].popitem(last=False)
                self._count -= 1
                if not self._shelves[oldest]:
                    del self._shelves[oldest]
