"""`python -m ops.generate` writes every generated file; `--check` only tells which ones differ.

They are committed, so that a reader finds them and a reviewer sees what a change of their source does to them.
A drill has objectives of its own: `--objectives FILE --into FOLDER` writes what follows from those.
"""

import shlex
import sys
from argparse import ArgumentParser, Namespace
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
from ops.generate.runbook import missing_pages

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


def generated(slo: Slo) -> dict[str, str]:
    """Every generated file: its path in the project, and its text."""
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
        slo = read_slo(args.objectives)
        for warning in missing_pages(slo, ROOT):
            print(f"pacesetter generate: warning: {warning}", file=sys.stderr)
        return _check(args, generated(slo)) if args.check else _write(args.into, generated(slo))
    except PacesetterError as error:
        print(f"pacesetter generate: {error}", file=sys.stderr)
    except OSError as error:
        where = error.filename or args.into
        print(f"pacesetter generate: {where}: {error.strerror}; choose another folder with --into", file=sys.stderr)
    return 1


def _check(args: Namespace, files: dict[str, str]) -> int:
    """The exit status: 1 if a file differs."""
    stale = [name for name, text in files.items() if not _is(args.into / name, text)]
    again = ["python", "-m", "ops.generate"]
    again += ["--objectives", str(args.objectives)] if args.objectives != OBJECTIVES else []
    again += ["--into", str(args.into)] if args.into != ROOT else []
    committed = " and commit it" if args.into == ROOT else ""
    for name in stale:
        print(f"{name} is out of date: run `{shlex.join(again)}`{committed}")
    return 1 if stale else 0


def _write(into: Path, files: dict[str, str]) -> int:
    """The exit status. Raises OSError: the folder cannot be written."""
    for name, text in files.items():
        path = into / name
        if not _is(path, text):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            print(f"wrote {name}")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
