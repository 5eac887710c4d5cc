"""docs/benchmarks/rerank.md out of the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.machine import one_line

SYSTEMS = {
    "naive": "the naive design: Flask, BertForSequenceClassification in float32, a padded batch a request",
    "cross_encoder": "sentence-transformers CrossEncoder behind Flask (Apache-2.0)",
    "litserve": "LitServe (Apache-2.0), float32",
    "infinity": "infinity-emb (MIT), as it comes",
    "infinity_bf16": "infinity-emb in bf16",
    "openvino": "OpenVINO (Apache-2.0) in bf16, sorted by length, behind Flask",
    "full": "**Pacesetter, level full**",
    "fast": "**Pacesetter, level fast**",
}
AIMS = (
    ("cpu_ratio_full", "CPU a request, `full`, times less than the naive design", 20),
    ("cpu_ratio_fast", "the same, `fast`", 75),
    ("wall_ratio_full_c8", "throughput with 8 requests in flight, `full`, times the naive design's", 15),
    ("wall_ratio_fast_c8", "the same, `fast`", 50),
    ("cpu_ratio_full_vs_openvino", "CPU a request, `full`, times less than OpenVINO in bf16", 6),
)


def page(found: Mapping[str, Any], elsewhere: Sequence[Mapping[str, Any]] = ()) -> str:
    """`elsewhere`: what was found on other machines, maybe by older code."""
    rows = found["rows"]
    lines = [
        "<!-- Written by `python -m benchmarks.rerank`: do not edit. -->",
        "# Re-ranking over HTTP, beside other servers",
        "",
        f"{found['documents']} candidates of 32 tokens, a query of 96, the same MiniLM weights (6 layers, 384 wide) "
        "and two threads everywhere; generated texts, so that scores mean nothing. Each system is asked in turn, in "
        "interleaved rounds, while the others are stopped; medians over rounds. CPU is of all processes of a system: "
        "of ours the gateway, the ranker and Redis. The peers are sent the texts with each request; ours names a "
        "context item, whose candidates and their states lie in Redis and in the ranker: that is the design. Every "
        "request reads its query anew, and no answer is kept.",
        "",
        f"Machine: {one_line(found['machine'])}. `make bench-peers`, then `python -m benchmarks.rerank`.",
        "",
        "| | CPU ms, 1 in flight | wall ms | p99 ms | requests/s, 8 in flight | CPU ms | p99 ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, meaning in SYSTEMS.items():
        one, eight = (
            next((row for row in rows if (row["system"], row["concurrency"]) == (name, flight)), None)
            for flight in (1, 8)
        )
        if one and eight:
            lines.append(
                f"| {meaning} | {one['cpu_ms_per_request']:.0f} | {one['wall_ms_per_request']:.0f} | "
                f"{one['p99_ms']:.0f} | {eight['requests_per_second']:.2f} | {eight['cpu_ms_per_request']:.0f} | "
                f"{eight['p99_ms']:.0f} |"
            )
    lines += ["", *_ours(rows)]
    lines += ["", "| | found | aim | |", "|---|---:|---:|---|"]
    for key, meaning, aim in AIMS:
        lines.append(f"| {meaning} | {found[key]:.1f} | {aim} | {'met' if found[key] >= aim else '**missed**'} |")
    lines += ["", *_elsewhere(elsewhere)] if elsewhere else []
    lines += [
        "",
        "## Growth",
        "",
        "CPU milliseconds of a request of n candidates, one in flight, of every size in each round; the line through "
        "them. Aims for ours: R² of .99, and doubling n costs at most 2.1 times.",
        "",
    ]
    return "\n".join([*lines, *_growth(found), ""])


def _ours(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where our CPU goes: how much of it is not scoring."""
    lines = ["| CPU ms a request of ours, 1 in flight | gateway | ranker | Redis |", "|---|---:|---:|---:|"]
    for row in rows:
        if row["concurrency"] == 1 and len(row["cpu_ms_by_process"]) == 3:
            lines.append(f"| {row['system']} | " + " | ".join(f"{ms:.2f}" for ms in row["cpu_ms_by_process"]) + " |")
    return lines


def _elsewhere(elsewhere: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "The same figures on other machines, measured before:",
        "",
        "| machine | " + " | ".join(f"`{key}`" for key, _, _ in AIMS) + " |",
        "|---" * (len(AIMS) + 1) + "|",
    ]
    for found in elsewhere:
        cells = (f"{found[key]:.1f}" + ("" if found[key] >= aim else " (missed)") for key, _, aim in AIMS)
        lines.append(f"| {found['machine']['cores']} cores of {found['machine']['cpu']} | " + " | ".join(cells) + " |")
    return lines


def _growth(found: Mapping[str, Any]) -> list[str]:
    rows = found["over_sizes"]
    cpu = {(row["system"], row["documents"]): f"{row['cpu_ms_per_request']:.0f}" for row in rows}
    sizes = sorted({row["documents"] for row in rows})
    head = ["", *map(str, sizes), "line", "R²", "doubling costs at most"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for one in found["growth"]:
        if one["system"] in SYSTEMS:
            cells = [cpu.get((one["system"], size), "") for size in sizes]
            fit = f"{one['base']:.1f} + {one['each']:.3f} n", f"{one['r_squared']:.4f}"
            lines.append([one["system"], *cells, *fit, f"{max(one['doublings'].values(), default=0.0):.2f}"])
    return ["| " + " | ".join(line) + " |" for line in lines]
