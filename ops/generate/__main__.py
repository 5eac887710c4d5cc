"""`python -m ops.generate` writes every generated file; `--check` only tells which ones differ.

They are committed, so that a reader finds them and a reviewer sees what a change of their source does to them.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from contract.errors import PacesetterError
from contract.slo import read_objectives
from ops.generate.dashboard import serving_dashboard
from ops.generate.metrics_page import metrics_page
from ops.generate.redis_layout import redis_layout
from ops.generate.rules import rules

ROOT = Path(__file__).parents[2]
OBJECTIVES = ROOT / "ops" / "slo.yaml"

FILES: dict[str, Callable[[], str]] = {
    "ops/rules/slo.yml": lambda: rules(read_objectives(OBJECTIVES)),
    "ops/grafana/dashboards/serving.json": lambda: serving_dashboard(read_objectives(OBJECTIVES)),
    "docs/redis-layout.md": redis_layout,
    "docs/metrics.md": metrics_page,
}


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m ops.generate", description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    args = parser.parse_args(argv)
    stale = 0
    for name, render in FILES.items():
        path = ROOT / name
        try:
            text = render()
        except PacesetterError as error:
            print(f"pacesetter generate: {error}", file=sys.stderr)
            return 1
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if args.check:
            print(f"{name} is out of date: run `python -m ops.generate` and commit it")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {name}")
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
