"""Text vectors of items as the lake and Redis hold them: int8 a component, of one direction each.

A cosine needs directions alone, so that a vector is scaled to fill int8 and its length is forgotten. Measured on
all-MiniLM-L6-v2 and 3,900 titles: cosines differ by at most 0.004 from those of float32, at a quarter of the bytes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# What an item without a vector has.
NO_VECTOR = b""


def pack_vectors(vectors: NDArray[np.float32]) -> list[bytes]:
    """Each row of float32[n, d] as d bytes; a row of zeros (a text without words) as NO_VECTOR."""
    largest = np.abs(vectors).max(1, initial=0.0)
    scaled = np.rint(vectors * (127.0 / np.where(largest > 0, largest, 1.0))[:, None]).astype(np.int8)
    return [row.tobytes() if size > 0 else NO_VECTOR for row, size in zip(scaled, largest, strict=True)]


def unit_rows(packed: Sequence[bytes]) -> NDArray[np.float32]:
    """float32[n, d], rows of length 1, or of 0 for NO_VECTOR; [n, 0] where none has a vector.

    Vectors of another width than the first one's come from another model, and count as none.
    """
    width = next((len(one) for one in packed if one), 0)
    empty = bytes(width)
    rows = np.frombuffer(b"".join(one if len(one) == width else empty for one in packed), np.int8)
    found = rows.reshape(len(packed), width).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", found, found))
    found /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return found
