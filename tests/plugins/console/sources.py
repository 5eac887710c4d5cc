"""What the page is made of, written where the jobs write it: verdicts, a generation, models, Data Docs."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contract.keys import Keys
from contract.slo import bound_text, read_slo
from contract.store.publisher import set_model
from pacesetter_airflow.objectives.episodes import continued, on_prometheus
from pacesetter_airflow.objectives.history import History
from pacesetter_airflow.objectives.record import Record
from reranker.manifest import MANIFEST, Level, Loss, Manifest, canonical, seal
from tests.online.toy import publish

OBJECTIVES = """
objectives:
  - name: recommend_latency
    kind: events
    description: half of the calls <within> half a second
    percent: 50
    severity: ticket
    total: {metric: rec_request_duration_seconds, where: {route: /recommend}}
    good: {metric: rec_request_duration_seconds, where: {route: /recommend}, within: 0.5}
  - name: generation_fresh
    kind: bound
    description: The generation is fresh
    gauge: rec_candidates_age_seconds
    at_most: 129600
    unit: s
"""
LATENCY, FRESH = "recommend_latency", "generation_fresh"
VERDICTS = {"O": "OK", "M": "MISS", "U": "UNKNOWN"}


def write_verdicts(lake: Path, slo: Path, letters: str, last: datetime, **more: Any) -> list[Record]:
    """A run of sla_check for each letter, a quarter of an hour apart: of the latency; all else is kept.

    `more` is what the rows of the latency say besides.
    """
    rows: list[Record] = []
    for place, letter in enumerate(letters):
        time = last - timedelta(minutes=15) * (len(letters) - 1 - place)
        found = []
        for objective in read_slo(slo).objectives:
            latency = objective.name == LATENCY
            verdict = VERDICTS[letter] if latency else "OK"
            given = {"why": "0.4 < 0.5", "shown": "40 %", "budget_left": 0.25, "budget_seconds": 2_592_000, **more}
            found.append(
                Record(
                    time=time,
                    run=f"run {place}",
                    objective=objective.name,
                    verdict=verdict,
                    kind=objective.kind,
                    description=objective.description,
                    promised=bound_text(objective),
                    **(given if latency else {"why": "51234 s <= 129600 s", "shown": "51234 s"}),
                )
            )
        away = on_prometheus(found)
        rows += continued(rows, [*found, *([away] if away else [])])
    History(str(lake)).put(rows)
    return rows


def write_generation(client: Any, keys: Keys, model: str = "") -> int:
    """A live generation of the toy catalogue, with that model."""
    number = publish(client, keys)
    if model:
        set_model(client, keys, model)
    return number


def write_model(models: Path, made_at: datetime, admitted: bool | None = True) -> str:
    """A student as an export leaves it, but without weights; its evaluation; and what the gate decided, if it did."""
    losses = {"loss_final": Loss(0.0123, 0.0, 0.02), "loss_text": Loss(0.0345, None, None)}
    manifest = seal(
        Manifest(
            role="student",
            date="2011-12-09",
            created_at=made_at.timestamp(),
            base_model="tiny",
            layers=1,
            tokenizer_sha256="",
            special_tokens=(1, 2, 0),
            query_tokens=8,
            item_tokens=4,
            template={},
            feature_names=(),
            feature_mean=(),
            feature_std=(),
            training={},
            metrics={"validation_ndcg10": 0.1612},
            levels=(Level(name="fast", depth=1, flops=0.1, **losses),),
        )
    )
    directory, evaluations = models / manifest.version, models / "evaluations"
    directory.mkdir(parents=True)
    evaluations.mkdir(exist_ok=True)
    (directory / MANIFEST).write_bytes(canonical(manifest))
    (evaluations / f"{manifest.version}.html").write_text("<h1>the evaluation</h1>")
    if admitted is not None:
        reasons = [] if admitted else ["worse than the live model"]
        record = {"admitted": admitted, "created_at": made_at.timestamp(), "reasons": reasons, "warnings": []}
        (evaluations / f"{manifest.version}.gate.json").write_bytes(msgspec.json.encode(record))
    return manifest.version


def write_validation(docs: Path, suite: str, at: datetime) -> str:
    """The page of a suite's run where Great Expectations puts it; its path in the site."""
    page = f"validations/{suite}/2011-12-09/{at:%Y%m%dT%H%M%S.%fZ}/{suite}.html"
    (docs / page).parent.mkdir(parents=True)
    (docs / page).write_text(f"<h1>{suite}</h1>")
    (docs / "index.html").write_text("<h1>Data Docs</h1>")
    return page
