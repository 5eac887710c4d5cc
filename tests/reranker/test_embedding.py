"""Text embeddings of the base model."""

from pathlib import Path

import numpy as np
import pytest

from contract.errors import BadInput
from reranker.embedding import BATCH_TOKENS, TEXT_TOKENS, _batches, embed_texts, embedding_version
from reranker.encoding import base_model_directory


@pytest.fixture(scope="module")
def directory() -> Path:
    return base_model_directory("")


def test_mean_of_the_token_states_whatever_the_batch(directory: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    texts = ["red lantern", "", "lantern of red glass " * 40, "steel wrench", "\ud800", "Ein rotes Licht 🙂"]
    found = embed_texts(directory, texts)
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModel.from_pretrained(directory).eval()
    for text, vector in zip(texts, found, strict=True):
        if text in ("", "\ud800"):
            continue
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=TEXT_TOKENS + 2)
        state = model(**tokens).last_hidden_state.detach().numpy()[0].mean(0)  # alone: no padding
        assert np.allclose(vector, state / np.linalg.norm(state), atol=1e-5), text
    assert found.dtype == np.float32
    assert not found[1].any()  # no token: near nothing
    assert found[0] @ found[2] > found[0] @ found[3] + 0.2
    assert embed_texts(directory, []).shape == (0, 384)


def test_batches_hold_every_row_once_and_little_padding() -> None:
    lengths = [3, 0, 64, 5, *[10] * 1000]
    batches = _batches(lengths)
    assert sorted(row for rows in batches for row in rows) == [row for row, length in enumerate(lengths) if length]
    assert all(len(rows) * (lengths[rows[0]] + 2) <= BATCH_TOKENS for rows in batches)
    assert batches[0][0] == 2


def test_version_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    (tmp_path / "README.md").write_text("any")
    first = embedding_version(tmp_path)
    (tmp_path / "README.md").write_text("other")
    assert embedding_version(tmp_path) == first
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert embedding_version(tmp_path) != first


def test_a_model_that_does_not_load_is_named(directory: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(BadInput, match="does not load"):
        embed_texts(tmp_path, ["a"])
