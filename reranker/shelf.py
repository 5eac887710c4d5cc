"""The states of item texts, ready to be scored: a slab that comes with a generation, and an annex of what it lacks."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from contract.states import StateBlock, text_key
from reranker.engine import States
from reranker.states import StateCodec


class Place(NamedTuple):
    """Where a text's states lie: rows from `start` on, of the slab or of the annex."""

    start: int
    length: int


class Slab:
    """States of many texts in one tensor a depth, in the order they came in. Filled once, then only read."""

    def __init__(self, codec: StateCodec, tokens: int, device: torch.device) -> None:
        """Room for so many `tokens`."""
        self._codec = codec
        self._rows = {
            depth: torch.empty(tokens, codec.hidden, dtype=codec.dtype, device=device) for depth in codec.depths
        }
        self.places: dict[bytes, Place] = {}
        self._used = 0

    @property
    def room(self) -> int:
        """Tokens that may still be added."""
        return len(self._rows[self._codec.depths[0]]) - self._used

    @property
    def nbytes(self) -> int:
        return sum(rows.nbytes for rows in self._rows.values())

    def add(self, keys: Sequence[bytes], lengths: NDArray[np.int32], rows: Tensor) -> None:
        """`rows` [tokens, depths * hidden] of texts with these `lengths`; the caller has seen that there is room."""
        end = self._used + len(rows)
        for depth, held in self._rows.items():
            held[self._used : end] = self._codec.at(rows, depth)
        starts = (self._used + np.cumsum(lengths) - lengths).tolist()
        self.places.update(zip(keys, map(Place, starts, lengths.tolist()), strict=True))
        self._used = end

    def take(self, rows: Tensor, depth: int) -> Tensor:
        return self._rows[depth].index_select(0, rows)

    def clear(self) -> None:
        self.places.clear()
        self._used = 0


def filled(codec: StateCodec, blocks: Iterable[StateBlock], tokens: int, device: torch.device) -> Slab:
    """A slab of all `blocks`, which have so many `tokens`. Raises ValueError for blocks of another form."""
    slab = Slab(codec, tokens, device)
    for block in blocks:
        if block.kind != codec.kind or block.width != codec.width:
            raise ValueError(f"states of {block.kind} x {block.width}, the model has {codec.kind} x {codec.width}")
        if block.tokens > slab.room:
            raise ValueError(f"states of more than the {tokens} tokens that were announced")
        rows = torch.from_numpy(np.array(block.rows))  # decoded rows are read-only
        slab.add(block.keys, block.lengths, rows.to(device))
    return slab


class Shelf:
    """Finds the states of texts, by their token ids, in the slab or in the annex.

    The annex holds `annex_tokens`; full, it is emptied whole. For one thread, but for `hold`, which only exchanges
    the slab.
    """

    def __init__(self, codec: StateCodec, device: torch.device, annex_tokens: int) -> None:
        self.codec, self._device = codec, device
        self.slab = Slab(codec, 0, device)
        self._annex = Slab(codec, annex_tokens, device)

    @property
    def texts(self) -> int:
        return len(self.slab.places) + len(self._annex.places)

    def hold(self, slab: Slab) -> None:
        """From the next look on this slab is read; one that is being read stays whole until then."""
        self.slab = slab

    def unknown(self, texts: Sequence[tuple[int, ...]], keys: Sequence[bytes]) -> list[int]:
        """Places among `texts` of those whose states are not here, each text once."""
        held, annex = self.slab.places, self._annex.places
        first = {key: place for place, key in reversed(list(enumerate(keys))) if key not in held and key not in annex}
        return sorted(first.values())

    def add(self, keys: Sequence[bytes], lengths: Tensor, rows: Tensor) -> bool:
        """Keep the states of texts; False, and nothing kept, where the annex is too small for them. It is emptied
        first where they do not fit beside the others."""
        if len(rows) > self._annex.room:
            self._annex.clear()
        if len(rows) > self._annex.room:
            return False
        self._annex.add(keys, lengths.cpu().numpy().astype(np.int32), rows)
        return True

    def forget(self) -> None:
        """Empty the annex."""
        self._annex.clear()

    def states(self, keys: Sequence[bytes], depth: int) -> States:
        """The states at `depth` of texts that are all here. Raises KeyError."""
        slab = self.slab
        found = [slab.places.get(key) for key in keys]
        ours = np.array([place is not None for place in found])
        places = [place or self._annex.places[key] for place, key in zip(found, keys, strict=True)]
        lengths = np.array([place.length for place in places], np.int64)
        starts = np.array([place.start for place in places], np.int64)
        first = np.cumsum(lengths) - lengths
        rows = torch.from_numpy(np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)).to(self._device)
        scale = self.codec.scale(depth)
        counts = torch.from_numpy(lengths).to(self._device)
        if ours.all() or not ours.any():
            return States((slab if ours.all() else self._annex).take(rows, depth), counts, scale)
        of_slab = torch.from_numpy(np.repeat(ours, lengths)).to(self._device)
        out = torch.empty(len(rows), self.codec.hidden, dtype=self.codec.dtype, device=self._device)
        out[of_slab] = slab.take(rows[of_slab], depth)
        out[~of_slab] = self._annex.take(rows[~of_slab], depth)
        return States(out, counts, scale)


def keys_of(texts: Sequence[tuple[int, ...]]) -> list[bytes]:
    return [text_key(text) for text in texts]
