"""What each source adds to the candidates, and which weights find most: lists in memory, contract.merge."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contract.codec import CandidateList
from contract.merge import merge_lists, merge_query, popular_scores

# (kind, key) of a list.
Key = tuple[str, str]
Weights = Mapping[str, float]

# What the search tries for a source, as a multiple of its weight; and outright, where its weight is 0.
FACTORS = (0.0, 0.25, 0.5, 0.7, 1.4, 2.0, 4.0)
FROM_NOTHING = 0.2


@dataclass(frozen=True)
class Asked:
    """One query: `out` is never proposed; `lists` are the keys it reads (user, then items in order of context, then
    segments).
    """

    out: frozenset[str]
    labels: frozenset[str]
    lists: tuple[Key, ...]


@dataclass(frozen=True, eq=False)
class SourceLists:
    """Every source's list of every key: `of[key][source]`, all with a score column a name in `sources`."""

    sources: tuple[str, ...]
    of: Mapping[Key, Mapping[str, CandidateList]]
    length: int

    def merged(self, weights: Weights) -> dict[Key, CandidateList]:
        """The lists that a night with these weights would publish; a source of weight 0 or none takes no part."""
        columns = [weights.get(source, 0.0) for source in self.sources]
        out = {}
        for key, by_source in self.of.items():
            parts = [
                by_source[source] for source in self.sources if weights.get(source, 0.0) > 0 and source in by_source
            ]
            if parts:
                itself = (key[1],) if key[0] == "item" else ()
                out[key] = merge_lists(parts, [1.0] * len(parts), columns, self.length, itself)
        return out


def recall(asked: Sequence[Asked], lists: SourceLists, weights: Weights, places: Sequence[int]) -> dict[int, float]:
    """place -> the mean over queries of the share of labels among so many first candidates."""
    published = lists.merged(weights)
    columns = [weights.get(source, 0.0) for source in lists.sources]
    shares = np.zeros((len(asked), len(places)))
    for row, query in enumerate(asked):
        found = [(kind, published[kind, key]) for kind, key in query.lists if (kind, key) in published]
        whole = merge_query(
            next((one for kind, one in found if kind == "user"), None),
            [one for kind, one in found if kind == "item"],
            popular_scores([one for kind, one in found if kind == "segment"], len(columns)),
            columns,
            query.out,
            max(places),
        )
        for column, place in enumerate(places):
            shares[row, column] = len(query.labels.intersection(whole.item_ids[:place])) / len(query.labels)
    return dict(zip(places, shares.mean(0).tolist() if len(asked) else [0.0] * len(places), strict=True))


def combinations(weights: Weights) -> Iterator[tuple[str, Weights]]:
    """(name, weights): each source alone, all but each, the sources added one by one, and all of them."""
    for source, weight in weights.items():
        yield f"{source} alone", {source: weight}
    names = list(weights)
    for end in range(2, len(names)):
        yield " + ".join(names[:end]), {name: weights[name] for name in names[:end]}
    for source in weights:
        yield f"all but {source}", {name: weight for name, weight in weights.items() if name != source}
    yield "all", weights


def tuned(
    asked: Sequence[Asked],
    lists: SourceLists,
    start: Weights,
    place: int,
    rounds: int,
    told: Callable[[str], None] = lambda _: None,
) -> Weights:
    """The weights of the greatest recall at `place` that a search from `start` finds, one source at a time.

    A change counts only if it finds more, so that on a flat top the weights stay; a first source of weight 0 and
    no other left would leave nothing, and is never tried.
    """
    best = dict(start)
    found = recall(asked, lists, best, [place])[place]
    for _ in range(rounds):
        before = found
        for source in lists.sources:
            weight = best.get(source, 0.0)
            for other in [weight * factor for factor in FACTORS] if weight else [FROM_NOTHING]:
                tried = {**best, source: round(other, 4)}
                if not any(tried.values()):
                    continue
                value = recall(asked, lists, tried, [place])[place]
                if value > found:
                    best, found = tried, value
                    told(f"recall@{place} {found:.4f} with {best}")
        if found == before:
            break
    return best
