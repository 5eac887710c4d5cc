from pathlib import Path
from shutil import copytree

import pytest
import torch

from contract.errors import BadInput
from reranker.adaptation import adapt
from reranker.encoders import load_base_encoder
from reranker.encoding import base_model_directory, base_tokens
from reranker.plan import TrainingPlan
from tests.colour_shop import COLOURS, THINGS

PLAN = TrainingPlan(1, 6, 8, 3e-3, 1e-2, 0, seed=5, device="cpu", precision="float32", threads=1)
TEXTS = [f"{colour} {thing} for the {place}" for colour in COLOURS for thing in THINGS for place in ("home", "garden")]


def test_an_adapted_model_has_learned_the_texts_and_is_a_base_model(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapted"
    losses = adapt(base, [*TEXTS, *TEXTS, ""], out, 8, 12, PLAN)
    assert len(losses) == 12  # 64 texts, the equal ones once: a step an epoch
    assert losses[-1] < losses[0] - 1
    assert base_model_directory(str(out)) == out
    assert base_tokens(out).of("red mug", 8) == base_tokens(base).of("red mug", 8)
    before, after = (load_base_encoder(place).state_dict() for place in (base, out))
    assert before.keys() == after.keys()
    assert not torch.equal(*(one["embeddings.word_embeddings.weight"] for one in (before, after)))


def test_a_catalogue_without_texts_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no item has a text .* set PACE_TRAINING__ADAPT_EPOCHS to 0"):
        adapt(base, ["", ""], tmp_path / "adapted", 8, 1, PLAN)
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_without_a_mask_is_refused(base: Path, tmp_path: Path) -> None:
    import json

    maskless = Path(copytree(base, tmp_path / "maskless"))
    config = json.loads((maskless / "tokenizer_config.json").read_text())
    config["mask_token"] = None
    (maskless / "tokenizer_config.json").write_text(json.dumps(config))
    (maskless / "special_tokens_map.json").unlink(missing_ok=True)
    with pytest.raises(BadInput, match=r"its tokenizer has no \[MASK\]"):
        adapt(maskless, TEXTS, tmp_path / "adapted", 8, 1, PLAN)
