"""How good the served model is on the sample, beside every baseline, and what its compression costs.

`python -m benchmarks.quality [--full] [--learned] [--folder var/quality] [--keep]`

All queries of the sample's test period, candidates and records as of the cut before it. Without --full the model is
trained on fewer queries, as in the demo, and the figures are not kept. Writes benchmarks/results/quality.json and
docs/benchmarks/quality.md, and ends with one line of JSON. `--learned` leaves out the task that the model did not
learn; `--keep` goes on from the verbs that are done.
"""

import json
import shutil
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.domains.night import environment_of, run_verbs
from benchmarks.machine import describe
from benchmarks.quality_page import page

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
PAGE = ROOT / "docs" / "benchmarks" / "quality.md"

# The periods are the same for both sizes: 30 test days, eight cuts of 30 days before them.
PERIODS = {
    "PACE_TRAINING__TRAIN_DAYS": "240",
    "PACE_TRAINING__CUT_DAYS": "30",
    "PACE_TRAINING__TEST_QUERIES": "20000",
    "PACE_GATEWAY__RERANK_DEPTH": "100",
}
FULL = {
    "PACE_TRAINING__SAMPLE_QUERIES": "20000",
    "PACE_TRAINING__VALIDATION_QUERIES": "300",
    "PACE_TRAINING__VALIDATE_STEPS": "400",
    "PACE_TRAINING__LIST_CANDIDATES": "8",
    "PACE_TRAINING__ITEM_TOKENS": "12",
    "PACE_TRAINING__EPOCHS": "2",
    "PACE_TRAINING__DISTIL_EPOCHS": "2",
}
QUICK = {"PACE_TRAINING__SAMPLE_QUERIES": "500", "PACE_TRAINING__ITEM_TOKENS": "12"}
VERBS = (
    ("import_online_retail",),
    ("training_pairs",),
    ("candidate_recall", "--json", "{folder}/recall.json"),
    ("train",),
    ("prune",),
    ("evaluate", "--teacher", "--baselines", "all"),
)
RARE = "new or rare items"
WITHOUT_TEXT = "LambdaMART without text"


def run(folder: Path, env: Mapping[str, str], learned: bool) -> dict[str, float]:
    """Every verb that has not been run in `folder` yet; the seconds that each took."""
    done = folder / "seconds.json"
    seconds: dict[str, float] = json.loads(done.read_text()) if done.is_file() else {}
    for verb in VERBS:
        if verb[0] in seconds:
            continue
        started = time.monotonic()
        alone = ["--tasks"] if learned and verb[0] == "evaluate" else []
        run_verbs([[*(part.format(folder=folder) for part in verb), *alone]], env)
        seconds[verb[0]] = round(time.monotonic() - started, 1)
        done.write_text(json.dumps(seconds))
    return seconds


def figures(folder: Path) -> dict[str, Any]:
    """The evaluation, the student's record of its pruning and the recall of each source, in one."""
    [evaluated] = [path for path in (folder / "models" / "evaluations").glob("*.json") if path.stem.count(".") == 0]
    evaluation = json.loads(evaluated.read_text())
    manifest = json.loads((folder / "models" / evaluation["version"] / "manifest.json").read_text())
    recall = json.loads((folder / "recall.json").read_text())
    teacher = json.loads((folder / "models" / "work" / manifest["teacher"] / "manifest.json").read_text())
    tasks = {one["task"]: one for one in (evaluation, *evaluation.pop("others"))}
    return {
        "tasks": {
            task: {name: one[name] for name in ("queries", "rankers", "segments", "differences")}
            for task, one in tasks.items()
        },
        "learned": evaluation["task"],
        "depth": evaluation["depth"],
        "recall": recall["recall"],
        "pruning": {
            name: manifest["pruning"][name] for name in ("speedup", "measured_in", "flops", "loss_final", "loss_text")
        },
        "levels": manifest["levels"],
        "states": manifest["states"],
        "teacher_metrics": teacher["metrics"],
        "validation_queries": manifest["metrics"]["validation_queries"],
    }


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that have an aim, and NDCG@10 by ranker and task."""
    task = found["tasks"][found["learned"]]
    mean = {name: row["ndcg10"]["mean"] for name, row in task["rankers"].items()}
    rare = {name: one["mean"] for name, one in task["segments"].get(RARE, {"ndcg10": {}})["ndcg10"].items()}
    differences = {(one["of"], one["less"]): one for one in task["differences"]}
    gain = differences["student", WITHOUT_TEXT]
    by_source = found["recall"][f"test {found['learned']}"]
    pruning = found["pruning"]
    return {
        "ndcg10": {
            name: {ranker: round(row["ndcg10"]["mean"], 4) for ranker, row in one["rankers"].items()}
            for name, one in found["tasks"].items()
        },
        "stack_over_item_knn": _ratio(mean["student"], mean["item-kNN"]),
        "stack_over_lambdamart_no_text": _ratio(mean["student"], mean[WITHOUT_TEXT]),
        "stack_less_lambdamart_no_text": gain["ndcg10"],
        "rare_over_lambdamart_no_text": _ratio(rare.get("student", 0.0), rare.get(WITHOUT_TEXT, 0.0)),
        "rare_less_lambdamart_no_text": gain["segments"].get(RARE),
        "recall_over_covisitation": _ratio(by_source["all"]["100"], by_source["covisitation alone"]["100"]),
        "student_speedup": round(pruning["speedup"], 2),
        "level_loss": {
            level: {
                score: _loss(differences[f"{name}{of}", f"teacher{of}"]["ndcg10"], mean[f"teacher{of}"])
                for score, of in (("final", ""), ("text", ", text alone"))
            }
            for level, name in (("full", "student"), ("fast", "student at fast"))
        },
        "fast_less_lambdamart_no_text": differences["student at fast", WITHOUT_TEXT]["ndcg10"],
    }


def _loss(gain: Mapping[str, float], teacher: float) -> dict[str, float]:
    """What the student lost of its teacher's mean, below 0 where it gained; the interval is the paired difference's."""
    places = (("mean", "mean"), ("low", "high"), ("high", "low"))
    return {name: round(-gain[other] / teacher, 4) + 0.0 for name, other in places}  # never -0.0


def _ratio(one: float, other: float) -> float | None:
    return round(one / other, 3) if other else None


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.quality", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "quality", help="lake and models (%(default)s)")
    parser.add_argument("--full", action="store_true", help="train on every query; the figures are kept")
    parser.add_argument("--learned", action="store_true", help="evaluate the learned task alone: .6 of the work")
    parser.add_argument("--keep", action="store_true", help="go on from the verbs that are done")
    args = parser.parse_args(argv)
    folder = args.folder.absolute()
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {**PERIODS, **(FULL if args.full else QUICK)}
    machine = describe()
    seconds = run(folder, environment_of(folder, sizes), args.learned)
    found = {"benchmark": "quality", "machine": machine, "settings": sizes, "seconds": seconds, **figures(folder)}
    told = summary(found)
    if args.full:
        RESULTS.write_text(json.dumps({**found, "summary": told}, indent=1) + "\n")
        PAGE.write_text(page(found, told))
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
