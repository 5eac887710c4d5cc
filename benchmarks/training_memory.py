"""`python -m benchmarks.training_memory`: the memory of training over one day's pairs, and over ten times as many.

Generated queries of 50 candidates and a network of two layers, 32 wide: what grows here is the data. Each run is a
process of its own, measured from outside. The last line is JSON; so is the result file.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.generated_pairs import DAY, generate, write_base_model
from benchmarks.measured import measure, python

RESULT = Path(__file__).parent / "results" / "training_memory.json"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "training.md"
TIMES = 10


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_memory", description=__doc__)
    parser.add_argument("--queries", type=int, default=2500, help="queries of the smaller run (%(default)s)")
    queries = parser.parse_args(argv).queries
    measured = {"machine": machine.describe(), "runs": []}
    with tempfile.TemporaryDirectory(prefix="pace-memory-") as folder:
        base = write_base_model(Path(folder) / "base")
        for count in (queries, TIMES * queries):
            lake = generate(Path(folder) / f"lake-{count}", count)
            measured["runs"].append({"queries": count, **_trained(base, lake, count, Path(folder))})
            print(measured["runs"][-1], flush=True)
    small, large = (run["peak_mib"] for run in measured["runs"])
    measured["growth"] = round(large / small, 3)
    RESULT.write_text(json.dumps(measured, indent=2) + "\n")
    PAGE.write_text(page(measured))
    print(json.dumps(measured))


def _trained(base: Path, lake: Path, queries: int, folder: Path) -> dict[str, Any]:
    settings = {
        "PACE_REGISTRY__TRACKING_URI": "",  # MLflow is no part of what grows
        "PACE_TRAINING__BASE_MODEL": str(base),
        "PACE_TRAINING__SAMPLE_QUERIES": str(queries),
        "PACE_TRAINING__CANDIDATES": "50",
        "PACE_TRAINING__LIST_CANDIDATES": "2",
        "PACE_TRAINING__BATCH_QUERIES": "32",
        "PACE_TRAINING__VALIDATE_STEPS": "0",
        "PACE_TRAINING__SHUFFLE_QUERIES": "1024",
        "PACE_TRAINING__DEVICE": "cpu",
        "PACE_TRAINING__THREADS": "1",
    }
    command = python("jobs", "train", "--lake", str(lake), "--date", DAY, "--models", str(folder / f"models-{queries}"))
    found = measure(command, folder / "train.log", settings)
    size = sum(file.stat().st_size for file in (lake / "training_pairs").rglob("*.parquet"))
    return {
        "pairs_mib": round(size / 2**20, 1),
        "peak_mib": round(found.peak_process_bytes / 2**20),
        "seconds": round(found.seconds, 1),
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


def page(measured: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {run['queries']:,} | {run['pairs_mib']:,.0f} | {run['peak_mib']:,} | {run['cpu_seconds']:.0f} |"
        for run in measured["runs"]
    )
    return f"""# The memory of training

Made by `python -m benchmarks.training_memory`; the figures are also in `benchmarks/results/training_memory.json`.

Measured on {machine.one_line(measured["machine"])}.
Generated queries of 50 candidates, shuffled 1,024 at a time, and a tiny network, so that only the data could grow;
`python -m jobs train` as a whole, its largest process, sampled every 0.1 s.

| training queries | their Parquet, MiB | peak memory, MiB | CPU s |
|---|---|---|---|
{rows}

Ten times the data takes {measured["growth"]:.2f} times the memory.
"""


if __name__ == "__main__":
    main(sys.argv[1:])
