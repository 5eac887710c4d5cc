"""The night's benchmark as a table and as a page of the documentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.machine import one_line

_HEAD = ("job", "engine", "data", "events", "s", "events/s", "CPU s", "peak of all, MB", "peak of one, MB")


def table(result: Mapping[str, Any]) -> str:
    """A Markdown table of every run, aligned so that it also reads well in a terminal."""
    rows = [_HEAD, *(_cells(run) for run in result["runs"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|", *lines[1:]])


def _cells(run: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        run["job"],
        run["engine"],
        f"{run['scale']}x",
        f"{run['events']:,}",
        f"{run['seconds']:.1f}",
        f"{run['events_per_second']:,.0f}",
        f"{run['cpu_seconds']:.1f}",
        f"{run['peak_tree_bytes'] / 1e6:,.0f}",
        f"{run['peak_process_bytes'] / 1e6:,.0f}",
    )


def page(result: Mapping[str, Any]) -> str:
    """The text of docs/benchmarks/night.md."""
    return "\n".join(
        [
            "<!-- Written by `python -m benchmarks.night`: do not edit. -->",
            "# The night's jobs",
            "",
            f"Machine: {one_line(result['machine'])}.",
            "",
            "Data: the sample, and copies of it with users, sessions and events of their own, shifted in time within",
            "the same period, over the same catalogue (`benchmarks/replicate.py`). They show how time and memory grow;",
            "they say nothing of quality.",
            "",
            table(result),
            "",
            *_unfinished(result["unfinished"]),
            "Every run is a process of its own, started as the DAGs start it; its time includes the start of Python",
            "and of Spark's JVM. *Peak of all* is the resident memory of the whole process tree at one moment (pages",
            "that processes share count in each), *peak of one* that of the largest process; sampled every 0.1 s.",
            f"Spark's driver had a heap of {result['driver_memory']} and the Java options `{result['java_options']}`;",
            "Java gives memory back late, so that the peak is nearer to the heap than to the need.",
            "",
            "## At most linear?",
            "",
            *_linear(result["linear"]),
            "",
            "## Spark or polars?",
            "",
            *_crossover(result),
            "",
        ]
    )


def _unfinished(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    return [
        "Not finished, and so without numbers:",
        "",
        *(f"- `{row['job']}` ({row['engine']}) at {row['scale']}x: {row['why']}" for row in rows),
        "",
    ]


def _linear(rows: list[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["Only one scale was run."]
    return [
        f"- `{row['job']}`: {row['data']:g} times the data took {row['time']:g} times the time"
        f" ({'at most linear' if row['holds'] else 'MORE than linear'})."
        for row in rows
    ]


def _crossover(result: Mapping[str, Any]) -> list[str]:
    differs = [name for name, what in result["polars_differs"].items() if what]
    seconds = {(run["engine"], run["scale"]): run["seconds"] for run in result["runs"] if run["job"] == "features"}
    scales = sorted(scale for engine, scale in seconds if engine == "spark" and ("polars", scale) in seconds)
    if not scales:
        return ["The job `features` was not run."]
    lines = [
        "The job `features` is also written in polars (`benchmarks/polars_features.py`), for one machine. Its tables",
        f"{'DIFFER from' if differs else 'equal'} Spark's at {scales[0]}x, row by row.",
        "",
        *(
            f"- {scale}x: polars is {seconds['spark', scale] / seconds['polars', scale]:.1f} times as fast as Spark"
            for scale in scales
        ),
        "",
    ]
    won = [scale for scale in scales if seconds["spark", scale] < seconds["polars", scale]]
    return [
        *lines,
        f"Spark is the faster one from {won[0]}x on."
        if won
        else f"Up to {scales[-1]}x polars is the faster one on this machine. Spark is for what no longer fits one.",
    ]
