"""docs/benchmarks/quality.md, from the figures of benchmarks.quality."""

from collections.abc import Mapping
from typing import Any

from benchmarks import machine

# Least values of the summary that were aimed at.
AIMS = {
    "stack_over_item_knn": 1.2,
    "rare_over_lambdamart_no_text": 1.5,
    "recall_over_covisitation": 1.25,
    "student_speedup": 2.5,
}
# Largest losses of a level against the teacher, by the final score and by the text score alone.
LARGEST_LOSSES = {"full": {"final": 0.01, "text": 0.01}, "fast": {"final": 0.02, "text": 0.1}}


def page(found: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The tables for people, and whether each aim was met."""
    seconds = ", ".join(f"`{verb}` {taken:.0f}" for verb, taken in found["seconds"].items())
    parts = [
        "<!-- Written by `python -m benchmarks.quality --full`: do not edit. -->",
        "# How good the served model is",
        "",
        f"Machine: {machine.one_line(found['machine'])}. Seconds a verb: {seconds}.",
        "",
        "All queries of the sample's last 30 days; statistics, candidates and records as of the cut before them,",
        "training queries from eight cuts of 30 days before that. "
        f"The first {found['depth']} candidates are re-ranked.",
        "Intervals are 95% bootstrap ones, paired where differences are shown. The model learned",
        f"{found['learned'].replace('_', ' ')}; the other task "
        f"{'is shown as it comes' if len(found['tasks']) > 1 else 'was not evaluated'}.",
        "",
        *_aims(found, told),
        *(line for task, one in found["tasks"].items() for line in _task(task, one)),
        *_recall(found),
        "New items, which the catalogue did not have at the cut, are no candidates of any ranker: they are 0 for all,",
        "and lower every figure of new or rare items alike. A night later they are there.",
    ]
    return "\n".join(parts) + "\n"


def _aims(found: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    rows = [
        (name.replace("_", " "), f"{least:g} or more", f"{told[name]}", (told[name] or 0) >= least)
        for name, least in AIMS.items()
    ]
    gain = told["stack_less_lambdamart_no_text"]
    rows.insert(1, ("stack less LambdaMART without text", "interval above 0", interval(gain), (gain["low"] or 0) > 0))
    for level, losses in told["level_loss"].items():
        for score, loss in losses.items():
            most = LARGEST_LOSSES[level][score]
            rows.append(
                (f"loss of level {level}, {score} score", f"{most:.0%} or less", interval(loss), loss["mean"] <= most)
            )
    lines = ["| figure | aim | found | |", "|---|---|---|---|"]
    lines += [f"| {name} | {aim} | {value} | {'met' if met else '**missed**'} |" for name, aim, value, met in rows]
    rare = told["rare_less_lambdamart_no_text"]
    lines += [
        "",
        f"On new or rare items the stack's NDCG@10 less LambdaMART's without text is {interval(rare)}. "
        if rare
        else "",
        f"The speed-up is the student's over its teacher in float32 on the candidates of "
        f"{found['validation_queries']:.0f} validation queries; the student's encoder computes in "
        f"{found['pruning']['measured_in']} here. The losses are shares of the teacher's NDCG@10 on the test queries, "
        "paired; on the validation queries, against the teacher in float32, they were "
        f"{interval(found['pruning']['loss_final'])} and {interval(found['pruning']['loss_text'])} at level `full`. "
        + _costs(found),
        "",
    ]
    return lines


def _costs(found: Mapping[str, Any]) -> str:
    shares = " and ".join(f"{level['flops']:.3f} at `{level['name']}`" for level in found["levels"])
    states = found["states"]
    return (
        f"A pair takes {shares} of the teacher's operations. Item states are in {states['kind']} (scores from int8 "
        f"correlate by {states['correlation']:.5f}), {states['width']} numbers a token."
    )


def _task(task: str, one: Mapping[str, Any]) -> list[str]:
    rare = one["segments"].get("new or rare items", {"ndcg10": {}})["ndcg10"]
    lines = [
        f"## {task.replace('_', ' ').capitalize()}: {one['queries']} queries",
        "",
        "| ranker | NDCG@10 | MRR | HR@10 | on new or rare items |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in sorted(one["rankers"].items(), key=lambda pair: -pair[1]["ndcg10"]["mean"]):
        of_rare = f"{rare[name]['mean']:.4f}" if name in rare else ""
        lines.append(
            f"| {name} | {interval(row['ndcg10'])} | {row['mrr']['mean']:.4f} | {row['hit10']['mean']:.4f} "
            f"| {of_rare} |"
        )
    lines += ["", "| difference | NDCG@10 |", "|---|---:|"]
    lines += [f"| {pair['of']} less {pair['less']} | {interval(pair['ndcg10'])} |" for pair in one["differences"]]
    return [*lines, ""]


def _recall(found: Mapping[str, Any]) -> list[str]:
    tasks = [name for name in found["recall"] if name.startswith("test ")]
    lines = ["## Recall of the candidates", "", f"| candidates of | {' | '.join(f'{t}, @100' for t in tasks)} |"]
    lines.append("|---|" + "---:|" * len(tasks))
    for source in found["recall"][tasks[0]]:
        lines.append(f"| {source} | " + " | ".join(f"{found['recall'][t][source]['100']:.4f}" for t in tasks) + " |")
    return [*lines, ""]


def interval(estimate: Mapping[str, Any]) -> str:
    text = f"{estimate['mean']:.4f}"
    return text if estimate["low"] is None else f"{text} [{estimate['low']:.4f}, {estimate['high']:.4f}]"
