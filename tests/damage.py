"""What may happen to bytes on their way: a bit that flips, an end that is cut off."""

from collections.abc import Iterator

import numpy as np


def damaged(whole: bytes, count: int, seed: int = 7) -> Iterator[bytes]:
    """`count` times `whole`, bits flipped and ends cut off in turn."""
    random = np.random.default_rng(seed)
    for number in range(count):
        raw = bytearray(whole)
        if number % 2:
            raw[random.integers(len(whole))] ^= 1 << int(random.integers(8))
        else:
            del raw[int(random.integers(len(whole))) :]
        yield bytes(raw)
