"""Metric names and buckets, against the objectives and the Prometheus rules that read them."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from contract.metrics import ALL, Metric, counter, gauge, histogram
from contract.slo import read_slo, value_query

PROJECT = Path(__file__).parents[2]
NAMED = {metric.name: metric for metric in ALL}
METRIC_IN_QUERY = re.compile(r"\brec_[a-z0-9_]+\b")
LABELS_IN_QUERY = re.compile(r"\b(rec_[a-z0-9_]+)\{([^}]*)\}")
SLO = read_slo(PROJECT / "ops" / "slo.yaml")


def queries() -> dict[str, str]:
    """Every PromQL expression of the project, by where it stands."""
    found = {f"slo.yaml {objective.name}": value_query(objective, SLO.judged) for objective in SLO.objectives}
    for file in (PROJECT / "ops" / "rules").glob("*.yml"):
        for group in yaml.safe_load(file.read_text()).get("groups") or []:
            for rule in group["rules"]:
                found[f"{file.name} {rule.get('alert') or rule['record']} {rule['expr'][:40]}"] = rule["expr"]
    return found


def metric_of(series: str) -> Metric | None:
    """The metric that a series belongs to: a histogram's are three."""
    base = re.sub(r"_(bucket|count|sum)$", "", series)
    if base in NAMED and NAMED[base].type == "histogram" and base != series:
        return NAMED[base]
    return NAMED.get(series)


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_a_query_names_series_and_labels_that_exist(query: str) -> None:
    for series in METRIC_IN_QUERY.findall(query):
        metric = metric_of(series)
        assert metric is not None, f"{series} is exposed by nobody"
        assert metric.type != "histogram" or series != metric.name, f"{series} is a histogram: _bucket, _count or _sum"
    for series, matchers in LABELS_IN_QUERY.findall(query):
        metric = metric_of(series)
        assert metric is not None
        used = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers))
        assert used <= {*metric.labels, "le", "job", "instance"}


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_asks(metric: Metric) -> None:
    assert re.fullmatch(r"rec_[a-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert not metric.name.endswith(("_bucket", "_count", "_sum"))
    assert all(re.fullmatch(r"[a-z_]+", label) and label != "le" for label in metric.labels)
    # One series a user or an item would be more than any Prometheus holds.
    assert not {label for label in metric.labels if label.endswith("_id") or label in ("user", "item", "session")}
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert metric.help


def test_names_are_one_each() -> None:
    assert len(NAMED) == len(ALL)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_is_exposed_under_its_name(metric: Metric) -> None:
    registry = CollectorRegistry()
    made = {"counter": counter, "gauge": gauge, "histogram": histogram}[metric.type](metric, registry)
    series = made.labels(*("x" for _ in metric.labels)) if metric.labels else made
    if metric.type == "histogram":
        series.observe(0.1)
    elif metric.type == "counter":
        series.inc()
    else:
        series.set(1)
    text = generate_latest(registry).decode()
    exposed = f"{metric.name}_bucket" if metric.type == "histogram" else metric.name
    assert re.search(rf"^{exposed}[ {{]", text, re.MULTILINE)
