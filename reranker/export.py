"""A trained network becomes an artifact: float16 weights, and the scores that exactly those weights give."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import torch

from reranker.artifact import CONFIG, GOLDEN, TOKENIZER, TREES, WEIGHTS, Artifact, write_artifact
from reranker.boosting import Trees
from reranker.encoding import TextEncoder
from reranker.golden import GoldenQuery
from reranker.loading import build_reranker
from reranker.manifest import ItemStates, Level, Manifest, Pruning
from reranker.network import CrossEncoder
from reranker.shape import shape_of
from reranker.weights import pack_weights


def export_artifact(
    parent: Path,
    network: CrossEncoder,
    encoder: TextEncoder,
    golden: Sequence[GoldenQuery],
    *,
    role: str,
    date: str,
    created_at: float,
    base_model: str,
    feature_names: Sequence[str],
    training: Mapping[str, int | float | str],
    metrics: Mapping[str, float],
    teacher: str = "",
    pruning: Pruning | None = None,
    levels: Sequence[Level] = (),
    states: ItemStates | None = None,
    trees: Trees | None = None,
    vector_space: str = "",
) -> Path:
    """Write the artifact to `parent`/<version> and return that directory.

    The `golden` queries are answered at every level in float32 by the float16 weights as written. A split network
    needs `levels` and `states`. Raises PacesetterError where
    a weight does not fit float16.
    """
    tokenizer = encoder.tokenizer_json()
    special = encoder.special
    manifest = Manifest(
        role=role,
        teacher=teacher,
        date=date,
        created_at=created_at,
        base_model=base_model,
        layers=network.layers,
        shape=shape_of(network),
        tokenizer_sha256=hashlib.sha256(tokenizer).hexdigest(),
        special_tokens=(special.cls, special.sep, special.pad),
        query_tokens=encoder.query_tokens,
        item_tokens=encoder.item_tokens,
        template=encoder.template.model_dump(mode="json"),
        vector_space=vector_space,
        feature_names=tuple(feature_names),
        feature_mean=tuple(network.feature_mean.tolist()),
        feature_std=tuple(network.feature_std.tolist()),
        training=dict(training),
        metrics=dict(metrics),
        pruning=pruning,
        levels=tuple(levels),
        states=states,
    )
    content = {
        WEIGHTS: pack_weights(network),
        CONFIG: network.encoder.config.to_json_string(use_diff=False).encode(),
        TOKENIZER: tokenizer,
        **({TREES: trees.packed()} if trees else {}),
    }
    written = build_reranker(Artifact(manifest, content), torch.device("cpu"), None)
    asked = [msgspec.structs.replace(query, level=level) for level in written.levels for query in golden]
    answers = [query.answered(*scores) for query, scores in zip(asked, written.answer(asked), strict=True)]
    return write_artifact(parent, manifest, {**content, GOLDEN: msgspec.json.encode(answers)})
