"""Pages out of templates. Whatever is put in is escaped: names and reasons come from files, metrics and people."""

import math
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contract.slo import duration_text
from pacesetter_airflow.console.addresses import DAGS, Addresses
from pacesetter_airflow.console.standing import SLOTS, STALE_AFTER

TEMPLATES = Path(__file__).parent / "templates"
NOTHING = "–"
# (unit, its seconds, up to which length it is the one to use)
_UNITS = (("s", 1, 90), ("min", 60, 5_400), ("h", 3_600, 129_600), ("d", 86_400, math.inf))


def render(template: str, to: Addresses, page: Any) -> str:
    """`to` leads to other pages."""
    return _environment().get_template(template).render(page=page, to=to, root=to.root, airflow=to.airflow)


def render_refusal(root: str, status: int, detail: str) -> str:
    airflow = root.rpartition("/")[0]
    return _environment().get_template("refusal.html").render(root=root, airflow=airflow, status=status, detail=detail)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "utc": utc,
        "span": span,
        "percent": percent,
        "figure": figure,
        "duration": duration_text,
    }
    environment.globals |= {"dags": DAGS, "slots": SLOTS, "stale_after": span(STALE_AFTER.total_seconds())}
    return environment


def utc(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if time else NOTHING


def span(seconds: float) -> str:
    """About so long: `45 s`, `12 min`, `5 h`, `3 d`."""
    seconds = abs(seconds)
    unit, size = next((unit, size) for unit, size, up_to in _UNITS if seconds < up_to)
    return f"{seconds / size:.0f} {unit}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"


def figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
