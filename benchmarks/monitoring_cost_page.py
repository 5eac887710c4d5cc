"""docs/benchmarks/monitoring_cost.md, from the figures of benchmarks.monitoring_cost."""

from typing import Any

from benchmarks import machine

CASES = {
    "alone": "No model, one request in flight",
    "alone_under_load": "No model, 16 requests in flight",
    "with_model": "Beside a model, one request in flight",
}


def page(found: dict[str, Any]) -> str:
    """The table for people."""
    return f"""\
# What it costs to be watched

Made by `python -m benchmarks.monitoring_cost`; the figures are also in `benchmarks/results/monitoring_cost.json`.

Measured on {machine.one_line(found["machine"])}.
Gateways of one worker with and without monitoring run side by side and are asked by turns, {found["rounds"]} rounds in
changing order, of {found["requests"]} requests each ({found["requests_with_work"]}, and half the rounds, beside a
model); they are started anew {found["starts"]} times, as two processes of the same program differ by tens of
microseconds as long as they live. CPU is that of a process from its first round to what it tells after its last one,
batches, snapshots and scrapes with it; throughput is that of a round. Differences are taken within a start and within a
round; their medians are shown with 95 % bootstrap intervals.

*Off* times no stage and counts, logs and traces no request. *On* is what the settings do by themselves: a trace id,
nine stages in the answer and in histograms, levels and reasons counted, a line of JSON a request (here into a file), a
snapshot every 5 s, and `/metrics` read every {found["scrape_seconds"]:g} s. The last one also sends every hundredth
request as spans. The aims are at most {found["most_us"]:g} us of CPU a request and {found["most_share"]:.0%} of the
throughput.

Without a model the gateway is all that costs time, so that monitoring has the largest share that it can have. The
model is a stand-in for the ranker, which answers after {found["work_ms"]} ms of matrix products on all cores.
{"".join(f"{chr(10)}## {title}{chr(10)}{_table(found, case)}" for case, title in CASES.items())}"""


def _table(found: dict[str, Any], case: str) -> str:
    of = found[case]
    lines = [
        "",
        "| monitoring | CPU us/request | requests/s | cost, us | throughput lost | aims |",
        "|---|---|---|---|---|---|",
    ]
    for name, run in of["variants"].items():
        cost = of["cost"].get(name)
        told = "– | – | –"
        if cost is not None:
            met = cost["us"]["median"] <= found["most_us"], cost["throughput_lost"]["median"] <= found["most_share"]
            verdicts = ", ".join("met" if one else "MISSED" for one in met)
            told = f"{_shown(cost['us'], 1, 1)} | {_shown(cost['throughput_lost'], 100, 2)} % | {verdicts}"
        lines.append(f"| {name} | {run['cpu_us']:.0f} | {run['per_second']:.0f} | {told} |")
    return "\n".join(lines) + "\n"


def _shown(interval: dict[str, float], times: float, digits: int) -> str:
    middle, low, high = (f"{interval[name] * times:.{digits}f}" for name in ("median", "low", "high"))
    return f"{middle} [{low}, {high}]"
