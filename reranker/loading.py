"""Loads a served model from its directory: verified down to its scores, in the number format that pays here."""

from pathlib import Path

import torch

from contract.errors import ArtifactMismatch
from reranker.artifact import TOKENIZER, TREES, Artifact, read_artifact
from reranker.boosting import BOOSTED, Trees
from reranker.conversion import admitted_type
from reranker.encoding import SpecialTokens, TextEncoder, stored_tokens
from reranker.golden import TOLERANCE_FLOAT32, compare, golden_tolerance
from reranker.limits import Limits
from reranker.manifest import Manifest
from reranker.network import CrossEncoder
from reranker.precision import pick_device, use_threads
from reranker.scoring import Reranker
from reranker.weights import unpack_network

LIMITS = Limits()


def load_reranker(
    directory: Path, device: str = "auto", threads: int | None = None, limits: Limits = LIMITS
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
    reranker = build_reranker(artifact, place, None, limits)
    golden = [query for query in golden if query.level in reranker.levels]
    exact = reranker.answer(golden)
    compare(golden, exact, TOLERANCE_FLOAT32)
    half = admitted_type(
        reranker.faster_types(),
        exact,
        lambda kind: build_reranker(artifact, place, kind, limits).answer(golden),
        reranker.version,
    )
    if half is not None:
        reranker = build_reranker(artifact, place, half, limits)
        exact = reranker.answer(golden)
    reranker.golden_difference = compare(golden, exact, golden_tolerance(half))
    reranker.needed()  # what golden pairs needed is nobody's request
    return reranker


def load_network(directory: Path) -> tuple[Manifest, CrossEncoder, TextEncoder]:
    """The parts of a verified artifact, in float32 on the CPU, for training on. Raises ArtifactMismatch."""
    artifact = read_artifact(directory)
    return artifact.manifest, unpack_network(artifact), text_encoder(artifact)


def build_reranker(
    artifact: Artifact, device: torch.device, half: torch.dtype | None, limits: Limits = LIMITS
) -> Reranker:
    """A Reranker of an artifact in a given number format, its golden pairs not looked at. Raises ArtifactMismatch."""
    network, encoder, trees = unpack_network(artifact), text_encoder(artifact), _trees(artifact)
    return Reranker(artifact.manifest, network, encoder, device, half, limits, trees)


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


def text_encoder(artifact: Artifact) -> TextEncoder:
    """What an artifact reads of queries and items. Raises ArtifactMismatch."""
    manifest = artifact.manifest
    special = SpecialTokens(*manifest.special_tokens)
    try:
        tokens = stored_tokens(artifact.content[TOKENIZER], special)
    except ValueError as error:
        raise ArtifactMismatch(f"model {manifest.version}: {error}; export it again") from error
    return TextEncoder(tokens, manifest.query_tokens, manifest.item_tokens, manifest.text_template)
