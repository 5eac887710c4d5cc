"""Has a model's passes recorded where that is faster, and holds them to what they are without."""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from contract.errors import PacesetterError
from reranker.fixed_shapes import FixedShapes
from reranker.graphs import Recorder
from reranker.prepared import PairScores, PreparedQuery
from reranker.recorded import Recorded
from reranker.split_scoring import SplitScorer

log = logging.getLogger(__name__)

Text = tuple[int, ...]

# What a replayed score may differ by, as a share of the spread of scores: what has moved in memory gives others
# altogether. In bfloat16 one of 488 scores of random texts was .06 away, by rounding alone.
APART, APART_IN_HALF = 0.01, 0.25


def record(scorer: SplitScorer, recorder: Recorder) -> bool:
    """From now on `scorer` replays passes that `recorder` has recorded in every shape; whether it does.

    First each shape is filled with a made-up request at every level. Where one scores otherwise than without, by more
    than rounding may be, or does not let itself be recorded, none is replayed, and a warning says why.
    """
    network, encoder = scorer.direct.engine.network, scorer.encoder
    most = APART if scorer.direct.engine.kind == torch.float32 else APART_IN_HALF
    worst, spread = 0.0, dict.fromkeys(scorer.levels, 0.0)
    shapes = FixedShapes(
        scorer.batch_pairs, encoder.item_tokens + 2, encoder.query_tokens + 2, positions=network.longest_text
    )
    vocabulary, mean, std = network.encoder.config.vocab_size, network.feature_mean, network.feature_std
    made_up = MadeUp(vocabulary, mean.cpu().numpy(), std.cpu().numpy(), encoder.item_tokens, encoder.query_tokens)
    try:
        with scorer.unnoticed():
            recorded = Recorded(scorer.direct, shapes, scorer.shelf.codec, tuple(scorer.levels.values()), recorder)
            for asked in made_up.requests(shapes):
                for level in scorer.levels:
                    found = []
                    for passes in (scorer.direct, recorded):
                        scorer.passes = passes
                        scorer.queries.forget()
                        found.append(scorer.scores(asked, level))
                    direct, replayed = map(_stacked, found)
                    # Of the first request, the largest: a single score has none.
                    spread[level] = spread[level] or float(direct.std()) or 1.0
                    apart = float(np.abs(direct - replayed).max()) / spread[level]
                    if not apart <= most:
                        raise RuntimeError(f"{level} scores of {sized(asked)} differ by {apart:.4f} of their spread")
                    worst = max(worst, apart)
    # What a device says of a recording, that its memory does not suffice too; or made-up states are no numbers.
    except (RuntimeError, PacesetterError) as error:
        scorer.passes = scorer.direct
        log.warning("passes are not recorded, each of their operations is started by itself: %s", error, exc_info=True)
        return False
    finally:
        scorer.shelf.forget()
        scorer.queries.forget()
        if scorer.direct.device.type == "cuda":
            torch.cuda.empty_cache()
    log.info("passes are recorded in %d shapes, scores at most %.4f of their spread apart", len(list(shapes)), worst)
    return True


def _stacked(scores: Sequence[PairScores]) -> NDArray[np.float32]:
    """Final and text scores of all, [2, n]."""
    return np.concatenate([np.stack(one) for one in scores], 1)


def sized(asked: Sequence[PreparedQuery]) -> str:
    items = [item for one in asked for item in one.items]
    tokens = max(map(len, items)), max(len(one.query) for one in asked)
    return f"{len(items)} items of up to {tokens[0]} tokens, {len(asked)} queries of up to {tokens[1]},"


class MadeUp:
    """Requests of random tokens and features."""

    def __init__(
        self,
        vocabulary: int,
        feature_mean: NDArray[np.float32],
        feature_std: NDArray[np.float32],
        item_tokens: int,
        query_tokens: int,
    ) -> None:
        """Tokens without the two special ones of a text."""
        self._vocabulary, self._mean, self._std = vocabulary, feature_mean, feature_std
        self._item_tokens, self._query_tokens = item_tokens, query_tokens
        self._draw = np.random.default_rng(0)

    def requests(self, shapes: FixedShapes) -> Iterator[list[PreparedQuery]]:
        """Of one pass each, for every shape of items, then for every one of queries. They leave it empty in part where
        no smaller one takes them then. Shapes of one length share their items, so that each is read once."""
        items: dict[int, list[Text]] = {}
        for many, longest, queries in shapes:
            tokens = min(longest - 2, self._item_tokens)
            if tokens not in items:
                items[tokens] = [self._text(tokens - number % 2) for number in range(shapes.largest.items)]
            yield self._shared(items[tokens][: max(many - 1, 1)], max(queries - 1, 1), self._query_tokens)
        for queries, longest in shapes.of_queries():
            asking = max(queries - 1, 1)
            yield self._shared([self._text(1)] * asking, asking, min(longest - 2, self._query_tokens))

    def _shared(self, items: Sequence[Text], queries: int, query_tokens: int) -> list[PreparedQuery]:
        """The items by so many queries of at most so many tokens."""
        features = self._mean + self._std * self._draw.standard_normal((len(items), len(self._mean)))
        return [
            PreparedQuery(
                self._text(max(query_tokens - number % 4, 1)),
                tuple(items[place] for place in part.tolist()),
                features[part].astype(np.float32),
            )
            for number, part in enumerate(np.array_split(np.arange(len(items)), queries))
        ]

    def _text(self, tokens: int) -> Text:
        return tuple(self._draw.integers(0, self._vocabulary, tokens).tolist())
