"""What a job computes of a pair and what serving computes of it are the same number."""

from pathlib import Path

import numpy as np
import pytest
import torch

from contract.codec import decode_candidates, decode_item, decode_user, encode_candidates, encode_record
from contract.features import feature_names
from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, read_queries
from reranker.artifact import read_artifact
from reranker.encoding import base_text_encoder
from reranker.export import export_artifact
from reranker.loading import load_network, load_reranker
from reranker.precision import use_threads
from reranker.start import start_network
from reranker.training import TrainingPlan, label_loss, score_examples, train
from tests.colour_shop import DAY, SOURCES, queries, write_base_model, write_lake
from tests.scenarios import template

PLAN = TrainingPlan(
    epochs=1,
    candidates=9,
    batch_queries=4,
    encoder_rate=1e-3,
    head_rate=3e-3,
    frozen_layers=0,
    seed=1,
    device="cpu",
    precision="float32",
    threads=1,
)
# Not the sample's: serving reads by the model's own.
TEMPLATE = template("attributes.maker", "title", {"part": "categories", "characters": 5}, order=["history", "context"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A briefly trained artifact."""
    use_threads(1)
    base = write_base_model(tmp_path_factory.mktemp("base"), layers=2)
    encoder = base_text_encoder(base, 20, 8, TEMPLATE)
    examples = [as_example(query, encoder) for query in queries(16)]
    network = start_network(base, encoder, examples, seed=1)
    train(network, examples, encoder, label_loss, PLAN, "model")
    return export_artifact(
        tmp_path_factory.mktemp("models"),
        network,
        encoder,
        [query.golden(9) for query in queries(3)],
        role="student",
        date=DAY,
        created_at=0.0,
        base_model="tiny",
        feature_names=feature_names(SOURCES),
        training={},
        metrics={},
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Query]:
    """Queries as the jobs read them from the lake."""
    lake = Lake(str(write_lake(tmp_path_factory.mktemp("parity") / "lake", 1, 1, 12)))
    return read_queries(lake, DAY, "test", "basket", 12, 1, 9, hit=False)


def as_served(query: Query) -> tuple[object, ...]:
    """The arguments of Reranker.score as the ranker has them: what came out of Redis and off the socket."""
    user = decode_user(encode_record(query.user)) if query.user else None
    candidates = decode_candidates(encode_candidates(query.candidates))
    known = {*candidates.item_ids, *(user.history[: TEMPLATE.query.history_length] if user else ())}
    items = {item_id: decode_item(encode_record(query.items[item_id])) for item_id in known}
    context = [decode_item(encode_record(item)) for item in query.context]
    return user, context, candidates, items, query.sources


def test_training_and_serving_score_alike(model: Path, asked: list[Query]) -> None:
    _, network, encoder = load_network(model)
    job = score_examples(network, [as_example(query, encoder) for query in asked], encoder, PLAN, "job")
    served = load_reranker(model, "cpu", 1)
    for query, scores in zip(asked, job, strict=True):
        found = served.score(*as_served(query))  # type: ignore[arg-type]
        # float16 candidate scores, and bf16 where the machine is fast in it
        assert np.allclose(found, scores[:, 0], atol=2e-3 if served.half is None else 0.1)
    assert np.concatenate(job)[:, 0].std() > 0.1
    assert np.concatenate(job)[:, 1].std() > 0.01


def test_the_golden_scores_are_those_of_training_and_those_of_serving(model: Path) -> None:
    artifact = read_artifact(model)
    _, network, encoder = load_network(model)
    job = score_examples(network, [as_example(query, encoder) for query in queries(3)], encoder, PLAN, "job")
    served = load_reranker(model, "cpu", 1)
    exact = served.half is None
    for golden, scores in zip(artifact.golden(), job, strict=True):
        assert np.allclose(golden.final, scores[:, 0], atol=1e-4)
        assert np.allclose(golden.text, scores[:, 1], atol=1e-4)
        found = served.score(golden.user, golden.context, golden.candidates, golden.known_items, golden.sources)
        assert np.allclose(found, golden.final, atol=1e-4 if exact else 0.1)
        if exact:
            assert np.argsort(-found).tolist() == np.argsort(-np.array(golden.final)).tolist()


def test_every_input_of_the_network_is_the_same_on_both_sides(model: Path, asked: list[Query]) -> None:
    served = load_reranker(model, "cpu", 1)
    _, _, encoder = load_network(model)
    assert served.history_length == TEMPLATE.query.history
    for query in asked:
        example, prepared = as_example(query, encoder), served.prepare(*as_served(query))  # type: ignore[arg-type]
        assert prepared.query == example.query
        assert prepared.items == example.items
        assert torch.allclose(torch.from_numpy(prepared.features), torch.from_numpy(example.features), atol=1e-3)
