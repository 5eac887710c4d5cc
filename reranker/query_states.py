"""What a query's tokens answer in each layer, as bytes that another process may score from."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from xxhash import xxh3_128, xxh3_128_digest

from contract.errors import CorruptValue
from contract.states import KEY_BYTES
from reranker.engine import Answers
from reranker.layers import Attended


class QueryShelf(Protocol):
    """Where processes share them. Neither call raises or takes long: a shelf that is away has nothing."""

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...


def answers_key(model: str, kind: torch.dtype, lowest: int, query: Sequence[int]) -> bytes:
    """16 bytes that tell the answers of `model`, in number format `kind` and from layer `lowest` on, to a query's token
    ids from any others."""
    head = f"{model}\0{kind}\0{lowest}\0".encode()
    return xxh3_128(head + np.array(query, "<i4").tobytes()).digest()


def packed(answers: Answers) -> bytes:
    """Keys and values of a query, one row, as safetensors behind a digest; a layer that answers nothing is left out."""
    tensors = {}
    for place, answer in enumerate(answers):
        if answer is not None:
            tensors[f"{place}.keys"] = answer.keys.cpu().contiguous()
            tensors[f"{place}.values"] = answer.values.cpu().contiguous()
    raw: bytes = save(tensors)
    return xxh3_128_digest(raw) + raw


def unpacked(raw: bytes, like: Sequence[tuple[int, int] | None], kind: torch.dtype, device: torch.device) -> Answers:
    """The inverse of `packed`. `like`: heads and their size in each layer that answers, None in the others.

    Raises CorruptValue for bytes that are damaged, or are another network's.
    """
    where = f"query states of {len(raw)} bytes"
    if len(raw) <= KEY_BYTES or xxh3_128_digest(memoryview(raw)[KEY_BYTES:]) != raw[:KEY_BYTES]:
        raise CorruptValue(f"{where}: not what their digest says")
    try:
        tensors = load(raw[KEY_BYTES:])
    except SafetensorError as error:
        raise CorruptValue(f"{where}: {error}") from error
    wanted = {f"{place}.{part}" for place, form in enumerate(like) if form for part in ("keys", "values")}
    lengths = {tensor.shape[2] if tensor.dim() == 4 else 0 for tensor in tensors.values()}
    if tensors.keys() != wanted or len(lengths) != 1:
        raise CorruptValue(f"{where}: {len(tensors)} tensors of {len(lengths)} lengths, not {len(wanted)} of one")
    [length] = lengths
    present = torch.ones(1, length, dtype=torch.bool, device=device)
    found: Answers = []
    for place, form in enumerate(like):
        if form is None:
            found.append(None)
            continue
        keys, values = tensors[f"{place}.keys"], tensors[f"{place}.values"]
        if any(part.shape != (1, form[0], length, form[1]) or part.dtype != kind for part in (keys, values)):
            raise CorruptValue(f"{where}: layer {place} is {tuple(keys.shape)} {keys.dtype}, not {form} {kind}")
        found.append(Attended(keys.to(device), values.to(device), present))
    return found
