"""Token ids as tensors: texts by themselves, and pairs of an item and a query laid out in one row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranker.encoding import FramedTexts, TextEncoder
from reranker.transfer import to_device

# Types of the tokens of an item and of a query.
ITEM, QUERY = 1, 0


class TokenRows(NamedTuple):
    """Rows of tokens, int64[n, length] each but for `present`, bool, which is false where there is none."""

    ids: Tensor
    types: Tensor
    positions: Tensor
    present: Tensor


class TextTensors(NamedTuple):
    """n framed texts of one type: ids int64[n, longest], padded behind, and their lengths int64[n]."""

    ids: Tensor
    lengths: Tensor
    type: int

    @staticmethod
    def of(texts: FramedTexts, type: int, device: torch.device) -> "TextTensors":
        ids, lengths = (to_device(array, device) for array in texts)
        return TextTensors(ids, lengths, type)

    @property
    def present(self) -> Tensor:
        return torch.arange(self.ids.shape[1], device=self.ids.device)[None, :] < self.lengths[:, None]

    def tokens(self) -> TokenRows:
        """Each text in a row of its own, its positions from 0."""
        positions = torch.arange(self.ids.shape[1], device=self.ids.device).expand_as(self.ids)
        return TokenRows(self.ids, torch.full_like(self.ids, self.type), positions, self.present)


class PairTensors(NamedTuple):
    """Item i belongs to query `of[i]`, int64[items]: many items may share a query, whose text is there once."""

    queries: TextTensors
    items: TextTensors
    of: Tensor

    def laid_out(self) -> TokenRows:
        """A pair a row: the item stands first, so that its [CLS] is at column 0.

            [CLS] item [SEP] [CLS] query [SEP]     types 1 and 0, positions from 0 in both

        An encoder tells tokens apart by their positions and types, not by where they lie in memory.
        """
        query = TextTensors(self.queries.ids[self.of], self.queries.lengths[self.of], QUERY)
        first, whole = self.items.lengths[:, None], (self.items.lengths + query.lengths)[:, None]
        longest = int(whole.max()) if len(whole) else 0
        column = torch.arange(longest, device=first.device)[None, :]
        of_item, present = column < first, column < whole
        place = torch.where(of_item, column, column - first)
        ids = torch.where(of_item, _at(self.items.ids, place), _at(query.ids, place))
        return TokenRows(ids, of_item.long(), torch.where(present, place, 0), present)


def pair_tensors(
    encoder: TextEncoder,
    queries: Sequence[Sequence[int]],
    items: Sequence[Sequence[int]],
    of: Sequence[int] | NDArray[np.int64],
    device: torch.device,
) -> PairTensors:
    """Pairs of texts' token ids; item i belongs to `queries[of[i]]`."""
    return PairTensors(
        TextTensors.of(encoder.framed(queries), QUERY, device),
        TextTensors.of(encoder.framed(items), ITEM, device),
        torch.from_numpy(np.asarray(of, np.int64)).to(device),
    )


def _at(ids: Tensor, place: Tensor) -> Tensor:
    """ids[row, place[row]], the nearest column where there is none."""
    return ids.gather(1, place.clamp(0, max(ids.shape[1] - 1, 0)).expand(len(ids), -1))
