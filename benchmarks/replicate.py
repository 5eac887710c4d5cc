"""A larger dataset out of the sample: the same catalogue, each copy with users, sessions and events of its own.

`python -m benchmarks.replicate --copies 10 --out DIR`. Copy 0 is the sample. Copy k is shifted by k/copies of the
period, in whole days and around its end, so that every day gets about as many more events as there are copies. What it
shows is how jobs grow with the number of events and users; baskets are repeated, so that quality figures mean nothing.
"""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path

import polars as pl
from upath import UPath

from jobs.events import online_retail


def write_sample(folder: Path) -> None:
    """items.parquet and events.parquet of the sample, in the schema that import_events reads."""
    sold = online_retail.purchases(online_retail.read_lines(UPath(online_retail.ARCHIVE)))
    folder.mkdir(parents=True, exist_ok=True)
    pl.from_arrow(online_retail.items(sold)).write_parquet(folder / "items.parquet")
    pl.from_arrow(online_retail.events(sold)).write_parquet(folder / "events.parquet")


def replicate(events: pl.DataFrame, copies: int, folder: Path) -> int:
    """A Parquet file a copy in `folder`, made anew; returns the number of events in all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.parquet"):
        old.unlink()
    for copy in range(copies):
        shifted(events, copy, copies).write_parquet(folder / f"copy-{copy:03}.parquet")
    return copies * len(events)


def shifted(events: pl.DataFrame, copy: int, copies: int) -> pl.DataFrame:
    """Copy number `copy` of `copies`: ids with a suffix, times moved by whole days inside the period."""
    if not copy:
        return events
    first = events["ts"].dt.truncate("1d").min()
    period = (events["ts"].dt.truncate("1d").max() - first).days + 1
    days = (pl.col("ts").dt.truncate("1d") - first).dt.total_days()
    moved = (days + period * copy // copies) % period
    return events.with_columns(
        pl.col("ts") + pl.duration(days=moved - days),
        *(
            pl.concat_str(pl.col(name), pl.lit(f"~{copy}")).alias(name)
            for name in ("event_id", "user_id", "session_id")
        ),
    ).sort("ts", "event_id")


def last_days(events: pl.DataFrame, days: int) -> pl.DataFrame:
    """Only the last `days` days: a small cut to try the benchmark with."""
    return events.filter(pl.col("ts") >= events["ts"].max() - timedelta(days=days))


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.replicate", description=__doc__)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    write_sample(args.out)
    count = replicate(pl.read_parquet(args.out / "events.parquet"), args.copies, args.out / "events")
    print(f"{count} events, {args.copies} copies of the sample, in {args.out / 'events'}")
