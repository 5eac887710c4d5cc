"""The encoders that networks are built on: a local Hugging Face directory's, or one of a config alone."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from contract.errors import BadInput

# Encoders whose layers have the parts that `reranker.layers` and `reranker.packed` name; others' attention differs.
ENCODER_TYPES = ("bert", "camembert", "electra", "roberta", "xlm-roberta")


def load_base_encoder(directory: Path) -> Any:
    """The encoder of a local Hugging Face directory in float32, without dropout and pooler.

    Without dropout: its random numbers cost a fifth of a training step on a CPU, and one epoch does not overfit.
    Raises BadInput for another type of encoder, or where the weights do not load or are not all there.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True)
        _check_type(config.model_type, f"base model {directory}")
        if config.num_hidden_layers < 1:
            raise BadInput(f"base model {directory}: its config.json has no layer (num_hidden_layers)")
        encoder, loading = AutoModel.from_pretrained(
            directory,
            output_loading_info=True,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"base model {directory} does not load: {error}") from error
    # What is missing would be filled with random numbers and a warning.
    if missing := sorted(name for name in loading["missing_keys"] if not name.startswith("pooler.")):
        raise BadInput(f"base model {directory}: its weights lack {missing[0]} and {len(missing) - 1} others")
    return _without_pooler(encoder)


def build_encoder(config: dict[str, Any]) -> Any:
    """A randomly initialised encoder of a Hugging Face `config.json`. Raises BadInput for another type of encoder."""
    from transformers import AutoConfig, AutoModel

    _check_type(config.get("model_type"), "config.json")
    return _without_pooler(AutoModel.from_config(AutoConfig.for_model(**config)))


def import_all() -> None:
    """What an encoder needs is imported as the first one is built; this builds the least that there is."""
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    build_encoder({"model_type": ENCODER_TYPES[0], **dict.fromkeys(sizes, 1)})


def _check_type(model_type: object, where: str) -> None:
    if model_type not in ENCODER_TYPES:
        raise BadInput(f"{where}: encoder type {model_type!r} is not supported; use one of {', '.join(ENCODER_TYPES)}")


def _without_pooler(encoder: Any) -> Any:
    encoder.pooler = None
    return encoder
