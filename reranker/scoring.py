"""Scores a query's candidates: the one path for the ranker, for evaluation and for golden pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.errors import ArtifactMismatch
from contract.features import align, feature_names, pair_features
from contract.records import ItemRecord, UserRecord
from reranker.artifact import TOKENIZER, TREES, Artifact, read_artifact
from reranker.boosting import BOOSTED, Trees
from reranker.conversion import admitted_type
from reranker.encoding import SpecialTokens, TextEncoder, stored_tokens
from reranker.golden import TOLERANCE_FLOAT32, TOLERANCE_HALF, GoldenQuery, compare
from reranker.layer_timing import faster_types
from reranker.manifest import Manifest
from reranker.network import CrossEncoder, PairTensors
from reranker.precision import pick_device, use_threads
from reranker.weights import unpack_network

BATCH_PAIRS = 64


@dataclass(frozen=True, eq=False)
class PreparedQuery:
    """A query's token ids, its n candidates' token ids, and their features, float32[n, features]."""

    query: tuple[int, ...]
    items: tuple[tuple[int, ...], ...]
    features: NDArray[np.float32]


class PairScores(NamedTuple):
    """float32[n] each: what orders the slate, and what the texts alone say."""

    final: NDArray[np.float32]
    text: NDArray[np.float32]


class Reranker:
    """A verified model, ready to score. One caller at a time: a process that serves has one thread for it.

    `version` and `feature_view` are the artifact's, `history_length` is how many items of a user's history its texts
    may name; `half` is the encoder's number format, None for float32.
    `golden_difference` is what `load_reranker` found between the golden scores and this machine's, as `compare` does;
    NaN where nobody looked.
    """

    def __init__(
        self,
        manifest: Manifest,
        network: CrossEncoder,
        encoder: TextEncoder,
        device: torch.device,
        half: torch.dtype | None,
        batch_pairs: int = BATCH_PAIRS,
        trees: Trees | None = None,
    ) -> None:
        self.manifest = manifest
        self.version = manifest.version
        self.feature_view = manifest.feature_view
        self.vector_space = manifest.vector_space
        self.history_length = encoder.template.query.history_length
        self.half = half
        self.device = device
        self.golden_difference = float("nan")
        self._network = network.to(device).eval()
        if half is not None:  # the head stays in float32
            self._network.encoder.to(half)
        self._encoder = encoder
        self._trees = trees
        self._batch_pairs = batch_pairs

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

    def run(self, prepared: PreparedQuery) -> PairScores:
        """The network over a prepared query, in batches of pairs of like length."""
        n = len(prepared.items)
        out = np.zeros((2, n), np.float32)
        order = np.argsort([len(item) for item in prepared.items], kind="stable")
        with torch.inference_mode():
            for start in range(0, n, self._batch_pairs):
                rows = order[start : start + self._batch_pairs]
                pairs = self._encoder.pairs([prepared.query] * len(rows), [prepared.items[row] for row in rows])
                features = torch.from_numpy(prepared.features[rows]).to(self.device)
                scores = self._network(PairTensors.of(pairs, self.device), features)
                out[:, rows] = torch.stack(scores).cpu().numpy()
        return PairScores(out[0], out[1])

    def warm_up(self) -> None:
        """Run the shapes of a small and of a full batch of longest texts, so that the first request pays for none."""
        token, features = self._encoder.special.pad, np.zeros((1, len(self.manifest.feature_names)), np.float32)
        query, item = (token,) * self._encoder.query_tokens, (token,) * self._encoder.item_tokens
        for pairs in (1, self._batch_pairs):
            for _ in range(2):
                self.run(PreparedQuery(query, (item,) * pairs, np.repeat(features, pairs, 0)))

    def faster_types(self) -> list[torch.dtype]:
        """Number formats that a layer of this network is faster in than in float32, the fastest first."""
        return faster_types(self._network.encoder.encoder.layer[0], self.device)

    def answer(self, golden: Sequence[GoldenQuery]) -> list[PairScores]:
        """The scores of golden queries."""
        return [
            self.run(self.prepare(query.user, query.context, query.candidates, query.known_items, query.sources))
            for query in golden
        ]


def load_reranker(
    directory: Path, device: str = "auto", threads: int | None = None, batch_pairs: int = BATCH_PAIRS
) -> Reranker:
    """The model in `directory`, verified down to its golden scores on this machine.

    `device` is cpu, cuda or auto; `threads` sets torch's for the whole process. The encoder runs in the number
    format that is measured to be the fastest for its layers, where that scores as float32 does: a correlation of
    golden.CORRELATION at least on the golden pairs. Raises ArtifactMismatch with the reason.
    """
    use_threads(threads)
    artifact = read_artifact(directory)
    golden = artifact.golden()
    if not golden:
        raise ArtifactMismatch(f"{directory}: it has no golden pairs; export the model again")
    place = pick_device(device)
    reranker = build_reranker(artifact, place, None, batch_pairs)
    exact = reranker.answer(golden)
    compare(golden, exact, TOLERANCE_FLOAT32)
    half = admitted_type(
        reranker.faster_types(),
        exact,
        lambda kind: build_reranker(artifact, place, kind, batch_pairs).answer(golden),
        reranker.version,
    )
    if half is not None:
        reranker = build_reranker(artifact, place, half, batch_pairs)
        exact = reranker.answer(golden)
    reranker.golden_difference = compare(golden, exact, golden_tolerance(half))
    return reranker


def golden_tolerance(half: torch.dtype | None) -> float:
    """The largest difference at which a model in this number format is loaded."""
    return TOLERANCE_FLOAT32 if half is None else TOLERANCE_HALF


def load_network(directory: Path) -> tuple[Manifest, CrossEncoder, TextEncoder]:
    """The parts of a verified artifact, in float32 on the CPU, for training on. Raises ArtifactMismatch."""
    artifact = read_artifact(directory)
    return artifact.manifest, unpack_network(artifact), _text_encoder(artifact)


def build_reranker(
    artifact: Artifact, device: torch.device, half: torch.dtype | None, batch_pairs: int = BATCH_PAIRS
) -> Reranker:
    """A Reranker of an artifact in a given number format, its golden pairs not looked at. Raises ArtifactMismatch."""
    network, encoder, trees = unpack_network(artifact), _text_encoder(artifact), _trees(artifact)
    return Reranker(artifact.manifest, network, encoder, device, half, batch_pairs, trees)


def load_trees(directory: Path) -> Trees | None:
    """The trees of a verified artifact; None where it has none. Raises ArtifactMismatch."""
    return _trees(read_artifact(directory))


def _trees(artifact: Artifact) -> Trees | None:
    names = artifact.manifest.feature_names
    if BOOSTED not in names:
        return None
    try:
        return Trees.unpacked(artifact.content[TREES], len(names) - 1)
    except ArtifactMismatch as error:
        raise ArtifactMismatch(f"{TREES} of model {artifact.manifest.version}: {error}") from error


def _text_encoder(artifact: Artifact) -> TextEncoder:
    manifest = artifact.manifest
    special = SpecialTokens(*manifest.special_tokens)
    try:
        tokens = stored_tokens(artifact.content[TOKENIZER], special)
    except ValueError as error:
        raise ArtifactMismatch(f"model {manifest.version}: {error}; export it again") from error
    return TextEncoder(tokens, manifest.query_tokens, manifest.item_tokens, manifest.text_template)
