"""A tiny base model, and an exported artifact of it, made once."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import torch

from contract.features import feature_names
from jobs.model.dataset import as_example
from reranker.distillation import taught
from reranker.encoding import TextEncoder, base_text_encoder
from reranker.examples import Example
from reranker.export import export_artifact
from reranker.network import CrossEncoder
from reranker.precision import use_threads
from reranker.start import start_network
from reranker.training import TrainingPlan, label_loss, train
from tests.colour_shop import DAY, SOURCES, queries, write_base_model
from tests.scenarios import SAMPLE

PLAN = TrainingPlan(
    epochs=3,
    candidates=9,
    batch_queries=4,
    encoder_rate=1e-3,
    head_rate=3e-3,
    frozen_layers=0,
    seed=5,
    device="cpu",
    precision="float32",
    threads=1,
)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny networks gain nothing from a second thread, and lose a lot where the machine is busy."""
    use_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def encoder(base: Path) -> TextEncoder:
    return base_text_encoder(base, query_tokens=20, item_tokens=8, template=SAMPLE.text)


@pytest.fixture(scope="session")
def exported(base: Path, encoder: TextEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an artifact; not to be written to."""
    found = queries(8)
    network = start_network(base, encoder, [as_example(query, encoder) for query in found], seed=1)
    with torch.no_grad():  # a trained encoder speaks up; a fresh one hardly moves its [CLS]
        network.text.weight.mul_(5)
    return export_artifact(
        tmp_path_factory.mktemp("models"),
        network,
        encoder,
        [query.golden(6) for query in found[:3]],
        role="student",
        teacher="20240331-0123456789ab",
        date=DAY,
        created_at=1_711_900_000.0,
        base_model="tiny",
        feature_names=feature_names(SOURCES),
        training={"seed": 1, "precision": "auto"},
        metrics={"validation_ndcg10": 0.25},
    )


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Callable[[], Path]:
    """Copies the artifact to where it may be damaged."""
    return lambda: Path(copytree(exported, tmp_path / exported.name))


@pytest.fixture(scope="session")
def teacher(base: Path, encoder: TextEncoder) -> CrossEncoder:
    """Of four layers, briefly trained; not to be changed."""
    examples = [as_example(query, encoder) for query in queries(32)]
    network = start_network(base, encoder, examples, seed=5)
    train(network, examples, encoder, label_loss, PLAN, "teacher")
    return network


@pytest.fixture(scope="session")
def lessons(teacher: CrossEncoder, encoder: TextEncoder) -> list[Example]:
    """What the teacher was trained on, with its scores and states."""
    return taught(teacher, [as_example(query, encoder) for query in queries(32)], encoder, PLAN)
