"""The same jobs on two generated domains, told apart by a scenario's file: does a model learn there?

`python -m benchmarks.domains [--folder var/domains] [--domain films] [--domain news] [--keep-pairs]`

Some twenty minutes a domain on 2 cores. Writes benchmarks/results/domains.json and the table of docs/domains.md, and
ends with one line of JSON.
"""

import json
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.domains.night import DOMAINS, Domain, environment_of, import_verb, run_verbs
from benchmarks.machine import describe, one_line

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "domains.json"
PAGE = ROOT / "docs" / "domains.md"
START, END = "<!-- figures: written by `python -m benchmarks.domains` -->", "<!-- end of figures -->"

# Of both domains: what a run may cost, and nothing that is particular to one of them.
SIZES = {
    "PACE_TRAINING__TEST_DAYS": "15",
    "PACE_TRAINING__TRAIN_DAYS": "60",
    "PACE_TRAINING__CUT_DAYS": "30",
    "PACE_TRAINING__SAMPLE_QUERIES": "1000",
    "PACE_TRAINING__VALIDATION_QUERIES": "100",
    "PACE_TRAINING__TEST_QUERIES": "300",
    "PACE_TRAINING__QUERY_TOKENS": "40",
    "PACE_TRAINING__ITEM_TOKENS": "32",
    "PACE_TRAINING__EPOCHS": "1",
    "PACE_TRAINING__DISTIL_EPOCHS": "1",
}
PAIRS = ("training_pairs",)
MODEL = (("train",), ("prune",), ("evaluate", "--baselines", "all"))
RANKERS = (
    "popularity", "item-kNN", "zero-shot cosine", "candidate order", "LambdaMART without text", "LambdaMART",
    "student, text alone", "student",
)  # fmt: skip


def figures(domain: Domain, folder: Path, keep_pairs: bool) -> dict[str, Any]:
    """Runs the night's model verbs in `folder`; what the evaluation found."""
    env = environment_of(folder, {**SIZES, "PACE_NIGHT__SCENARIO": str(domain.scenario)})
    if keep_pairs and (folder / "lake" / "training_pairs").is_dir():
        shutil.rmtree(folder / "models", ignore_errors=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        run_verbs([import_verb(domain, folder), PAIRS], env)
    run_verbs(MODEL, env)
    [path] = (folder / "models" / "evaluations").glob("*.json")
    found = json.loads(path.read_text())
    rows = {name: row for name, row in found["rankers"].items() if name in RANKERS}
    return {
        "task": found["task"],
        "queries": found["queries"],
        "ndcg10": {name: row["ndcg10"] for name, row in rows.items()},
        "gain": {name: row["gain"] for name, row in rows.items()},
        "recall100": found["rankers"]["candidate order"]["recall100"]["mean"],
        "rare": {name: one["mean"] for name, one in _rare(found).items() if name in RANKERS},
    }


def _rare(found: Mapping[str, Any]) -> dict[str, Any]:
    segment = found["segments"].get("new or rare items")
    return dict(segment["ndcg10"]) if segment else {}


def table(found: Mapping[str, Any]) -> str:
    """The part of docs/domains.md between the marks."""
    lines = [START, "", f"Machine: {one_line(found['machine'])}.", ""]
    for name, one in found["domains"].items():
        task = one["task"].replace("_", " ")
        lines += [
            f"**{name}** (generated; {task}, {one['queries']} test queries, recall@100 of the candidates "
            f"{one['recall100']:.3f})",
            "",
            "| ranker | NDCG@10 | less the candidate order's | on new or rare items |",
            "|---|---:|---:|---:|",
        ]
        for ranker in RANKERS:
            rare = f"{one['rare'][ranker]:.4f}" if ranker in one["rare"] else ""
            lines.append(
                f"| {ranker} | {_interval(one['ndcg10'][ranker])} | {_interval(one['gain'][ranker])} | {rare} |"
            )
        lines.append("")
    return "\n".join([*lines, END])


def _interval(estimate: Mapping[str, Any]) -> str:
    text = f"{estimate['mean']:.4f}"
    return text if estimate["low"] is None else f"{text} [{estimate['low']:.4f}, {estimate['high']:.4f}]"


def with_table(page: str, new: str) -> str:
    """`page` with `new` in the place of what stands between the marks, they included."""
    before, _, rest = page.partition(START)
    return before + new + rest.partition(END)[2]


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.domains", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "domains", help="lakes and models (%(default)s)")
    parser.add_argument("--domain", action="append", choices=DOMAINS, help="only this one; may be repeated")
    parser.add_argument("--keep-pairs", action="store_true", help="train on the pairs that the last run left")
    args = parser.parse_args(argv)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"benchmark": "domains", "domains": {}}
    found |= {"machine": describe(), "generated": True, "sizes": SIZES}
    for name in args.domain or DOMAINS:
        print(f"{name}:")
        found["domains"][name] = figures(DOMAINS[name], args.folder.absolute() / name, args.keep_pairs)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(with_table(PAGE.read_text(), table(found)))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
