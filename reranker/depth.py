"""How deep an item is read without its query: the levels of a split network.

A depth k says that the lowest k layers of an item see the item alone, so that what they make of it can be computed
before any query comes; the layers from k on see the query too.
"""

from typing import Literal, get_args

from contract.errors import BadInput

LevelName = Literal["full", "fast"]
LEVELS: tuple[LevelName, ...] = get_args(LevelName)


def level_depths(layers: int) -> dict[LevelName, int]:
    """The depth of each level, the best level first: half of the layers see the query in `full`, the last in `fast`.

    Only `full` where both are the same, in a network of one or two layers.
    """
    full, fast = layers // 2, layers - 1
    return {"full": full} if full == fast else {"full": full, "fast": fast}


def training_depths(layers: int) -> range:
    """The depths that one set of weights is trained for: those of the levels, and all between them."""
    return range(layers // 2, layers)


def checked(depth: int, layers: int) -> int:
    """Raises BadInput unless at least the last layer sees the query."""
    if not 0 <= depth < layers:
        raise BadInput(f"depth {depth} of a network of {layers} layers: from 0 to {layers - 1}")
    return depth
