"""Item states on their way from the night to the ranker: what layer k of a model makes of an item's text.

A text is known by its token ids, so that equal texts are stored once, and an unchanged item needs nothing new. Texts
travel in blocks:

    magic, version, kind, width, texts, length of the model's name      fixed head, little-endian
    model                                                              UTF-8
    lengths                                                            uint16 a text: its tokens
    keys                                                               16 bytes a text
    rows                                                               int8 or float16 [tokens, width]
    digest                                                             XXH3, 16 bytes over all before it
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128, xxh3_128_digest

from contract.errors import CorruptValue

StateKind = Literal["int8", "float16"]

VERSION = 2
BLOCK_TEXTS = 256
MOST = 65535  # tokens of a text, width, and bytes of a model's name: uint16 in a block
KEY_BYTES = 16
_MAGIC = b"PSST"
_HEAD = struct.Struct("<4sBBHHH")
_KINDS: tuple[StateKind, ...] = get_args(StateKind)
_DTYPES = {"int8": "<i1", "float16": "<f2"}


def state_block_id(number: int) -> str:
    """The id of a generation's block of that number, from 0 on."""
    return str(number)


def text_key(token_ids: Sequence[int]) -> bytes:
    """16 bytes that tell a text's token ids from any other's."""
    return hashlib.blake2b(np.array(token_ids, "<i4").tobytes(), digest_size=KEY_BYTES).digest()


@dataclass(frozen=True, eq=False)
class StateBlock:
    """States of some texts by `model`: `rows` [tokens, width] of one text after another, of `lengths` int32[n]
    tokens; `keys` are `text_key` of each."""

    model: str
    kind: StateKind
    width: int
    keys: tuple[bytes, ...]
    lengths: NDArray[np.int32]
    rows: NDArray[np.int8] | NDArray[np.float16]

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum())


def encode_block(block: StateBlock) -> bytes:
    """Raises ValueError for a block of no text or too many, or whose parts do not belong together or do not fit.

    Whether its values are finite and its keys differ is looked at by decode_block, which the publisher calls on all.
    """
    n, name = len(block.keys), block.model.encode()
    _refuse_misfit(block, len(name))
    head = _HEAD.pack(_MAGIC, VERSION, _KINDS.index(block.kind), block.width, n, len(name))
    rows = np.ascontiguousarray(block.rows, _DTYPES[block.kind])
    parts = (head, name, block.lengths.astype("<u2").tobytes(), b"".join(block.keys), rows.tobytes())
    digest = xxh3_128()
    for part in parts:
        digest.update(part)
    return b"".join((*parts, digest.digest()))


def decode_block(raw: bytes) -> StateBlock:
    """The inverse of encode_block; its rows are a view of `raw`. Raises CorruptValue."""
    where = f"item states of {len(raw)} bytes"
    if len(raw) < _HEAD.size + KEY_BYTES or raw[:4] != _MAGIC:
        raise CorruptValue(f"{where}: no block of states, or cut off; publish again")
    _, version, kind, width, n, named = _HEAD.unpack_from(raw)
    if version != VERSION:
        raise CorruptValue(f"{where}: format version {version}, not {VERSION}; publish again")
    if xxh3_128_digest(memoryview(raw)[:-KEY_BYTES]) != raw[-KEY_BYTES:]:
        raise CorruptValue(f"{where}: not what their digest says; publish again")
    if kind >= len(_KINDS):
        raise CorruptValue(f"{where}: of no known kind, {kind}; publish again")
    lengths_at = _HEAD.size + named
    keys_at = lengths_at + 2 * n
    rows_at = keys_at + KEY_BYTES * n
    if not 0 < n <= BLOCK_TEXTS or rows_at > len(raw) - KEY_BYTES:
        raise CorruptValue(f"{where}: {n} texts do not fit in them, or not in a block; publish again")
    lengths = np.frombuffer(raw, "<u2", n, lengths_at).astype(np.int32)
    dtype = np.dtype(_DTYPES[_KINDS[kind]])
    shape = int(lengths.sum()), width
    if rows_at + shape[0] * width * dtype.itemsize != len(raw) - KEY_BYTES:
        raise CorruptValue(f"{where}: {n} texts of {shape[0]} tokens do not fill them; publish again")
    rows = np.frombuffer(raw, dtype, shape[0] * width, rows_at).reshape(shape)
    if _KINDS[kind] == "float16" and not np.isfinite(rows).all():
        raise CorruptValue(f"{where}: a state is no finite number; train and publish again")
    keys = tuple(raw[at : at + KEY_BYTES] for at in range(keys_at, rows_at, KEY_BYTES))
    if len(set(keys)) != n:
        raise CorruptValue(f"{where}: a text stands in them twice; publish again")
    try:
        model = raw[_HEAD.size : lengths_at].decode()
    except UnicodeDecodeError as error:
        raise CorruptValue(f"{where}: their model's name is not UTF-8; publish again") from error
    return StateBlock(model, _KINDS[kind], width, keys, lengths, rows)


def _refuse_misfit(block: StateBlock, name_bytes: int) -> None:
    n, lengths = len(block.keys), block.lengths
    if not 0 < n <= BLOCK_TEXTS or len(lengths) != n or block.rows.shape != (block.tokens, block.width):
        raise ValueError(f"a block of {n} texts with {len(lengths)} lengths and rows {block.rows.shape}")
    if block.kind not in _KINDS or block.rows.dtype != _DTYPES[block.kind]:
        raise ValueError(f"a block of {block.kind} states with rows of {block.rows.dtype}: convert them first")
    if any(len(key) != KEY_BYTES for key in block.keys):
        raise ValueError(f"a block of {n} texts with a key that is not {KEY_BYTES} bytes long: use text_key")
    if lengths.min() < 1 or max(int(lengths.max()), block.width, name_bytes) > MOST:
        raise ValueError(
            f"a block of {n} texts of {lengths.min()} to {lengths.max()} tokens, {block.width} wide, of a model with "
            f"a name of {name_bytes} bytes: 1 to {MOST} of each fit"
        )
