"""The last night of `make demo` as a page: how long each task took, and the peak memory of each process.

`make demo ONCE=1 && python -m benchmarks.demo_night [--night var/run/night.json]`

Writes benchmarks/results/demo_night.json and docs/benchmarks/demo.md, and ends with one line of JSON.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, one_line

ROOT = Path(__file__).parents[1]
AIM_SECONDS = 480
AIM_MIB = 6 * 1024


def page(found: Mapping[str, Any]) -> str:
    """The text of docs/benchmarks/demo.md."""
    largest = max(found["peak_rss_mib"].values())
    tasks = [f"| `{name}` | {seconds:.0f} |" for name, seconds in found["task_seconds"].items()]
    peaks = sorted(found["peak_rss_mib"].items(), key=lambda entry: -entry[1])
    processes = [f"| {name} | {mib:,} | {found['cpu_seconds'].get(name, 0):.0f} |" for name, mib in peaks]
    return "\n".join(
        [
            "<!-- Written by `python -m benchmarks.demo_night`: do not edit. -->",
            "# The demo's night",
            "",
            f"Machine: {one_line(found['machine'])}. The whole demo runs beside the night: Airflow, both Valkeys,",
            "gateway, ranker, Prometheus. Made by `make demo ONCE=1 && python -m benchmarks.demo_night` in a fresh",
            "clone; installation is not counted.",
            "",
            f"The night took **{found['night_seconds']:.0f} s**; the aim of {AIM_SECONDS} s was "
            f"{'met' if found['time_met'] else 'MISSED'}. The largest process held {largest:,} MiB; the aim of "
            f"{AIM_MIB:,} MiB was {'met' if found['memory_met'] else 'MISSED'}.",
            "`candidates_daily` and `reranker_weekly` run side by side, so that the tasks' seconds add up to more.",
            "",
            "| task | seconds |",
            "|---|---:|",
            *tasks,
            "",
            "| process | peak, MiB | CPU seconds |",
            "|---|---:|---:|",
            *processes,
            "",
        ]
    )


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.demo_night", description=__doc__.splitlines()[0])
    parser.add_argument("--night", type=Path, default=ROOT / "var" / "run" / "night.json", help="what the demo wrote")
    args = parser.parse_args(argv)
    if not args.night.is_file():
        parser.error(f"{args.night} does not exist: run `make demo ONCE=1` first")
    night = json.loads(args.night.read_text())
    found = {
        "benchmark": "demo_night",
        "machine": describe(),
        "time_met": night["night_seconds"] <= AIM_SECONDS,
        "memory_met": max(night["peak_rss_mib"].values()) <= AIM_MIB,
        **night,
    }
    (ROOT / "benchmarks" / "results" / "demo_night.json").write_text(json.dumps(found, indent=1) + "\n")
    (ROOT / "docs" / "benchmarks" / "demo.md").write_text(page(found))
    print(json.dumps(found))
    return 0 if found["time_met"] and found["memory_met"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
