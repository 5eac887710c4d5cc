"""A base model that cannot be used is refused before any training, with a reason that names it."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from transformers import GPT2Config, GPT2Model, ModernBertConfig, ModernBertModel, T5Config, T5Model

from contract.errors import BadInput
from reranker.encoders import load_base_encoder
from reranker.encoding import base_model_directory, base_tokens

OTHERS = {
    "gpt2": GPT2Model(GPT2Config(vocab_size=50, n_positions=16, n_embd=8, n_layer=1, n_head=2)),
    "t5": T5Model(T5Config(vocab_size=50, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)),
    "modernbert": ModernBertModel(
        ModernBertConfig(
            vocab_size=50, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
            pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
        )
    ),
}  # fmt: skip


@pytest.fixture
def damaged(base: Path, tmp_path: Path) -> Path:
    """A copy of the base model to be damaged."""
    return Path(copytree(base, tmp_path / "damaged"))


@pytest.mark.parametrize("kind", OTHERS)
def test_another_architecture_is_refused_with_those_that_do(kind: str, tmp_path: Path) -> None:
    OTHERS[kind].save_pretrained(tmp_path / kind)
    with pytest.raises(BadInput, match=f"encoder type '{kind}' is not supported; use one of bert, camembert"):
        load_base_encoder(tmp_path / kind)


def without_tokenizer(directory: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        (directory / name).unlink(missing_ok=True)


def without_weights(directory: Path) -> None:
    (directory / "model.safetensors").unlink()


def without_config(directory: Path) -> None:
    (directory / "config.json").unlink()


@pytest.mark.parametrize(
    ("damage", "lacks"),
    [(without_tokenizer, "tokenizer"), (without_weights, "safetensors weights"), (without_config, "config")],
)
def test_a_directory_that_lacks_a_part_is_refused(damaged: Path, damage: Callable[[Path], None], lacks: str) -> None:
    damage(damaged)
    with pytest.raises(BadInput, match=rf"damaged: it has no {lacks} \(.*set PACE_TRAINING__BASE_MODEL"):
        base_model_directory(str(damaged))


def cut_short(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def no_safetensors(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"PK\x03\x04 a pickle")


def other_width(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "hidden_size": 48}))


def broken_config(directory: Path) -> None:
    (directory / "config.json").write_text("{")


def no_layer(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 0}))


def test_a_config_that_is_no_json_is_blamed_first(damaged: Path) -> None:
    broken_config(damaged)
    with pytest.raises(BadInput, match=r"damaged: its config.json is no JSON \(.*set PACE_TRAINING__BASE_MODEL"):
        base_model_directory(str(damaged))


@pytest.mark.parametrize("damage", [cut_short, no_safetensors, other_width, broken_config, no_layer])
def test_weights_that_do_not_load_are_refused(damaged: Path, damage: Callable[[Path], None]) -> None:
    damage(damaged)
    with pytest.raises(BadInput, match=r"base model .*damaged"):
        load_base_encoder(damaged)


def test_a_tokenizer_that_is_no_json_is_refused(damaged: Path) -> None:
    (damaged / "tokenizer.json").write_text("{")
    with pytest.raises(BadInput, match="damaged: its tokenizer"):
        base_tokens(damaged)


def test_a_tokenizer_without_cls_is_refused(damaged: Path) -> None:
    config = json.loads((damaged / "tokenizer_config.json").read_text())
    config |= {"cls_token": None, "tokenizer_class": "PreTrainedTokenizerFast"}
    (damaged / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match=r"damaged: its tokenizer has no .*\[CLS\]"):
        base_tokens(damaged)


def test_half_of_the_weights_is_no_base_model(damaged: Path) -> None:
    """A file that loads but lacks layers would train from noise."""
    from safetensors.torch import load_file, save_file

    weights = load_file(damaged / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if ".layer.2." not in name}
    save_file(kept, damaged / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInput, match=r"damaged: its weights lack .*layer\.2"):
        load_base_encoder(damaged)
