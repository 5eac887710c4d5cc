"""What the queries of a pass answer in one layer, beside the items that ask them."""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from reranker.layers import Attended


class Beside(Protocol):
    """n items of a pass, each asking the tokens of one query."""

    @property
    def alike(self) -> bool:
        """Whether all ask the same query, and none of its tokens is padding: then attention needs no mask for it."""
        ...

    def rows(self) -> Attended:
        """A row for every item: its query's, padded to the longest."""
        ...

    def logits(self, question: Tensor) -> Tensor:
        """What each item's query has to say to its `question` [heads, n, size]: [heads, n, longest], minus infinity
        where there is no token."""
        ...

    def mixed(self, weights: Tensor) -> Tensor:
        """The queries' values by these weights [heads, n, longest]: [heads, n, size]."""
        ...


class InTurn(NamedTuple):
    """The first `counts[0]` items ask `queries[0]`, one row of keys and values, the next `counts[1]` items the next.

    A row has no padding; each product is as long as its query.
    """

    queries: Sequence[Attended]
    counts: Sequence[int]

    @property
    def alike(self) -> bool:
        return len(self.queries) == 1

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
        if len(self.queries) == 1:
            return _every(self.queries[0], self.counts[0])
        padded = [self._padded(query) for query in self.queries]
        device = self.queries[0].keys.device
        of = torch.repeat_interleave(torch.tensor(self.counts, device=device), output_size=sum(self.counts))
        return Attended(*(torch.cat(parts).index_select(0, of) for parts in zip(*padded, strict=True)))

    def logits(self, question: Tensor) -> Tensor:
        answers, longest = [], self.longest
        for query, start, end in self.parts():
            behind = longest - query.keys.shape[2]
            answers.append(F.pad(question[:, start:end] @ query.keys[0].transpose(1, 2), (0, behind), value=-inf))
        return together(answers)

    def mixed(self, weights: Tensor) -> Tensor:
        return together([weights[:, a:b, : query.values.shape[2]] @ query.values[0] for query, a, b in self.parts()])

    def _padded(self, query: Attended) -> tuple[Tensor, Tensor, Tensor]:
        behind = self.longest - query.keys.shape[2]
        keys, values = (F.pad(part, (0, 0, 0, behind)) for part in (query.keys, query.values))
        return keys, values, F.pad(query.present, (0, behind))


class ByNumber(NamedTuple):
    """Item i asks row `of[i]`, int64[n], of `queries`, which are padded to one length, with anything.

    Which item asks which query is on the device, and so may change while shapes and addresses stay.
    """

    queries: Attended
    of: Tensor

    @property
    def alike(self) -> bool:
        return False

    def rows(self) -> Attended:
        queries = self._clean()
        return _every(queries, len(self.of)) if self._one else queries.of(self.of)

    def logits(self, question: Tensor) -> Tensor:
        keys = self._clean().keys
        if self._one:
            found = question @ keys[0].transpose(1, 2)
        else:
            rows = keys.index_select(0, self.of)  # [n, heads, longest, size]
            found = (question.transpose(0, 1).unsqueeze(2) @ rows.transpose(2, 3)).squeeze(2).transpose(0, 1)
        return found.masked_fill(~self.queries.present.index_select(0, self.of), -inf)

    def mixed(self, weights: Tensor) -> Tensor:
        values = self._clean().values
        if self._one:
            return weights @ values[0]
        rows = values.index_select(0, self.of)
        return (weights.transpose(0, 1).unsqueeze(2) @ rows).squeeze(2).transpose(0, 1)

    @property
    def _one(self) -> bool:
        return len(self.queries.keys) == 1

    def _clean(self) -> Attended:
        """Nothing but zeros in the padding: no weight of zero makes a number of what is none."""
        absent = ~self.queries.present[:, None, :, None]
        return self.queries._replace(
            keys=self.queries.keys.masked_fill(absent, 0), values=self.queries.values.masked_fill(absent, 0)
        )


def together(parts: Sequence[Tensor]) -> Tensor:
    """Side by side in dimension 1; a single one as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _every(query: Attended, items: int) -> Attended:
    """One row for all of so many items, not copied."""
    return Attended(*(part.expand(items, *part.shape[1:]) for part in query))
