"""Sentence embeddings of short texts: mean-pooled, normalised outputs of the base model's encoder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.errors import BadInput
from reranker.encoding import base_tokens

TEXT_TOKENS = 64
BATCH_TOKENS = 4096


def embed_texts(directory: Path, texts: Sequence[str], threads: int | None = None) -> NDArray[np.float32]:
    """float32[len(texts), d], rows of length 1 in the order of `texts`; a text without a token is a row of zeros.

    Mean pooling over all tokens, as sentence-transformers do it (Reimers and Gurevych 2019). Only the first
    TEXT_TOKENS tokens of a text count. Batches hold texts of about one length, so that little is padding.
    `threads`: torch threads; None leaves them as they are. Raises BadInput where the model does not load.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel

    tokenizer = base_tokens(directory)
    try:
        model = AutoModel.from_pretrained(directory, local_files_only=True, dtype=torch.float32).eval()
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BadInput(f"base model {directory}: it does not load: {error}") from error
    tokens = [tokenizer.of(text, TEXT_TOKENS) for text in texts]
    out = np.zeros((len(texts), model.config.hidden_size), np.float32)
    if threads is not None:
        torch.set_num_threads(threads)
    with torch.inference_mode():
        for rows in _batches([len(ids) for ids in tokens]):
            length = len(tokens[rows[0]]) + 2
            ids = torch.full((len(rows), length), tokenizer.special.pad)
            for place, row in enumerate(rows):
                framed = (tokenizer.special.cls, *tokens[row], tokenizer.special.sep)
                ids[place, : len(framed)] = torch.tensor(framed)
            present = torch.arange(length)[None, :] < torch.tensor([[len(tokens[row]) + 2] for row in rows])
            states = model(input_ids=ids, attention_mask=present.long()).last_hidden_state
            pooled = (states * present[..., None]).sum(1) / present.sum(1, keepdim=True)
            out[rows] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    out[[row for row, ids in enumerate(tokens) if not ids]] = 0.0
    return out


def embedding_version(directory: Path) -> str:
    """A digest of what decides an embedding: the weights, the tokenizer and how this module uses them."""
    digest = hashlib.blake2b(f"mean:{TEXT_TOKENS}".encode(), digest_size=12)
    for path in sorted(directory.iterdir()):
        if path.suffix in (".safetensors", ".json", ".txt", ".model"):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows in batches of at most BATCH_TOKENS padded tokens, longest first; rows of no token in none."""
    batches: list[list[int]] = []
    for row in sorted((row for row, length in enumerate(lengths) if length), key=lambda row: -lengths[row]):
        if not batches or (len(batches[-1]) + 1) * (lengths[batches[-1][0]] + 2) > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    return batches
