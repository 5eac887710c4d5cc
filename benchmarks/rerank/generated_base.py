"""Base models of any size with random weights: how long they take, and nothing else, can be measured with them."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import torch  # noqa: TID251

from benchmarks.rerank.model import TOKENIZER_FILES
from reranker.encoders import build_encoder
from reranker.encoding import base_model_directory


class Dimensions(NamedTuple):
    """Of a BERT-type encoder."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int


BERT_BASE = Dimensions(768, 12, 12, 3072)


def generated_base(directory: Path, dimensions: Dimensions) -> Path:
    """`directory`, with the packaged base model's tokenizer and an encoder of these dimensions; the same every time."""
    packaged = base_model_directory("")
    config = json.loads((packaged / "config.json").read_text()) | dimensions._asdict()
    shutil.rmtree(directory, ignore_errors=True)
    torch.manual_seed(1)
    build_encoder(config).save_pretrained(directory)
    for name in TOKENIZER_FILES:
        shutil.copy(packaged / name, directory / name)
    return directory
