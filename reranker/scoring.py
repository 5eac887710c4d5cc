"""Scores a query's candidates: the one path for the ranker, for evaluation and for golden pairs."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.errors import ArtifactMismatch
from contract.features import align, feature_names, pair_features
from contract.records import ItemRecord, UserRecord
from contract.states import StateBlock
from reranker.boosting import Trees
from reranker.depth import LevelName, level_depths
from reranker.encoding import TextEncoder
from reranker.golden import GoldenQuery
from reranker.graphs import recorder_for
from reranker.layer_timing import faster_types
from reranker.limits import Limits
from reranker.manifest import Manifest
from reranker.network import CrossEncoder
from reranker.pair_scoring import PairScorer
from reranker.prepared import PairScores, PreparedQuery
from reranker.query_states import QueryShelf
from reranker.recording import record
from reranker.split import SplitNetwork
from reranker.split_scoring import SplitScorer

log = logging.getLogger(__name__)


class Reranker:
    """A verified model, ready to score. One caller at a time: a process that serves has one thread for it.

    `version` and `feature_view` are the artifact's, `history_length` is how many items of a user's history its texts
    may name; `half` is the encoder's number format, None for float32; `batch_pairs` go into a pass. `levels` are the
    names of those it scores at, the best first; `split` is None for a whole cross-encoder, which has one.
    `golden_difference` is what `load_reranker` found between the golden scores and this machine's, as `compare` does;
    NaN where nobody looked. `ndcg10` was measured on the validation period; NaN where the manifest does not say.
    Of the last `run`, `encode_seconds` went to reading texts whose states were not there; a whole cross-encoder knows
    no such texts.
    """

    def __init__(
        self,
        manifest: Manifest,
        network: CrossEncoder,
        encoder: TextEncoder,
        device: torch.device,
        half: torch.dtype | None,
        limits: Limits = Limits(),  # noqa: B008 (a tuple)
        trees: Trees | None = None,
    ) -> None:
        self.manifest = manifest
        self.version = manifest.version
        self.feature_view = manifest.feature_view
        self.vector_space = manifest.vector_space
        self.history_length = encoder.template.query.history_length
        self.ndcg10 = manifest.metrics.get("validation_ndcg10", float("nan"))
        self.half = half
        self.device = device
        self.golden_difference = float("nan")
        self.encode_seconds = 0.0
        self._network = network.to(device).eval()
        if half is not None:  # the head stays in float32
            self._network.encoder.to(half)
        self._encoder = encoder
        self._trees = trees
        limits = limits.on(device, whole=not isinstance(network, SplitNetwork))
        self._limits, self.batch_pairs = limits, limits.batch_pairs
        self.split: SplitScorer | None = None
        self.levels: tuple[LevelName, ...] = ("full",)
        if isinstance(network, SplitNetwork) and manifest.states is not None:
            levels, states = level_depths(network.layers), manifest.states
            width = len(levels) * network.encoder.config.hidden_size
            if (tuple(levels.values()), width) != (states.depths, states.width):
                raise ArtifactMismatch(
                    f"model {manifest.version}: its item states are of depths {states.depths}, {states.width} numbers "
                    f"a token, but here {tuple(levels.values())} and {width}: train a new model"
                )
            asked = {level: depth for level, depth in levels.items() if level in limits.levels} or levels
            self.levels = tuple(asked)
            self.split = SplitScorer(network, encoder, states.kind, asked, device, limits, manifest.version)
        self._pairs = PairScorer(network, encoder, device)

    def score(
        self,
        user: UserRecord | None,
        context: Sequence[ItemRecord],
        candidates: CandidateList,
        items: Mapping[str, ItemRecord],
        sources: Sequence[str],
    ) -> NDArray[np.float32]:
        """float32[n]: a score a candidate, in the candidates' order; higher is better.

        `context` is in the order of time, the newest last. `items` has the records of the candidates and of the
        first items of the user's history (`history_length`, and contract.features.TEXT_HISTORY), as far as they are
        known. `sources` names the columns of the candidates' scores; those that the model does not know are not
        looked at.
        """
        return self.run(self.prepare(user, context, candidates, items, sources)).final

    def prepare(
        self,
        user: UserRecord | None,
        context: Sequence[ItemRecord],
        candidates: CandidateList,
        items: Mapping[str, ItemRecord],
        sources: Sequence[str],
    ) -> PreparedQuery:
        """The part of `score` before the network: texts to tokens, records to features."""
        features = pair_features(user, context, candidates, items, sources)
        features = align(features, feature_names(sources), self.manifest.feature_names)
        if self._trees:
            features[:, -1] = self._trees.score(features[:, :-1])
        known = (items.get(item_id) or ItemRecord(item_id, "") for item_id in candidates.item_ids)
        return PreparedQuery(
            self._encoder.query(user, context, items),
            tuple(self._encoder.item(item) for item in known),
            features,
        )

    def run(self, prepared: PreparedQuery, level: LevelName = "full") -> PairScores:
        """`run_all` of one query."""
        return self.run_all([prepared], level)[0]

    def run_all(self, prepared: Sequence[PreparedQuery], level: LevelName = "full") -> list[PairScores]:
        """The network over prepared queries together: cheaper than one by one where each of them leaves it idle.

        Where the device's memory does not suffice, half as many pairs go into a pass from then on, once. Raises
        ValueError for a level that the model has not, OutOfMemoryError where half does not fit either.
        """
        if level not in self.levels:
            raise ValueError(f"model {self.version} has levels {', '.join(self.levels)}, not {level}")
        try:
            return self._scores(prepared, level)
        except torch.cuda.OutOfMemoryError as error:
            if self.batch_pairs < self._limits.batch_pairs:
                raise
            reason = str(error).partition("\n")[0]
        # Outside the handler: there the exception still held the activations.
        self.batch_pairs = max(1, self.batch_pairs // 2)
        log.warning("out of memory (%s): scoring goes on %d pairs at a time", reason, self.batch_pairs)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return self._scores(prepared, level)

    def _scores(self, asked: Sequence[PreparedQuery], level: LevelName) -> list[PairScores]:
        with torch.inference_mode():
            if self.split is None:
                return [self._pairs.scores(one, self.batch_pairs) for one in asked]
            self.split.encoding.reset()  # what is left of a request that failed
            found = self.split.scores(asked, level, self.batch_pairs)
            self.encode_seconds = self.split.encoding.seconds()
        return found

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int:
        """Make these states of items, of so many tokens, the ones that it scores from, all at once; their bytes.

        Those before are scored from until then, and both are in memory. May be called from another thread than
        scores. Raises ValueError for states of another form, or where the model has none.
        """
        if self.split is None:
            raise ValueError(f"model {self.version} is a whole cross-encoder: it has no item states")
        return self.split.hold(blocks, tokens)

    def needed(self) -> Iterable[tuple[str, str, int]]:
        """(item or query, known, fetched or read, how many): texts that scoring needed since this was asked last."""
        return () if self.split is None else self.split.reuse.told()

    def share_queries(self, shelf: QueryShelf) -> None:
        """From now on, look there for what a query's tokens answer before it is read, and put it there after."""
        if self.split is not None:
            self.split.queries.shelf = shelf

    def read_ahead(self, items: Iterable[ItemRecord]) -> None:
        """Make the states of items' texts before they are asked for, as far as the limits let them be kept."""
        if self.split is not None:
            with torch.inference_mode():
                self.split.read_ahead(self.texts(items))

    def texts(self, items: Iterable[ItemRecord]) -> list[tuple[int, ...]]:
        """The token ids of items' texts, each text once."""
        return list(dict.fromkeys(self._encoder.item(item) for item in items))

    def warm_up(self) -> None:
        """Run the shapes of a small and of a full batch of longest texts at every level, so that the first request
        pays for none. On a GPU all shapes are recorded first."""
        recorder = recorder_for(self.device)
        if recorder is not None and self.split is not None:
            with torch.inference_mode():
                record(self.split, recorder)
        with self.split.unnoticed() if self.split is not None else nullcontext():
            self._warm_up()
        if self.split is not None:
            self.split.shelf.forget()

    def _warm_up(self) -> None:
        token, features = self._encoder.special.pad, np.zeros((1, len(self.manifest.feature_names)), np.float32)
        query, longest = (token,) * self._encoder.query_tokens, self._encoder.item_tokens
        for pairs, level in product((1, self.batch_pairs), self.levels):
            for _ in range(2):
                items = tuple((place, *(token,) * (longest - 1)) for place in range(pairs))  # each a text of its own
                asked = PreparedQuery(query, items, np.repeat(features, pairs, 0))
                self.run(asked, level)
                shorter = PreparedQuery(query[1:], ((token,),), features)
                self.run_all([asked, shorter], level)

    def faster_types(self) -> list[torch.dtype]:
        """Number formats that a layer of this network is faster in than in float32, the fastest first."""
        return faster_types(self._network.encoder.encoder.layer[0], self.device, self.split is not None)

    def answer(self, golden: Sequence[GoldenQuery]) -> list[PairScores]:
        """The scores of golden queries, each at its level."""
        return [
            self.run(
                self.prepare(query.user, query.context, query.candidates, query.known_items, query.sources),
                query.level,
            )
            for query in golden
        ]
