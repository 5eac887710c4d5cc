"""What a served model may hold in memory besides itself."""

from typing import NamedTuple

import torch

from reranker.depth import LEVELS, LevelName

# Longer passes are no faster on a CPU. On a GPU 64 items leave most of it idle; that 1024 are best was not measured.
PAIRS, PAIRS_ON_GPU = 64, 1024


class Limits(NamedTuple):
    """Pairs in one forward pass, 0 for what suits the device; tokens of items' states that no slab has, queries whose
    keys and values are kept, and the levels that it is to score at: items' states are held at their depths alone."""

    batch_pairs: int = 0
    annex_tokens: int = 400_000
    known_queries: int = 256
    levels: tuple[LevelName, ...] = LEVELS

    def on(self, device: torch.device, whole: bool) -> "Limits":
        """These, with as many pairs as fill a device of this kind and no more. `whole`: of a cross-encoder that reads
        each pair whole, and so takes many times the memory."""
        if self.batch_pairs:
            return self
        return self._replace(batch_pairs=PAIRS_ON_GPU if device.type == "cuda" and not whole else PAIRS)
