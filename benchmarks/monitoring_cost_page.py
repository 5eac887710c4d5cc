"""docs/benchmarks/monitoring_cost.md, from the figures of benchmarks.monitoring_cost."""

from typing import Any, NamedTuple

from benchmarks import machine


class Case(NamedTuple):
    """What a gateway is asked for: so many requests at a time; beside a stand-in for the ranker that works so long;
    with every hundredth request sent as spans."""

    title: str
    concurrency: int
    work_ms: int | None = None
    traced: bool = False


CASES = {
    "alone": Case("no model, one request in flight", 1),
    "alone_traced": Case("the same, every hundredth request sent as spans", 1, traced=True),
    "alone_under_load": Case("no model, 16 requests in flight", 16),
    "with_model": Case("beside a model, one request in flight", 1, work_ms=20),
}


HEAD = """\
| gateway | requests/s | an unwatched request, us | in the request, us | beside it, us | cost, us \
| by the clock, ms/s | share, % | throughput lost, % | aims |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---|"""


def page(found: dict[str, Any]) -> str:
    """The table for people."""
    return f"""\
# What it costs to be watched

Made by `python -m benchmarks.monitoring_cost`; the figures are also in `benchmarks/results/monitoring_cost.json`.

Measured on {machine.one_line(found["machine"])}.
A gateway of one worker is asked with requests of which every second one, by chance, is not watched: no stage is timed,
it is neither counted, logged nor traced, and its answer has no times. Both kinds so meet the same process, caches and
neighbours. *In the request* is the difference of their CPU time: of the request's thread, the mean without a tenth on
either side, over {found["starts"]} starts of the gateway, of about {found["alone"]["requests"]} requests of either kind
({found["with_model"]["requests"]} beside a model). *Beside it* is the CPU time of what watches at other times, by turns
in which all requests are watched, divided by these: the thread that counts and writes lines in batches, spans, and the
garbage collector as far as it works more than for unwatched requests. What a watched request does to the caches of the
next one is in neither. *By the clock*, however many requests there are, go a snapshot every 5 s and `/metrics`, read
every {found["scrape_seconds"]:g} s. *Share* is all of it, of the time that there is for a request at that rate.
*Throughput lost* is measured by {found["short_turns"]} short turns a start, all watched and none, with what is done
beside and by the clock added, which may fall into turns of either kind: it knows everything, and is the least exact.

Watched is what the settings do by themselves: a trace id, nine stages in the answer and in histograms, levels and
reasons counted, a line of JSON a request (here into a file). The aims are at most {found["most_us"]:g} us of CPU a
request and {found["most_share"]:.0%} of the throughput, here the share. Without a model the gateway is all that costs
time, so that watching has the largest share that it can have. The model is a stand-in for the ranker, which answers
after {CASES["with_model"].work_ms} ms of matrix products on all cores: a request then finds nothing of its own in the
caches.

{HEAD}
{chr(10).join(_row(case.title, found[name], found) for name, case in CASES.items())}

Intervals are 95 % bootstrap ones, over starts and the requests in them; of the throughput over turns. An aim is met
where the whole interval is within it, and *met, not surely* where what was found is.
"""


def _row(title: str, of: dict[str, Any], found: dict[str, Any]) -> str:
    aims = _verdict(of["us"], found["most_us"]), _verdict(of["share"], found["most_share"])
    return (
        f"| {title} | {of['per_second']:.0f} | {of['request_us']:.0f} | {_shown(of['inside_us'], 1, 1)} "
        f"| {_shown(of['beside_us'], 1, 1)} | {_shown(of['us'], 1, 1)} | {of['by_clock'] * 1000:.2f} "
        f"| {_shown(of['share'], 100, 2)} | {_shown(of['throughput_lost'], 100, 1)} | {'; '.join(aims)} |"
    )


def _verdict(of: dict[str, float], most: float) -> str:
    if of["high"] <= most:
        return "met"
    return "met, not surely" if of["found"] <= most else "**MISSED**"


def _shown(interval: dict[str, float], times: float, digits: int) -> str:
    middle, low, high = (f"{interval[name] * times:.{digits}f}" for name in ("found", "low", "high"))
    return f"{middle} [{low}, {high}]"
