"""Makes a model live: it must load whole, and must not order candidates worse than they came."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from contract.errors import PublishRefused
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from contract.store.publisher import set_model
from jobs.arguments import job_parser
from jobs.model.evaluation import ORDER, STUDENT, Evaluation, read_evaluation
from jobs.model.folders import ModelFolders
from reranker.scoring import load_reranker


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("promote", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", default="", help="the model (the newest evaluated)")
    which.add_argument("--none", action="store_true", help="withdraw the live model: answers keep the candidate order")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    redis, training = settings.redis, settings.training
    client = connect(redis.url, redis.publish_timeout_seconds, redis.cluster)
    keys = Keys(redis.prefix)
    if args.none:
        pointer = set_model(client, keys, "")
        print(f"no model is live; before it: {pointer.previous_model or 'none'}")
        return
    folders = ModelFolders(args.models)
    version = args.version or folders.newest_evaluated()
    found = admit(folders.student(version), folders.evaluation(version), training.gate_tolerance, settings)
    pointer = read_pointer(client, keys)
    if pointer.model != version:  # a second run of the same promotion must not lose the model before
        pointer = set_model(client, keys, version)
    removed = folders.tidy(training.kept_models, {pointer.model, pointer.previous_model})
    print(
        f"model {version} is live; NDCG@10 {found.rankers[STUDENT].ndcg10}, candidate order "
        f"{found.rankers[ORDER].ndcg10}; before it: {pointer.previous_model or 'none'}; removed: {removed or 'none'}"
    )


def admit(directory: Path, evaluation: Path, tolerance: float, settings: Settings) -> Evaluation:
    """The evaluation of a model that may go live.

    Raises ArtifactMismatch where it does not load as it was exported, BadInput where it has no evaluation, and
    PublishRefused where that is another artifact's or says that its order is worse than the candidates' own.
    """
    found = read_evaluation(evaluation)
    model = load_reranker(directory, settings.ranker.device, settings.ranker.threads)
    if found.digest != model.manifest.digest:
        raise PublishRefused(f"{evaluation} is of another artifact than {directory}: run `python -m jobs evaluate`")
    gain = found.rankers[STUDENT].gain
    if not gain.mean >= -tolerance:
        raise PublishRefused(
            f"model {model.version}: NDCG@10 {found.rankers[STUDENT].ndcg10} on {found.queries} test queries, the "
            f"candidate order has {found.rankers[ORDER].ndcg10}: a loss of {-gain.mean:.4f}, at most {tolerance} is "
            "allowed (PACE_TRAINING__GATE_TOLERANCE); the live model stays. Train on more queries"
        )
    return found
