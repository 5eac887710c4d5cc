"""Items' texts to stored states, for the night: by a loaded model, as its ranker would make them on the spot."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from contract.errors import BadInput
from contract.records import ItemRecord
from contract.states import text_key
from reranker.artifact import read_artifact
from reranker.encoding import TextEncoder
from reranker.loading import load_reranker, text_encoder
from reranker.manifest import ItemStates, Manifest

Texts = dict[bytes, tuple[int, ...]]
AT_ONCE = 64


class Coded(NamedTuple):
    """States of some texts: their keys, lengths int32[n], and rows [tokens, width], one text after another."""

    keys: list[bytes]
    lengths: NDArray[np.int32]
    rows: NDArray[np.generic]


class ItemTexts:
    """What a model reads of items, without its network. `states` says how it stores what it makes of them.

    Raises BadInput for a model that is no split network, ArtifactMismatch.
    """

    def __init__(self, directory: Path) -> None:
        artifact = read_artifact(directory)
        self.version, self.states = artifact.manifest.version, states_of(artifact.manifest)
        self._encoder: TextEncoder = text_encoder(artifact)

    def of(self, items: Iterable[ItemRecord]) -> Texts:
        """The token ids of items' texts, by their keys."""
        return {text_key(ids): ids for ids in map(self._encoder.item, items)}


class ItemCoder:
    """The model in `directory`, loaded as a ranker would load it; `half` is its number format, None for float32.

    Raises BadInput, ArtifactMismatch.
    """

    def __init__(self, directory: Path, device: str, threads: int | None) -> None:
        model = load_reranker(directory, device, threads)
        if model.split is None:
            states_of(model.manifest)
        assert model.split is not None
        self._split = model.split
        self.device, self.half = model.device, model.half

    def coded(self, texts: Texts) -> Iterator[Coded]:
        """AT_ONCE texts at a time, those of about one length together."""
        order = sorted(texts.items(), key=lambda text: len(text[1]))
        for start in range(0, len(order), AT_ONCE):
            keys, ids = zip(*order[start : start + AT_ONCE], strict=True)
            yield Coded(list(keys), *self._rows(ids))

    def _rows(self, ids: Sequence[tuple[int, ...]]) -> tuple[NDArray[np.int32], NDArray[np.generic]]:
        with torch.inference_mode():
            rows, lengths = self._split.read(ids)
        return lengths.cpu().numpy().astype(np.int32), rows.cpu().numpy()


def states_of(manifest: Manifest) -> ItemStates:
    """Raises BadInput for a model that is no split network."""
    if manifest.states is None:
        raise BadInput(
            f"model {manifest.version} is a whole cross-encoder ({manifest.role}): it has no item states; name a "
            "student that `python -m jobs prune` made"
        )
    return manifest.states
