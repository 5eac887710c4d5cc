"""docs/benchmarks/recommend.md, from the figures of benchmarks.recommend."""

from typing import Any

from benchmarks import machine


def page(found: dict[str, Any]) -> str:
    """The table for people."""
    data, aim = found["data"], found["aim_ms"]
    load = "".join(
        f"| {run['concurrency']} | {run['p50_ms']:.2f} | {run['p99_ms']:.2f} | {run['requests_per_second']:.0f} "
        f"| {run['gateway_cpu_ms_per_request']:.3f} | {run['client_cpu_ms_per_request']:.3f} |\n"
        for run in found["load"]
    )
    split = _split(found["cpu_split_us"])
    verdict = "met" if found["aim_met"] else "MISSED"
    return f"""\
# What a recommend call costs the gateway

Made by `python -m benchmarks.recommend`; the figures are also in `benchmarks/results/recommend.json`.

Measured on {machine.one_line(found["machine"])}.
One gateway worker; Valkey, the client and whatever else runs share the cores, so times of a busy machine are upper
bounds. Generated data: {data["items"]} items, {data["users"]} users, lists of {data["list_length"]}. Every request
names a user and a context item, so that two lists are read and merged. No model is promoted (all answers are of level
`{found["level"]}`) and the answer cache is off. {found["requests"]} requests a run over loopback with keep-alive; of
{found["repeats"]} runs the median by the gateway's CPU.

| concurrency | p50 ms | p99 ms | requests/s | gateway CPU ms/request | client CPU ms/request |
|---|---|---|---|---|---|
{load}
The aim is at most {aim:g} ms of gateway CPU a request: {verdict}.
Where it goes at concurrency {found["load"][0]["concurrency"]}:

| part | us/request | share |
|---|---|---|
{split}
The parts of the app are booked in a replay in one thread; `HTTP server` is what the process used besides.
{_with_model(found)}"""


def _with_model(found: dict[str, Any]) -> str:
    """The section of a call that asks the ranker."""
    at_once, worked = found["with_model"]["at_once"], found["with_model"]["after_work"]
    load = "".join(
        f"| {name} | {case['load']['p50_ms']:.2f} | {case['load']['gateway_cpu_ms_per_request']:.3f} |\n"
        for name, case in (("at once", at_once), (f"after {found['work_ms']} ms of work", worked))
    )
    split = "".join(
        f"| {part} | {at_once['cpu_split_us'][part]:.0f} | {us:.0f} |\n" for part, us in worked["cpu_split_us"].items()
    )
    verdict = "met" if found["aim_with_model_met"] else "MISSED"
    return f"""
## With a model, {found["candidates"]} candidates

The same requests, one in flight, where {found["candidates"]} candidates go to a ranker. A stand-in answers for it, in
the real frames over the real socket, with the same scores for every list: scoring is not what is measured. It answers
at once, or after {found["work_ms"]} ms of matrix products on all cores ({found["requests_with_work"]} requests a run).
That is what a gateway beside a ranker meets: between two requests the caches were filled with what is not its own, and
the same instructions take longer.

| the ranker answers | p50 ms | gateway CPU ms/request |
|---|---|---|
{load}
The aim is at most {found["aim_with_model_ms"]:g} ms of gateway CPU a request: {verdict}.
Where it goes, in us a request:

| part | at once | after work |
|---|---|---|
{split}"""


def _split(parts: dict[str, float]) -> str:
    total = sum(parts.values())
    return "".join(f"| {part} | {us:.0f} | {us / total:.0%} |\n" for part, us in parts.items())
