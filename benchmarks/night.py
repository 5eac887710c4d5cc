"""The night's Spark jobs at 1, 10 and 50 times the sample: seconds, events a second, peak memory; polars beside them.

`python -m benchmarks.night [--scales 1,10,50] [--jobs import,features,candidates,training_pairs] [--resume]`

Each job runs as the DAGs run it (spark-submit, `local[*]`) in a process of its own, on a lake of its own. Writes
benchmarks/results/night.json and docs/benchmarks/night.md after every run, so that --resume can go on after the last
one; prints a table, and ends with one line of JSON. With --days only the last days of the sample are used, to try the
benchmark itself, and nothing is written outside --folder.
"""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.agreement import difference
from benchmarks.machine import describe
from benchmarks.measured import CommandFailed, Measured, measure, python
from benchmarks.night_page import page, table
from benchmarks.replicate import last_days, replicate, write_sample
from contract.settings import Settings, read_settings
from jobs.java import java_home
from jobs.lake import Lake

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "night.json"
ENGINES = ("spark", "polars")
JOBS = ("import", "features", "candidates", "training_pairs")
NEEDS = {"import": (), "features": ("import",), "candidates": ("import", "features"), "training_pairs": ("import",)}
LINEAR_SLACK = 1.1


@dataclass(frozen=True)
class Run:
    """One job at one scale. `engine` is spark or polars; `events` is how many the lake holds."""

    job: str
    engine: str
    scale: int
    events: int
    seconds: float
    events_per_second: float
    cpu_seconds: float
    peak_tree_bytes: int
    peak_process_bytes: int

    @staticmethod
    def of(job: str, engine: str, scale: int, events: int, took: Measured) -> "Run":
        return Run(job, engine, scale, events, events_per_second=events / took.seconds, **asdict(took))


@dataclass(frozen=True)
class Unfinished:
    """A job at a scale that has no numbers, and why."""

    job: str
    engine: str
    scale: int
    why: str


def runs(args: Namespace, settings: Settings, earlier: Sequence[Run] = ()) -> Iterator[Run | Unfinished]:
    """Every wanted job at every scale, smallest scale first, after those that it needs; `earlier` ones as they were."""
    known = {(run.job, run.engine, run.scale): run for run in earlier}
    sample = args.folder / "sample"
    write_sample(sample)
    events = pl.read_parquet(sample / "events.parquet")
    if args.days:
        events = last_days(events, args.days)
    wanted = with_needs(args.jobs)
    for scale in args.scales:
        at = args.folder / f"{scale}x"
        lake = at / "lake"
        if ("import", "spark", scale) in known:
            count = known["import", "spark", scale].events
        else:
            count = replicate(events, scale, at / "events")
            remove(lake)
        files = ["--events", str(at / "events"), "--items", str(sample / "items.parquet")]
        missing: set[str] = set()
        for job in wanted:
            if lacks := [need for need in NEEDS[job] if need in missing]:
                missing.add(job)
                yield Unfinished(job, "spark", scale, f"needs {lacks[0]}")
                continue
            if (job, "spark", scale) in known:
                yield from (known[job, engine, scale] for engine in ENGINES if (job, engine, scale) in known)
                continue
            verb = ["import_events", *files] if job == "import" else [job]
            ran = [("spark", [*spark_submit(settings), *verb, "--lake", str(lake)], at / f"{job}.log")]
            if job == "features":
                options = [
                    "--lake",
                    str(lake),
                    "--date",
                    Lake(str(lake)).resolve("latest"),
                    "--out",
                    str(at / "polars"),
                ]
                ran.append(("polars", python("benchmarks.polars_features", *options), at / "polars.log"))
            for engine, command, log in ran:
                try:
                    took = measure(command, log, environment(args.folder), args.limit)
                except CommandFailed as failed:
                    print(failed, file=sys.stderr)
                    missing.add(job)
                    yield Unfinished(job, engine, scale, failed.why)
                else:
                    yield Run.of(job, engine, scale, count, took)


def with_needs(wanted: list[str]) -> list[str]:
    """The wanted jobs and what they need, in the night's order."""
    return [job for job in JOBS if job in wanted or any(job in NEEDS[other] for other in wanted)]


