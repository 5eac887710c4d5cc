"""Adapts the base model to the catalogue's texts, and keeps it only where a short fine-tune of it validates better.

Texts are those of the catalogue as of the validation period's cut: what is measured later has shown it nothing.
"""

import hashlib
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from contract.errors import BadInput
from contract.scenario import Scenario, read_scenario
from contract.settings import Settings, Training
from jobs.arguments import count, job_parser
from jobs.lake import Lake
from jobs.model.dataset import read_items
from jobs.model.draw import draw
from jobs.model.folders import ModelFolders
from jobs.model.losses import ScoreQuality
from jobs.model.quality import Estimate, estimate
from jobs.model.teacher import fine_tune, training_plan
from jobs.model.validation import Validation
from reranker.adaptation import adapt
from reranker.embedding import embedding_version
from reranker.encoding import base_model_directory
from reranker.texts import item_text

# Queries of the fine-tunes that are compared, one pass each.
COMPARED_QUERIES = 1000


class Adaptation(msgspec.Struct, frozen=True):
    """What was decided and why: NDCG@10 of the text score alone after a short fine-tune of either base model."""

    kept: bool
    texts: int
    epochs: int
    loss_first: float
    loss_last: float
    validation_queries: int
    base_text_ndcg10: float
    adapted_text_ndcg10: float
    gain: Estimate


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("adapt", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument(
        "--epochs", type=count, default=settings.training.adapt_epochs or 3, help="passes over the texts (%(default)s)"
    )
    return parser


def main(args: Namespace, settings: Settings) -> None:
    lake = Lake(args.lake)
    day = lake.resolve(args.date, "training_pairs")
    training = settings.training.model_copy(update={"adapt_epochs": args.epochs})
    base, scenario = base_model_directory(training.base_model), read_scenario(settings.night.scenario)
    folders = ModelFolders(args.models)
    directory, found = adapted_base(base, lake, day, training, scenario, settings.night.seed, folders)
    kept = f"kept: {directory}" if found["adapt_kept"] else "not kept"
    print(f"adapted base model, text-only NDCG@10 {found['adapt_gain']:+.4f} against its base: {kept}")


def adapted_base(
    base: Path, lake: Lake, day: str, training: Training, scenario: Scenario, seed: int, folders: ModelFolders
) -> tuple[Path, dict[str, float]]:
    """The base model to train from, `base` or its adaptation, and the figures behind the choice.

    The same data, base and settings are decided once: the record stays beside the model. Raises BadInput.
    """
    texts = catalogue_texts(lake, day, training, scenario, seed)
    place = folders.adapted / _key(base, texts, day, training, scenario, seed)
    record = place.with_suffix(".json")
    if not record.is_file() or (_read(record).kept and not (place / "config.json").is_file()):
        shutil.rmtree(place, ignore_errors=True)
        found = _decide(base, place, texts, lake, day, training, scenario, seed)
        record.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        if not found.kept:
            shutil.rmtree(place)
    found = _read(record)
    return place if found.kept else base, {"adapt_kept": float(found.kept), "adapt_gain": found.gain.mean}


def catalogue_texts(lake: Lake, day: str, training: Training, scenario: Scenario, seed: int) -> list[str]:
    """Of every item that the catalogue had at the cut of the validation period. Raises BadInput where it has none."""
    drawn = draw(
        lake, day, "validation", scenario.task, training.validation_queries, seed, training.candidates, hit=False
    )
    items = read_items(lake, day, drawn.cuts)
    return [item_text(item, scenario.text.item) for item in items[min(drawn.cuts)].values()]


def _decide(
    base: Path, place: Path, texts: list[str], lake: Lake, day: str, training: Training, scenario: Scenario, seed: int
) -> Adaptation:
    losses = adapt(base, texts, place, training.item_tokens, training.adapt_epochs, training_plan(training, seed))
    before, after = (_short_fine_tune(one, lake, day, training, scenario, seed).text for one in (base, place))
    gain = estimate(after - before, seed)
    return Adaptation(
        kept=gain.mean > 0,
        texts=len(texts),
        epochs=training.adapt_epochs,
        loss_first=losses[0],
        loss_last=losses[-1],
        validation_queries=len(before),
        base_text_ndcg10=float(before.mean()),
        adapted_text_ndcg10=float(after.mean()),
        gain=gain,
    )


def _short_fine_tune(
    base: Path, lake: Lake, day: str, training: Training, scenario: Scenario, seed: int
) -> ScoreQuality:
    short = training.model_copy(
        update={
            "sample_queries": min(training.sample_queries, COMPARED_QUERIES), "epochs": 1, "validate_steps": 0,
            "checkpoint_steps": 0,
        }
    )  # fmt: skip
    plan = training_plan(short, seed)
    tuned, _ = fine_tune(base, lake, day, short, scenario, plan)
    return Validation(lake, day, short, scenario.task, tuned.encoder, plan, tuned.trees).ndcg10(tuned.network)


def _key(base: Path, texts: list[str], day: str, training: Training, scenario: Scenario, seed: int) -> str:
    settings = sorted(training.model_dump(exclude={"base_model", "checkpoint_steps"}).items())
    digest = hashlib.blake2b(repr((embedding_version(base), day, settings, scenario, seed)).encode(), digest_size=12)
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\n")
    return digest.hexdigest()


def _read(record: Path) -> Adaptation:
    try:
        return msgspec.json.decode(record.read_bytes(), type=Adaptation)
    except msgspec.DecodeError as error:
        raise BadInput(f"{record}: {error}; remove it, and train again") from error
