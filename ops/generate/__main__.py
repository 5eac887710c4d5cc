"""`python -m ops.generate` writes every generated file; `--check` only tells which ones differ.

They are committed, so that a reader finds them and a reviewer sees what a change of their source does to them.
A drill has objectives of its own: `--objectives FILE --into FOLDER` writes what follows from those.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from contract.errors import PacesetterError
from contract.slo import Slo, read_slo
from ops.generate.alertmanager import alertmanager
from ops.generate.dashboards.objectives import objectives_dashboard
from ops.generate.dashboards.resources import resources_dashboard
from ops.generate.dashboards.services import services_dashboard
from ops.generate.metrics_page import metrics_page
from ops.generate.redis_layout import redis_layout
from ops.generate.rules import rules

ROOT = Path(__file__).parents[2]
OBJECTIVES = ROOT / "ops" / "slo.yaml"

FROM_OBJECTIVES: dict[str, Callable[[Slo], str]] = {
    "ops/rules/slo.yml": rules,
    "ops/alertmanager.yml": alertmanager,
    "ops/grafana/dashboards/objectives.json": objectives_dashboard,
}
FROM_CODE: dict[str, Callable[[], str]] = {
    "ops/grafana/dashboards/services.json": services_dashboard,
    "ops/grafana/dashboards/resources.json": resources_dashboard,
    "docs/redis-layout.md": redis_layout,
    "docs/metrics.md": metrics_page,
}


def generated(objectives: Path = OBJECTIVES) -> dict[str, str]:
    """Every generated file: its path in the project, and its text. Raises BadInput, with the line of the objectives."""
    slo = read_slo(objectives)
    return {
        **{name: render(slo) for name, render in FROM_OBJECTIVES.items()},
        **{name: render() for name, render in FROM_CODE.items()},
    }


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="python -m ops.generate", description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    parser.add_argument("--objectives", type=Path, default=OBJECTIVES, help="another slo.yaml")
    parser.add_argument("--into", type=Path, default=ROOT, help="the folder to write to; default: the project")
    args = parser.parse_args(argv)
    try:
        files = generated(args.objectives)
    except PacesetterError as error:
        print(f"pacesetter generate: {error}", file=sys.stderr)
        return 1
    stale = {name: text for name, text in files.items() if not _is(args.into / name, text)}
    for name, text in stale.items():
        if args.check:
            print(f"{name} is out of date: run `python -m ops.generate` and commit it")
        else:
            path = args.into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {name}")
    return 1 if args.check and stale else 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
