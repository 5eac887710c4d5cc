"""Fine-tuning from the files of a day: draw, stream, start, steps, validations, checkpoints."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from contract.scenario import Scenario, Task
from contract.settings import Training
from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, names_of
from jobs.model.draw import Draw, draw
from jobs.model.losses import ScoreQuality
from jobs.model.stream import QueryStream
from jobs.model.trees import trees_of
from jobs.model.validation import Validation
from reranker.boosting import Trees
from reranker.checkpoint import Checkpoint
from reranker.embedding import embedding_version
from reranker.encoding import TextEncoder, base_text_encoder
from reranker.network import CrossEncoder
from reranker.start import start_network
from reranker.training import Trained, TrainingPlan, label_loss, train

# Feature scale and linear start are those of so many queries, drawn at random: 400,000 rows at 200 candidates.
START_QUERIES = 2000
KEPT_QUERIES = 16
# Settings that change nothing of the teacher: a checkpoint outlives a change of them.
ELSEWHERE = {
    "base_model",
    "checkpoint_steps",
    "kept_models",
    "test_queries",
    "student_layers",
    "distil_epochs",
}


class FineTuned(NamedTuple):
    """A trained network; `first` are the draw's first KEPT_QUERIES, `queries` how many it was trained on."""

    network: CrossEncoder
    encoder: TextEncoder
    first: list[Query]
    queries: int
    feature_names: tuple[str, ...]
    trees: Trees | None
    trained: Trained


def fine_tune(
    base: Path,
    lake: Lake,
    day: str,
    training: Training,
    scenario: Scenario,
    plan: TrainingPlan,
    checkpoints: Path | None = None,
) -> tuple[FineTuned, Checkpoint | None]:
    """Train from `base` on the training pairs of `day`; killed before, it goes on from where it was.

    The checkpoint lies under `checkpoints` and is the caller's to remove. Raises BadInput.
    """
    encoder = base_text_encoder(base, training.query_tokens, training.item_tokens, scenario.text)
    drawn = draw(lake, day, "train", scenario.task, training.sample_queries, plan.seed, training.candidates, hit=True)
    stream = QueryStream(lake, day, drawn, training.candidates, encoder, training.shuffle_queries)
    start = stream.sample(START_QUERIES)
    stream.trees = trees = trees_of(stream, training, plan.seed)
    examples = [as_example(query, encoder, trees, trained_on=True) for query in start]
    network = start_network(base, encoder, examples, plan.seed)
    first, whole = start[:KEPT_QUERIES], len(start) == len(stream)
    del start
    plan, validation = _validated(lake, day, training, scenario.task, plan, encoder, trees)
    checkpoint = checkpoints and _checkpoint(checkpoints, base, day, training, scenario, plan, drawn)
    trained = train(
        network,
        examples if whole else stream,
        encoder,
        partial(label_loss, text_loss=training.text_loss),
        plan,
        "teacher",
        validation and (lambda network: of_both(validation.ndcg10(network), training.text_loss)),
        checkpoint,
    )
    return FineTuned(network, encoder, first, len(stream), names_of(first, trees), trees, trained), checkpoint


def of_both(quality: ScoreQuality, text_loss: float) -> float:
    """What the best weights are chosen by: NDCG@10 of both scores, weighted as their losses are.

    By the final score alone training stopped before the texts had been learned: where features say nearly all, it is
    best after a few hundred steps (docs/decisions/training.md).
    """
    return float((quality.final.mean() + text_loss * quality.text.mean()) / (1 + text_loss))


def training_plan(training: Training, seed: int) -> TrainingPlan:
    """The teacher's plan."""
    return TrainingPlan(
        epochs=training.epochs,
        candidates=training.list_candidates,
        batch_queries=training.batch_queries,
        encoder_rate=training.encoder_rate,
        head_rate=training.head_rate,
        frozen_layers=training.frozen_layers,
        seed=seed,
        device=training.device,
        precision=training.precision,
        threads=training.threads,
        warm_up=training.warm_up,
        accumulate=training.accumulate,
        validate_steps=training.validate_steps,
        patience=training.patience,
    )


def _validated(
    lake: Lake,
    day: str,
    training: Training,
    task: Task,
    plan: TrainingPlan,
    encoder: TextEncoder,
    trees: Trees | None,
) -> tuple[TrainingPlan, Validation | None]:
    """Without a query in the validation period nothing is validated: every epoch is run, the last weights stay."""
    count = training.validation_queries if plan.validate_steps else 0
    drawn = count and draw(
        lake, day, "validation", task, count, plan.seed, training.candidates, hit=False, needed=False
    )
    if not drawn:
        return replace(plan, validate_steps=0), None
    return plan, Validation(lake, day, training, task, encoder, plan, trees)


def _checkpoint(
    folder: Path, base: Path, day: str, training: Training, scenario: Scenario, plan: TrainingPlan, drawn: Draw
) -> Checkpoint:
    settings = training.model_dump(exclude=ELSEWHERE)
    return Checkpoint.of(
        folder,
        training.checkpoint_steps,
        day,
        scenario,
        plan,
        sorted(settings.items()),
        drawn.fingerprint,
        embedding_version(base),
    )
