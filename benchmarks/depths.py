"""What each depth of a student costs and loses: `python -m benchmarks.depths [--folder var/quality]`.

The student and the teacher are those that `benchmarks.quality` left in the folder, the losses of NDCG@10 against the
teacher on 1,000 validation queries, paired, the first 100 candidates re-ranked. Writes benchmarks/results/depths.json
and a plot, docs/benchmarks/depths.svg; the last line is JSON.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import FULL, PERIODS, ROOT
from contract.settings import Settings
from jobs.lake import Lake
from jobs.model.dataset import read_queries
from jobs.model.folders import ModelFolders
from jobs.model.losses import Judge, relative_loss
from jobs.model.teacher import training_plan
from reranker.cost import split_flops
from reranker.depth import training_depths
from reranker.loading import load_network, load_trees
from reranker.manifest import Loss
from reranker.shape import flops
from reranker.split import SplitNetwork

RESULTS = ROOT / "benchmarks" / "results" / "depths.json"
PLOT = ROOT / "docs" / "benchmarks" / "depths.svg"
QUERIES, SEED, TASK = 1000, 17, "basket"


def main(argv: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m benchmarks.depths", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "quality", help="lake and models (%(default)s)")
    folder = parser.parse_args(argv).folder
    lake, folders = Lake(str(folder / "lake")), ModelFolders(str(folder / "models"))
    chosen = {name.partition("__")[2].lower(): value for name, value in FULL.items() if "TRAINING" in name}
    training = Settings(_env_file=None, training=chosen).training  # type: ignore[arg-type]
    directory = folders.student("")
    manifest, student, encoder = load_network(directory)
    _, teacher, _ = load_network(folders.teacher(manifest.teacher))
    assert isinstance(student, SplitNetwork)
    queries = read_queries(lake, manifest.date, "validation", TASK, QUERIES, SEED, training.candidates, hit=False)
    depth = int(PERIODS["PACE_GATEWAY__RERANK_DEPTH"])
    judge = Judge(queries, encoder, depth, training_plan(training, SEED), load_trees(directory))
    whole, lengths = judge.quality(teacher, "teacher"), judge.lengths()
    cost = flops(teacher, lengths.pair)
    points: list[dict[str, Any]] = []
    for place in range(max(0, training_depths(student.layers).start - 1), student.layers):
        with student.at_depth(place):
            own = judge.quality(student, f"depth {place}")
        losses = {
            "final": relative_loss(whole.final, own.final, SEED),
            "text": relative_loss(whole.text, own.text, SEED),
        }
        points.append(
            {
                "depth": place,
                "trained": place in training_depths(student.layers),
                "flops": split_flops(student, place, lengths) / cost,
                **{name: {"mean": loss.mean, "low": loss.low, "high": loss.high} for name, loss in losses.items()},
            }
        )
    found = {"benchmark": "depths", "model": manifest.version, "queries": len(queries), "lengths": lengths._asdict()}
    found |= {"points": points}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PLOT.write_text(plot(points))
    print(json.dumps(found))


def plot(points: Sequence[dict[str, Any]]) -> str:
    """Losses of both scores over the share of the teacher's operations, with 95% intervals, as SVG."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    for score, label, marker in (("final", "final score", "o"), ("text", "text alone", "s")):
        losses = [Loss(**point[score]) for point in points]
        errors = [
            [100 * (loss.mean - (loss.low if loss.low is not None else loss.mean)) for loss in losses],
            [100 * ((loss.high if loss.high is not None else loss.mean) - loss.mean) for loss in losses],
        ]
        axes.errorbar(
            [point["flops"] for point in points], [100 * loss.mean for loss in losses], yerr=errors, fmt=marker,
            capsize=3, label=label,
        )  # fmt: skip
    for point in points:
        name = f"k = {point['depth']}" + ("" if point["trained"] else " (not trained for)")
        axes.annotate(name, (point["flops"], 100 * point["text"]["mean"]), (6, 6), textcoords="offset points")
    axes.axhline(0, color="grey", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("share of the teacher's operations")
    axes.set_ylabel("loss of the teacher's NDCG@10, %")
    axes.margins(x=0.25)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center")
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
