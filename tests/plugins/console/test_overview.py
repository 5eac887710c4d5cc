"""The page in the navigation: what the sources say stands there, the same as JSON, and text stays text."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from contract.keys import Keys
from contract.store.publisher import set_model
from tests.plugins.console.conftest import Console
from tests.plugins.console.sources import FRESH, LATENCY, write_generation, write_model, write_verdicts

MARKUP = '<script>alert("x")</script>\'"><img src=x onerror=alert(1)>'


def text_of(html: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_everything_that_is_there_is_shown(console: Console, client: Any) -> None:
    console.write_all(client, "OOMM")
    text = text_of(console.html())

    assert "1 of 3 missed" in text
    assert f"MISS {LATENCY} half of the calls <within> half a second 0.4 < 0.5 Missed since" in text
    assert "promised at least 50 % measured 40 % budget left 25.0 % of that for 30d judged 5 min ago" in text
    assert f"OK {FRESH} The generation is fresh 51234 s <= 129600 s" in text
    assert "Live generation 1 for 2011-12-09" in text
    assert f"Live model {console.model} NDCG@10 on its validation period 0.1612" in text
    assert f"{console.model} live" in text
    assert "fast 1.2 % (text alone 3.5 %) admitted open" in text
    assert "Alerts that fire page RankerMissing for" in text
    assert "ticket TargetDown <b>ranker</b> for" in text
    assert "Watchdog" not in text
    assert "Nothing from" not in text


def test_its_links_lead_somewhere(console: Console, client: Any) -> None:
    console.write_all(client)
    links = set(re.findall(r'href="([^"]+)"', console.html()))
    ours = {link for link in links if link.startswith("/pacesetter/")}
    assert {
        "/pacesetter/data-docs/index.html",
        f"/pacesetter/evaluations/{console.model}.html",
        f"/pacesetter/evaluations/{console.model}.gate.json",
        "/pacesetter/index.json",
    } <= ours
    for link in ours:
        assert console.get(link.removeprefix("/pacesetter")).status_code == 200, link
    assert {"/dags/sla_check", "/dags/reranker_weekly", "/dags/sla_check/runs/run%203"} <= links
    assert "http://127.0.0.1:8000/monitor" in links


def test_the_json_says_the_same(console: Console, client: Any) -> None:
    console.write_all(client, "MMU")
    page = console.json()
    latency = page["objectives"][0]
    assert (latency["name"], latency["verdict"], latency["budget_left"]) == (LATENCY, "UNKNOWN", 0.25)
    assert latency["missed_since"] is not None
    assert [one["name"] for one in page["objectives"]] == [LATENCY, FRESH, "(prometheus)"]
    assert (page["live"]["generation"], page["live"]["model"]) == (1, console.model)
    assert [(one["name"], one["severity"]) for one in page["alerts"]] == [
        ("RankerMissing", "page"),
        ("TargetDown", "ticket"),
    ]
    assert page["model"]["levels"] == [{"level": "fast", "final": 0.0123, "text": 0.0345}]
    assert page["troubles"] == []


def test_before_the_first_night_it_says_what_comes_first(console: Console, client: Any) -> None:
    text = text_of(console.html())
    assert "Nothing is judged yet" in text
    assert text.count("not judged") == 2
    assert "Live generation none yet" in text
    assert "Live model none: candidates are served in their own order" in text
    assert "Models None yet: reranker_weekly makes them" in text
    assert "Data Docs: none yet" in text
    assert "3 of 3" not in text
    assert "kept" not in text


def test_old_verdicts_speak_of_no_now(console: Console, client: Any) -> None:
    write_verdicts(console.lake, console.slo, "OO", console.now - timedelta(hours=3))
    text = text_of(console.html())
    assert "Verdicts are old Some are of more than 45 min ago" in text
    assert "3 of 3 unknown judged" in text
    assert f"OK, old {LATENCY}" in text


def test_a_model_that_the_gate_refused_is_told_with_the_reason(console: Console, client: Any) -> None:
    live = write_model(console.models, console.now - timedelta(days=7))
    newer = write_model(console.models, console.now, admitted=False)
    write_generation(client, Keys("test"), live)
    page = console.json()
    assert [model["version"] for model in page["models"]] == [newer, live]
    assert page["model"]["version"] == live
    assert "refused worse than the live model" in text_of(console.html())


def test_a_damaged_manifest_is_named_beside_the_others(console: Console, client: Any) -> None:
    sound, broken = (write_model(console.models, console.now - timedelta(days=days)) for days in (0, 1))
    (console.models / broken / "manifest.json").write_text('{"created_at": ')
    page = console.json()
    assert [model["version"] for model in page["models"]] == [sound, broken]
    assert f"{broken}/manifest.json: " in page["models"][1]["broken"]
    assert page["troubles"] == []


def test_what_people_and_files_say_is_text(console: Console, client: Any) -> None:
    console.slo.write_text(console.slo.read_text().replace("The generation is fresh", json.dumps(MARKUP)))
    write_verdicts(console.lake, console.slo, "M", console.now, why=MARKUP, shown=MARKUP)
    write_generation(client, Keys("test"))
    set_model(client, Keys("test"), MARKUP)
    html = console.html()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<b>ranker" not in html
    assert text_of(html).count("alert(") >= 4 * 2  # it is told, all the same: in each of the four places


@pytest.mark.parametrize("place", ["javascript:alert(1)", "docs/runbook"])
def test_what_is_no_web_address_is_no_link(console: Console, client: Any, place: str) -> None:
    write_verdicts(console.lake, console.slo, "M", console.now)
    object.__setattr__(console.settings.monitoring, "runbook_url", place)
    html = console.html()
    assert f"<code>{place}/RecommendLatencyBurn.md</code>" in unescape(html)
    assert "javascript:" not in "".join(re.findall(r'href="[^"]*"', html))