def spark_submit(settings: Settings) -> list[str]:
    """The command line of the DAGs' Spark tasks, up to the verb."""
    log4j = ROOT / "jobs" / "log4j2.properties"
    java_options = settings.airflow.spark_java_options
    conf = {
        "spark.driver.memory": settings.airflow.spark_driver_memory,
        "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={log4j.as_uri()} {java_options}".strip(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    options = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    program = str(Path(sys.executable).parent / "spark-submit")
    return [program, "--master", "local[*]", *options, str(ROOT / "jobs" / "__main__.py")]


def environment(folder: Path) -> dict[str, str]:
    java = java_home(folder)
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        **({"JAVA_HOME": java} if java else {}),
    }


def agreement(folder: Path, scale: int) -> dict[str, str | None]:
    """What differs between Spark's and polars' tables at `scale`, by table; None where nothing does."""
    lake, other = Lake(str(folder / f"{scale}x" / "lake")), folder / f"{scale}x" / "polars"
    day = lake.resolve("latest")
    return {
        name: difference(
            pl.read_parquet(f"{lake.path(name, day)}/*.parquet", hive_partitioning=False),
            pl.read_parquet(other / f"{name}.parquet"),
            [key],
        )
        for name, key in (("item_features", "item_id"), ("user_features", "user_id"))
    }


def linearity(found: list[Run]) -> list[dict[str, object]]:
    """For each Spark job and scale: the time beside that of the smallest scale; at most linear, with a tenth on top."""
    base = {run.job: run for run in sorted(found, key=lambda run: -run.scale) if run.engine == "spark"}
    return [
        {
            "job": run.job,
            "data": run.scale / base[run.job].scale,
            "time": round(run.seconds / base[run.job].seconds, 2),
            "holds": run.seconds / base[run.job].seconds <= LINEAR_SLACK * run.scale / base[run.job].scale,
        }
        for run in found
        if run.engine == "spark" and run.scale > base[run.job].scale
    ]


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.night", description=__doc__.splitlines()[0])
    parser.add_argument("--scales", type=numbers, default=[1, 10, 50], help="copies of the sample (1,10,50)")
    parser.add_argument("--jobs", type=names, default=list(JOBS), help=f"some of {','.join(JOBS)}")
    parser.add_argument("--days", type=int, default=0, help="only the last days of the sample; 0: all of them")
    parser.add_argument("--limit", type=float, default=3600, help="seconds until a job is stopped (%(default)s)")
    parser.add_argument("--resume", action="store_true", help="keep the runs that were written, go on after them")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench", help="where lakes and logs go")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    settings = read_settings()
    earlier = earlier_runs(settings, args.folder) if args.resume else []
    found: list[Run] = []
    unfinished: list[Unfinished] = []
    result = report(args, settings, found, unfinished)
    for run in runs(args, settings, earlier):
        if isinstance(run, Run):
            found.append(run)
        else:
            unfinished.append(run)
        told = f"{run.seconds:.1f} s" if isinstance(run, Run) else run.why
        print(f"{run.job} ({run.engine}) at {run.scale}x: {told}", file=sys.stderr, flush=True)
        result = report(args, settings, found, unfinished)
        if not args.days:
            write(RESULTS, json.dumps(result, indent=1) + "\n")
            write(ROOT / "docs" / "benchmarks" / "night.md", page(result))
    print(table(result))
    print(json.dumps(result))
    held = all(row["holds"] for row in result["linear"]) and not any(result["polars_differs"].values())
    return 0 if held and not unfinished else 1


def report(args: Namespace, settings: Settings, found: list[Run], unfinished: list[Unfinished]) -> dict[str, Any]:
    """What the JSON file holds and the page shows."""
    both = [{run.scale for run in found if (run.job, run.engine) == ("features", engine)} for engine in ENGINES]
    compared = sorted(set.intersection(*both))
    return {
        "benchmark": "night",
        "machine": describe(),
        "days": args.days or None,
        **settings_of(settings),
        "runs": [asdict(run) for run in found],
        "unfinished": [asdict(run) for run in unfinished],
        "linear": linearity(found),
        "polars_differs": agreement(args.folder, compared[0]) if compared else {},
    }


def settings_of(settings: Settings) -> dict[str, str]:
    return {
        "driver_memory": settings.airflow.spark_driver_memory,
        "java_options": settings.airflow.spark_java_options,
    }


def earlier_runs(settings: Settings, folder: Path) -> list[Run]:
    """The runs of the results file whose lake is still there. Other settings give other numbers: they are refused."""
    if not RESULTS.is_file():
        return []
    result = json.loads(RESULTS.read_text())
    if any(result[name] != value for name, value in settings_of(settings).items()):
        used = f"{result['driver_memory']}, {result['java_options']}"
        raise SystemExit(f"{RESULTS} was made with other Spark settings ({used}): run without --resume")
    kept = [Run(**run) for run in result["runs"]]
    return [run for run in kept if (folder / f"{run.scale}x" / "lake").is_dir()]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def numbers(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


def names(text: str) -> list[str]:
    wanted = text.split(",")
    if not set(wanted) <= set(JOBS):
        raise ValueError(text)
    return wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
