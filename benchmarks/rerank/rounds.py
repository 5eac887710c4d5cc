"""`python -m benchmarks.rerank.rounds`: what a request costs each system, in interleaved rounds.

All systems are started and warmed first. Then in every round each in turn is asked the same requests, while the others
are stopped: what else happens on the machine meets all of them alike. The last line is JSON.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import load_client, machine
from benchmarks.rerank.growth import doublings, fitted
from benchmarks.rerank.peer import PEERS
from benchmarks.rerank.servers import awake, pause, resume, used_cpu
from benchmarks.rerank.system import HOST, Running, System

MOST_SECONDS = 600.0


class Refused(Exception):
    """A system answered with something other than a 200: its figures would mean nothing."""


@dataclass(frozen=True)
class Turn:
    """What a system took for its requests of one round; CPU of its process trees, together and one by one, and wall
    time, in seconds."""

    system: str
    documents: int
    concurrency: int
    cpu_each: float
    wall_each: float
    latencies: tuple[float, ...]
    cpu_of_each: tuple[float, ...] = ()


@dataclass(frozen=True)
class Contestant:
    system: System
    running: Running


@contextmanager
def started(systems: Sequence[System]) -> Iterator[list[Contestant]]:
    """All of them, started and stopped (SIGSTOP); on leaving, continued and ended."""
    with ExitStack() as stack:
        contestants = []
        for system in systems:
            running = stack.enter_context(system.start())
            stack.callback(resume, running)
            pause(running)
            contestants.append(Contestant(system, running))
        yield contestants


def measure(
    contestants: Sequence[Contestant],
    documents: int,
    concurrency: int,
    requests: Callable[[System], int],
    rounds: int,
    warm_up: int,
) -> list[Turn]:
    """`rounds` turns of each contestant, of as many requests as `requests` says of its system and at least one a
    connection, after `warm_up` that do not count.

    Before each turn one more does not count: the first after a pause finds cold caches. Raises Refused.
    """
    asked = {place: contestant.system.requests(documents) for place, contestant in enumerate(contestants)}
    if warm_up:
        for place, contestant in enumerate(contestants):
            with awake(contestant.running):
                _load(contestant, asked[place], concurrency, warm_up)
    turns = []
    for _ in range(rounds):
        for place, contestant in enumerate(contestants):
            with awake(contestant.running):
                _load(contestant, asked[place], 1, 1)
                before = used_cpu(contestant.running)
                load = _load(contestant, asked[place], concurrency, requests(contestant.system))
                after = used_cpu(contestant.running)
            answers = len(load.latencies)
            each = tuple((end - start) / answers for start, end in zip(before, after, strict=True))
            turns.append(
                Turn(
                    contestant.system.name, documents, concurrency, sum(each), load.seconds / answers,
                    tuple(load.latencies), each,
                )
            )  # fmt: skip
    return turns


def _load(contestant: Contestant, asked: Iterator[bytes], concurrency: int, count: int) -> load_client.Load:
    load = load_client.run(HOST, contestant.running.port, asked, concurrency, max(count, concurrency), MOST_SECONDS)
    if load.refused:
        raise Refused(f"{contestant.system.name} refused {load.refused} of {len(load.latencies)} requests: see its log")
    return load


def summary(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """One row for each system, n and concurrency, in the order of the turns.

    CPU, wall time and throughput are medians of the rounds; p50 and p99 are of all requests of all rounds.
    """
    groups: dict[tuple[str, int, int], list[Turn]] = {}
    for turn in turns:
        groups.setdefault((turn.system, turn.documents, turn.concurrency), []).append(turn)
    rows = []
    for (system, documents, concurrency), group in groups.items():
        load = load_client.Load([latency for turn in group for latency in turn.latencies])
        wall = median(turn.wall_each for turn in group)
        rows.append(
            {
                "system": system,
                "documents": documents,
                "concurrency": concurrency,
                "rounds": len(group),
                "requests": len(load.latencies),
                "cpu_ms_per_request": round(median(turn.cpu_each for turn in group) * 1000, 2),
                "cpu_ms_by_process": [
                    round(median(parts) * 1000, 2) for parts in zip(*(turn.cpu_of_each for turn in group), strict=True)
                ],
                "wall_ms_per_request": round(wall * 1000, 2),
                "requests_per_second": round(1 / wall, 3),
                "p50_ms": round(load.quantile(0.5) * 1000, 2),
                "p99_ms": round(load.quantile(0.99) * 1000, 2),
            }
        )
    return rows


def growth(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each system and concurrency, where three sizes or more were measured: its CPU's line and doublings."""
    times: dict[tuple[str, int], dict[int, float]] = {}
    for row in rows:
        times.setdefault((row["system"], row["concurrency"]), {})[row["documents"]] = row["cpu_ms_per_request"]
    return [
        {
            "system": system,
            "concurrency": concurrency,
            **{name: round(value, 4) for name, value in fitted(by_size)._asdict().items()},
            "doublings": {f"{n}-{twice}": round(ratio, 3) for (n, twice), ratio in doublings(by_size).items()},
        }
        for (system, concurrency), by_size in times.items()
        if len(by_size) >= 3
    ]


def table(rows: Sequence[dict[str, Any]]) -> str:
    names = [name for name in rows[0] if name not in ("rounds", "requests", "cpu_ms_by_process")]
    lines = [[str(row[name]) for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [names, ["---"] * len(names), *lines])


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main(argv: list[str], known: Sequence[System] = PEERS) -> None:
    names = {system.name: system for system in known}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerank.rounds", description=__doc__)
    parser.add_argument("--systems", default=",".join(names), help="some of %(default)s")
    parser.add_argument("--documents", type=numbers, default=[100], help="candidates a request (10,100,1000)")
    parser.add_argument("--concurrency", type=numbers, default=[1], help="requests in flight (1,4)")
    parser.add_argument("--requests", type=int, default=5, help="for each system in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--warm-up", type=int, default=3, help="requests before the first round (%(default)s)")
    args = parser.parse_args(argv)
    described = machine.describe()
    turns = []
    with started([names[name] for name in args.systems.split(",")]) as contestants:
        for documents in args.documents:
            for concurrency in args.concurrency:
                turns += measure(
                    contestants, documents, concurrency, lambda _: args.requests, args.rounds, args.warm_up
                )
    rows = summary(turns)
    print(table(rows))
    print(json.dumps({"benchmark": "rerank", "machine": described, "rows": rows, "growth": growth(rows)}))


if __name__ == "__main__":
    main(sys.argv[1:])
