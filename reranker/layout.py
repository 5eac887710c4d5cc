"""Where the tokens of a pass lie: packed [rows, width], or padded [n, longest, width], as attention sees them."""

from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

# Packed tokens are made up to a multiple of this: oneDNN prepares a product for each number of rows that it meets,
# which takes longer than the product. 100 items of other lengths in every request took 83 ms, of the same lengths 59.
ROWS = 64


class Layout(Protocol):
    """Of n texts. `present` bool[n, longest] is false where a text has no token, `starts` int64[n] are the packed rows
    of their first tokens; `even`: no text is shorter than the longest."""

    present: Tensor
    starts: Tensor
    even: bool

    def filled_up(self, tokens: Tensor) -> Tensor:
        """Tokens alone [tokens, width] as packed ones."""
        ...

    def padded(self, packed: Tensor) -> Tensor:
        """A text a row; where it has no token stands another one of its own, or any finite number."""
        ...

    def packed(self, padded: Tensor) -> Tensor: ...


class Packed:
    """Without padding: one text's tokens after another's, in a multiple of ROWS; those behind the last token hold
    anything."""

    def __init__(self, lengths: Tensor, device: torch.device) -> None:
        """`lengths` int64[n], on a CPU, at least one token each; the tokens are on `device`."""
        self.longest = int(lengths.max()) if len(lengths) else 0
        self._lengths, self._starts = lengths, lengths.cumsum(0) - lengths
        self._columns, self._device = torch.arange(self.longest)[None, :], device
        self._present = self._columns < lengths[:, None]
        self.present, self.starts = self._present.to(device), self._starts.to(device)
        self.tokens = int(lengths.sum())
        self.rows = -(-self.tokens // ROWS) * ROWS
        self.even = self.tokens == len(lengths) * self.longest

    def __len__(self) -> int:
        return len(self.starts)

    def filled_up(self, tokens: Tensor) -> Tensor:
        return F.pad(tokens, (0, 0, 0, self.rows - len(tokens)))

    def padded(self, packed: Tensor) -> Tensor:
        """Takes tokens alone too. Padding is its text's last token, so that NaN stays with its text."""
        rows = packed[: self.tokens] if self.even else packed.index_select(0, self._shown)
        return rows.view(len(self), self.longest, -1)

    def packed(self, padded: Tensor) -> Tensor:
        return padded.reshape(len(self) * self.longest, -1).index_select(0, self._taken)

    @cached_property
    def _shown(self) -> Tensor:
        """The packed row of each place in padded ones."""
        last = self._lengths[:, None] - 1
        return (self._starts[:, None] + torch.minimum(self._columns, last)).flatten().to(self._device)

    @cached_property
    def _taken(self) -> Tensor:
        """The place in padded rows of each packed one; those behind the last token are copies of the first."""
        places = self._present.flatten().nonzero().squeeze(1)
        return F.pad(places, (0, self.rows - self.tokens)).to(self._device)


class Grid:
    """A row of `longest` for each text, packed as well as padded; those behind its last token hold anything.

    Nothing is asked of the device: lengths may change while shapes and addresses stay.
    """

    even = False

    def __init__(self, lengths: Tensor, longest: int) -> None:
        """`lengths` int64[n], at least one token each."""
        columns = torch.arange(longest, device=lengths.device)
        self.present = columns[None, :] < lengths[:, None]
        self.starts = torch.arange(len(lengths), device=lengths.device) * longest
        self._longest = longest

    def filled_up(self, tokens: Tensor) -> Tensor:
        return tokens

    def padded(self, packed: Tensor) -> Tensor:
        return packed.view(len(self.starts), self._longest, -1)

    def packed(self, padded: Tensor) -> Tensor:
        return padded.reshape(len(self.starts) * self._longest, -1)
