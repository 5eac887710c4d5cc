"""Students of the colour shop without training: the listwise logistic start, which is a model already."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from contract.settings import Settings
from jobs.lake import Lake
from jobs.model.dataset import as_example, names_of, read_queries
from reranker.encoding import base_text_encoder
from reranker.export import export_artifact
from reranker.start import start_network
from tests.colour_shop import DAY
from tests.scenarios import SAMPLE


def run(verb: Any, settings: Settings, *arguments: str) -> None:
    verb.main(verb.arg_parser(settings).parse_args(arguments), settings)


def export_student(
    settings: Settings, created_at: float, spoil: Callable[[Any], None] = lambda network: None, train_queries: int = 40
) -> str:
    """The version of a student in `night.models`; `spoil` may change its network first."""
    training = settings.training
    encoder = base_text_encoder(Path(training.base_model), training.query_tokens, training.item_tokens, SAMPLE.text)
    queries = read_queries(Lake(settings.night.lake), DAY, "train", "basket", 20, 3, training.candidates, hit=True)
    network = start_network(Path(training.base_model), encoder, [as_example(query, encoder) for query in queries], 1)
    with torch.no_grad():
        spoil(network)
    return export_artifact(
        Path(settings.night.models),
        network,
        encoder,
        [query.golden(6) for query in queries[:3]],
        role="student",
        teacher="20240331-0123456789ab",
        date=DAY,
        created_at=created_at,
        base_model="tiny",
        feature_names=names_of(queries),
        training={"train_queries": train_queries, "task": "basket"},
        metrics={"validation_ndcg10": 0.25},
    ).name


def backwards(network: Any) -> None:
    """The best candidates last."""
    network.linear.weight.neg_()


def silent(network: Any) -> None:
    """Every candidate of every query gets one score."""
    for part in (network.linear, network.mix, network.text):
        for weight in part.parameters():
            weight.zero_()
