"""What the queries of a pass answer in one layer, beside the items that ask them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from reranker.layers import Attended


class Beside(NamedTuple):
    """The first `counts[0]` items ask `queries[0]`, one row of keys and values, the next `counts[1]` items the next."""

    queries: Sequence[Attended]
    counts: Sequence[int]

    @property
    def longest(self) -> int:
        """Tokens of the longest query."""
        return max(int(query.keys.shape[2]) for query in self.queries)

    def parts(self) -> Iterator[tuple[Attended, int, int]]:
        """Each query with its first item, and the one after its last."""
        start = 0
        for query, count in zip(self.queries, self.counts, strict=True):
            yield query, start, start + count
            start += count

    def rows(self) -> Attended:
        """A row for every item: its query's, padded to the longest query. Not copied where there is one query."""
        if len(self.queries) == 1:
            return Attended(*(part.expand(self.counts[0], *part.shape[1:]) for part in self.queries[0]))
        padded = [self._padded(query) for query in self.queries]
        device = self.queries[0].keys.device
        of = torch.repeat_interleave(torch.tensor(self.counts, device=device), output_size=sum(self.counts))
        return Attended(*(torch.cat(parts).index_select(0, of) for parts in zip(*padded, strict=True)))

    def _padded(self, query: Attended) -> tuple[Tensor, Tensor, Tensor]:
        behind = self.longest - query.keys.shape[2]
        keys, values = (F.pad(part, (0, 0, 0, behind)) for part in (query.keys, query.values))
        return keys, values, F.pad(query.present, (0, behind))
