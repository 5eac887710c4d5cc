"""`python -m jobs` lists the verbs of the night; `python -m jobs VERB --help` tells one's arguments.

A verb is a module with `arg_parser()` and `main(args, settings)`. It is also what spark-submit runs.
"""

import importlib
import sys
import traceback
from pathlib import Path

if sys.path[0] == str(Path(__file__).parent):  # run as a file: the package's folder must not shadow packages
    sys.path[0] = str(Path(__file__).parent.parent)

from contract.errors import PacesetterError
from contract.settings import read_settings
from jobs.arguments import checked_day

VERBS = {
    "import_night": ("jobs.events.night", "the night's import: what the settings name as its source"),
    "import_online_retail": ("jobs.events.online_retail", "import the sample through its adapter"),
    "import_events": ("jobs.events.load", "import anyone's items and events, Parquet or JSON lines"),
    "import_impressions": ("jobs.events.impressions", "import the slates that the gateway showed, from its stream"),
    "validate": ("jobs.checks.validate", "run Great Expectations suites and write Data Docs"),
    "features": ("jobs.features.build", "user and item features of a day (Spark)"),
    "candidates": ("jobs.candidates.build", "candidate lists of a day from every source (Spark)"),
    "training_pairs": ("jobs.model.pairs", "queries with candidates and labels, split by time (Spark)"),
    "candidate_recall": ("jobs.model.candidate_recall", "what each source adds to the candidates; tunes their weights"),
    "adapt": ("jobs.model.adapt", "adapt the base model to the catalogue's texts, where that validates better"),
    "train": ("jobs.model.train", "fine-tune the teacher cross-encoder"),
    "prune": ("jobs.model.prune", "cut layers, heads and neurons, recover by distillation, export FP16"),
    "evaluate": ("jobs.model.evaluate", "quality on the test period, beside the baselines"),
    "gate": ("jobs.model.gate.verb", "decide whether a model may serve, and keep the reasons"),
    "promote": ("jobs.model.promote", "make a model version live that the gate admitted, or withdraw the live one"),
    "register": ("jobs.model.register", "bring what the registry missed, from the models' files"),
    "drift": ("jobs.drift.check", "how far the data moved since the live model's day; whether to train again"),
    "encode_items": ("jobs.serving.encode_items", "what a model makes of items' texts, for those it has not read yet"),
    "publish": ("jobs.serving.publish", "write a generation to Redis, verify it and flip the pointer"),
    "rollback": ("jobs.serving.rollback", "flip back to the generation or the model before"),
}


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python -m jobs VERB [arguments]\n\nverbs:")
        for verb, (_, summary) in VERBS.items():
            print(f"  {verb:22}{summary}")
        return 0
    verb = argv[0].replace("-", "_")
    if verb not in VERBS:
        print(f"pacesetter: no verb {argv[0]!r}; `python -m jobs` lists them", file=sys.stderr)
        return 2
    module = importlib.import_module(VERBS[verb][0])
    try:
        settings = read_settings()
    except PacesetterError as error:
        print(f"pacesetter: {error}", file=sys.stderr)
        return 2
    args = module.arg_parser(settings).parse_args(argv[1:])
    try:
        if (day := getattr(args, "date", "latest")) != "latest":
            checked_day(day)  # of every verb, the ones too that need none
        module.main(args, settings)
    except PacesetterError as error:
        leave_report(args.report, f"{type(error).__name__}: {error}")
        print(f"pacesetter {verb}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        leave_report(args.report, f"{type(error).__name__}: {error}")
        # A folder that cannot be written, a full disk: the system's own words name it, a stack trace adds nothing.
        if isinstance(error, OSError) and error.filename:
            print(f"pacesetter {verb}: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        return 1
    return 0


def leave_report(path: str | None, text: str) -> None:
    """Why the job failed, for the mail that the caller sends: a scheduler sees only an exit status.

    It starts with the error's class: the Airflow plugin tells by it whether another attempt may help.
    """
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
