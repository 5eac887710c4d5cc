"""The states of item texts, ready to be scored: a slab that comes with a generation, and an annex of what it lacks."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from contract.states import StateBlock, text_key
from reranker.engine import States
from reranker.states import StateCodec
from reranker.transfer import to_device

# A place is a number, start << LENGTH_BITS | length: a million tuples would have the garbage collector stop the scoring
# thread for up to 0.2 s while states are loaded.
LENGTH_BITS = 16


class Slab:
    """States of many texts in one tensor a depth, in the order they came in. Filled once, then only read."""

    def __init__(self, codec: StateCodec, depths: Sequence[int], tokens: int, device: torch.device) -> None:
        """Room for so many `tokens` at each of `depths`, which are of those that the codec stores."""
        self._codec, self._size = codec, tokens
        self._rows = {depth: torch.empty(tokens, codec.hidden, dtype=codec.dtype, device=device) for depth in depths}
        self.places: dict[bytes, int] = {}
        self._used = 0

    @property
    def room(self) -> int:
        """Tokens that may still be added."""
        return self._size - self._used

    @property
    def nbytes(self) -> int:
        return sum(rows.nbytes for rows in self._rows.values())

    def add(self, keys: Sequence[bytes], lengths: NDArray[np.int32], rows: Tensor) -> None:
        """`rows` [tokens, depths * hidden] of texts with these `lengths`; the caller has seen that there is room."""
        end = self._used + len(rows)
        for depth, held in self._rows.items():
            held[self._used : end] = self._codec.at(rows, depth)
        starts = self._used + np.cumsum(lengths, dtype=np.int64) - lengths
        self.places.update(zip(keys, (starts << LENGTH_BITS | lengths).tolist(), strict=True))
        self._used = end

    def take(self, rows: Tensor, depth: int) -> Tensor:
        return self._rows[depth].index_select(0, rows)

    def clear(self) -> None:
        self.places.clear()
        self._used = 0


def filled(
    codec: StateCodec, depths: Sequence[int], blocks: Iterable[StateBlock], tokens: int, device: torch.device
) -> Slab:
    """A slab of all `blocks`, which have so many `tokens`. Raises ValueError for blocks of another form."""
    slab = Slab(codec, depths, tokens, device)
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

    def __init__(self, codec: StateCodec, depths: Sequence[int], device: torch.device, annex_tokens: int) -> None:
        """States are held at `depths` alone, of those that the codec stores."""
        self.codec, self.depths, self._device = codec, depths, device
        self.slab = Slab(codec, depths, 0, device)
        self._annex = Slab(codec, depths, annex_tokens, device)

    @property
    def texts(self) -> int:
        return len(self.slab.places) + len(self._annex.places)

    def hold(self, slab: Slab) -> None:
        """From the next look on this slab is read; one that is being read stays whole until then."""
        self.slab = slab

    @property
    def room(self) -> int:
        """Tokens that the annex has room for beside what is in it."""
        return self._annex.room

    def unknown(self, keys: Sequence[bytes], slab: Slab) -> list[int]:
        """Places among `keys` of those whose states are neither in `slab` nor in the annex, each key once."""
        held, annex = slab.places, self._annex.places
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

    def states(self, keys: Sequence[bytes], depth: int, slab: Slab) -> States:
        """The states at `depth` of texts that are all in `slab` or in the annex. Raises KeyError."""
        found = [slab.places.get(key) for key in keys]
        ours = np.array([place is not None for place in found])
        annex = self._annex.places
        places = np.array(
            [annex[key] if place is None else place for place, key in zip(found, keys, strict=True)], np.int64
        )
        lengths, starts = places & ((1 << LENGTH_BITS) - 1), places >> LENGTH_BITS
        first = np.cumsum(lengths) - lengths
        rows = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        scale, counts = self.codec.scale(depth), torch.from_numpy(lengths)
        if ours.all() or not ours.any():
            of = slab if ours.all() else self._annex
            return States(of.take(to_device(rows, self._device), depth), counts, scale)
        out = torch.empty(len(rows), self.codec.hidden, dtype=self.codec.dtype, device=self._device)
        of_slab = np.repeat(ours, lengths)
        for of, chosen in ((slab, of_slab.nonzero()[0]), (self._annex, (~of_slab).nonzero()[0])):
            found = of.take(to_device(rows[chosen], self._device), depth)
            out.index_copy_(0, to_device(chosen, self._device), found)
        return States(out, counts, scale)


def keys_of(texts: Sequence[tuple[int, ...]]) -> list[bytes]:
    return [text_key(text) for text in texts]
