from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, ElectraConfig, ElectraModel, GPT2Config, RobertaConfig, RobertaModel

from contract.errors import BadInput
from reranker.encoders import build_encoder, load_base_encoder
from reranker.encoding import TextEncoder
from reranker.network import CrossEncoder
from reranker.tokens import PairTensors, TextTensors, pair_tensors

CPU = torch.device("cpu")
SMALL = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "initializer_range": 0.3,
}
ENCODERS = {
    "bert": lambda: BertModel(BertConfig(**SMALL), add_pooling_layer=False),
    "roberta": lambda: RobertaModel(RobertaConfig(**SMALL, pad_token_id=1, type_vocab_size=1), add_pooling_layer=False),
    "electra": lambda: ElectraModel(ElectraConfig(**SMALL, embedding_size=16)),
}


def pairs(encoder: TextEncoder, lengths: list[tuple[int, int]], seed: int = 0) -> PairTensors:
    """Pairs of random tokens, of these lengths of query and item."""
    random = np.random.default_rng(seed)
    texts = [[tuple(random.integers(5, 100, length)) for length in pair] for pair in lengths]
    return pair_tensors(encoder, [text[0] for text in texts], [text[1] for text in texts], range(len(texts)), CPU)


def at(texts: TextTensors, rows: Any, longest: int | None = None) -> TextTensors:
    return texts._replace(ids=texts.ids[rows][:, :longest], lengths=texts.lengths[rows])


def network(encoder: Any, features: int = 3) -> CrossEncoder:
    torch.manual_seed(3)
    mean, std = np.arange(features, dtype=np.float32), np.full(features, 2.0, np.float32)
    return CrossEncoder(encoder.eval(), mean, std).eval()


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_cls_of_the_item_is_what_the_library_computes_for_it(kind: str, encoder: TextEncoder) -> None:
    torch.manual_seed(1)
    library = ENCODERS[kind]().eval()
    ours = network(library)
    batch = pairs(encoder, [(5, 3), (1, 7), (9, 0)])
    rows = batch.laid_out()
    offset = 2 if kind == "roberta" else 0
    with torch.no_grad():
        theirs = library(
            input_ids=rows.ids,
            attention_mask=rows.present.long(),
            token_type_ids=rows.types if kind != "roberta" else torch.zeros_like(rows.types),
            position_ids=rows.positions + offset,
        ).last_hidden_state[:, 0]
        found = ours.encode(batch)
    assert theirs.std() > 0.1
    assert torch.allclose(found, theirs, atol=1e-5)


def test_a_pair_scores_the_same_alone_padded_and_in_any_order(encoder: TextEncoder) -> None:
    ours = network(ENCODERS["bert"]())
    lengths = [(4, 2), (19, 8), (1, 1), (7, 0)]
    batch, features = pairs(encoder, lengths), torch.randn(4, 3)
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        together = torch.stack(ours(batch, features))
        shuffled = torch.stack(ours(batch._replace(items=at(batch.items, order), of=order), features[order]))
        for row, (query, item) in enumerate(lengths):
            alone = PairTensors(
                at(batch.queries, [row], query + 2), at(batch.items, [row], item + 2), torch.tensor([0])
            )
            assert torch.allclose(torch.stack(ours(alone, features[row : row + 1]))[:, 0], together[:, row], atol=1e-5)
    assert torch.allclose(shuffled, together[:, order], atol=1e-5)
    assert together.std(1).min() > 1e-3


def test_the_query_and_the_features_both_reach_the_final_score_but_only_texts_the_text_score(
    encoder: TextEncoder,
) -> None:
    ours = network(ENCODERS["bert"]())
    one, other = pairs(encoder, [(4, 2)], seed=1), pairs(encoder, [(4, 2)], seed=2)
    swapped = one._replace(queries=other.queries)  # the same item, another query
    low, high = torch.zeros(1, 3), torch.full((1, 3), 5.0)
    with torch.no_grad():
        start, elsewhere, raised = ours(one, low), ours(swapped, low), ours(one, high)
    assert abs(float(start.text - elsewhere.text)) > 1e-3
    assert abs(float(start.final - elsewhere.final)) > 1e-3
    assert float(start.text) == float(raised.text)
    assert abs(float(start.final - raised.final)) > 1e-3


def test_features_that_are_no_numbers_count_as_average_and_absurd_ones_are_clipped() -> None:
    ours = network(ENCODERS["bert"]())  # means 0, 1, 2, deviation 2
    seen = ours.standardise(torch.tensor([[float("nan"), 3.0, 1e9]]))
    assert seen.tolist() == [[0.0, 1.0, 6.0]]


def test_the_start_is_a_linear_model_of_standardised_features() -> None:
    ours = network(ENCODERS["bert"]())
    ours.start_from(np.array([1.0, -2.0, 0.5], np.float32))
    with torch.no_grad():
        assert float(ours.linear(ours.standardise(torch.tensor([[2.0, 3.0, 2.0]])))) == pytest.approx(1.0 - 2.0 + 0.0)


def test_a_base_model_loads_without_dropout(base: Path) -> None:
    found = load_base_encoder(base)
    assert found.config.hidden_dropout_prob == found.config.attention_probs_dropout_prob == 0.0
    assert found.pooler is None


def test_an_encoder_of_another_architecture_is_refused(tmp_path: Path) -> None:
    GPT2Config().save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="encoder type 'gpt2' is not supported; use one of bert"):
        load_base_encoder(tmp_path)
    with pytest.raises(BadInput, match="'gpt2'"):
        build_encoder({"model_type": "gpt2"})


def test_a_base_model_whose_weights_are_cut_off_is_refused(base: Path, tmp_path: Path) -> None:
    for file in base.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.suffix == ".safetensors" else None])
    with pytest.raises(BadInput, match="does not load"):
        load_base_encoder(tmp_path)
