"""/monitor in a real browser: what it shows is what /monitor.json says, for every reader."""

import re
from typing import Any

import pytest

from contract.store.publisher import set_model
from tests.browser import Page
from tests.online.gateway.opened_page import LEVELS, PARTS, QUANTILES, opened
from tests.online.stack import Traffic, running_stack
from tests.online.toy import publish, until, write_model

# Every cell that the page says is a figure of a window, and what is written there.
CELLS = """[...document.querySelectorAll("[data-figure]")].map((cell) => ({
  window: cell.dataset.window ?? document.querySelector("[name=window]:checked").value,
  path: cell.dataset.figure, as: cell.dataset.as, of: cell.dataset.of, text: cell.textContent}))"""
# What moved, beyond what a reader did, and by how much.
SHIFTS = """window.shifts = []; new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) for (const {node, previousRect, currentRect} of shift.sources)
    window.shifts.push([node?.outerHTML ?? node?.textContent, previousRect.toJSON(), currentRect.toJSON()]);
  }).observe({type: "layout-shift"})"""


# Of every time that is written under a chart from now on: the chart, where it ends, and how wide the canvas is.
NOTE_LABELS = """window.labels = []; {
  const drawing = CanvasRenderingContext2D.prototype;
  window.plainly ??= drawing.fillText;
  drawing.fillText = function (text, x, y) {
    if (/^\\d\\d:\\d\\d$/.test(text)) labels.push({chart: this.canvas.closest("[id]").id,
      end: x + this.measureText(text).width / 2, width: this.canvas.width});
    return plainly.call(this, text, x, y);
  }; }"""
THREE_FRAMES = "(async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); })()"


def number(text: str) -> float | None:
    return None if text == "–" else float(re.sub(r"[,%×]", "", text))


def told(report: dict[str, Any], cell: dict[str, str]) -> float | None:
    """The figure that the cell should show."""
    window = report["windows"][cell["window"]]
    value: Any = window
    for key in cell["path"].split("."):
        value = value.get(key) if value is not None else None
    if cell["as"] in ("counted", "share") and window["answers"]:
        value = value or 0
    if cell["as"] == "share":
        return value / window[cell["of"]] * 100 if window[cell["of"]] else None
    return value * 100 if cell["as"] == "percent" and value is not None else value


def wrong_cells(page: Page, report: dict[str, Any]) -> list[Any]:
    tolerance = {"count": 0, "counted": 0, "rate": 0.501}
    wrong = []
    for cell in page.evaluate(CELLS):
        if cell["as"] in ("ms", "ms1", "rate", "share", "percent", "count", "counted"):
            seen, wanted = number(cell["text"]), told(report, cell)
            allowed = rounded_by(wanted or 0) if cell["as"] == "ms" else tolerance.get(cell["as"], 0.0501)
            if seen != wanted and (None in (seen, wanted) or abs(seen - wanted) > allowed):
                wrong.append((cell, wanted))
    return wrong


def rounded_by(milliseconds: float) -> float:
    """At most so much."""
    return 0.00501 if milliseconds < 100 else 0.0501 if milliseconds < 1000 else 0.501


def test_the_figures_are_those_of_the_json_under_traffic(browser, stack) -> None:
    with Traffic(stack, ("user_id=ann&item_id=cup", "item_id=lamp", "user_id=stranger")) as traffic:
        traffic.until_answers(200)
        page = opened(browser, stack)
        # Between an answer from the server and the next drawing of the page the two may differ.
        until(lambda: not wrong_cells(page, page.last_body("/monitor.json")), "the page shows the newest report")

    cells = page.evaluate(CELLS)
    assert len(cells) > 70
    report = page.last_body("/monitor.json")
    assert report["windows"]["5m"]["answers"] >= 200
    assert page.evaluate("document.querySelector('[data-report=model_version]').textContent") == "m1"
    assert page.evaluate("document.querySelector('[data-report=store]').textContent") == "ok"
    share = report["windows"]["5m"]["bottleneck"]["share"]
    assert re.match(r"\w+, [\d.]+ % of the time", page.evaluate("document.querySelector('.bottleneck b').textContent"))
    assert 0 < share <= 1
    reasons = page.evaluate("[...document.querySelectorAll('#reasons tr')].map((row) => row.cells[0].textContent)")
    assert reasons == ["unknown_user"]
    verdicts = page.evaluate("[...document.querySelectorAll('#objectives tr')].map((row) => row.cells[4].textContent)")
    assert verdicts == [objective["verdict"] for objective in report["windows"]["5m"]["objectives"]]


def test_the_table_has_every_number_of_the_charts(browser, stack) -> None:
    page = opened(browser, stack)
    page.evaluate("document.querySelector('summary').click()")

    def same() -> bool:
        series = page.last_body("/monitor.json")["series"]
        columns = [*(series["parts_ms"][part] for part in PARTS), series["t_total_ms"]]
        columns += [series["quantiles_ms"][quantile] for quantile in QUANTILES]
        columns += [*(series["levels_per_second"][level] for level in LEVELS), series["answers_per_second"]]
        wanted = [list(row) for row in zip(*columns, strict=True)][::-1]
        rows = page.evaluate(
            "[...document.getElementById('points').rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        seen = [[number(text) for text in row[1:]] for row in rows]
        return len(wanted) > 0 and seen == [[_about(value) for value in row] for row in wanted]

    until(same, "the table shows the newest series")


def test_a_time_is_as_wide_as_99_99_at_most(browser, stack) -> None:
    page = opened(browser, stack)

    times = "[null, 0.004, 99.98, 123.46, 1234.6]"
    shown = page.evaluate(f"import('./monitor/format.js').then(({{milliseconds}}) => {times}.map(milliseconds))")
    assert shown == ["–", "0.00", "99.98", "123.5", "1,235"]


def test_every_chart_tells_the_time_in_both_themes_and_no_label_is_cut(browser, stack) -> None:
    page = opened(browser, stack)
    for theme in ("dark", "light"):
        page.evaluate(NOTE_LABELS)
        page.prefer(theme)  # the charts are made anew
        page.evaluate(THREE_FRAMES)  # not the next figures
        assert page.evaluate("new Set(labels.map((label) => label.chart)).size") == 3
        assert page.evaluate("labels.filter((label) => label.end > label.width)") == []


def test_a_server_that_went_is_told_and_the_figures_stay_with_their_age(browser, tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            stack.ask()
            page = opened(browser, stack)
            page.until("document.querySelector('[data-figure=answers]').textContent === '1'", "the answer is shown")

        page.until("document.body.dataset.state === 'silent'", "it is seen that the server is gone")
        said = page.evaluate("document.querySelector('.state').textContent")
        assert re.fullmatch(r"No answer since \d\d:\d\d:\d\d; figures of \d\d:\d\d:\d\d, .+ old", said)
        assert page.evaluate("document.getElementById('announcement').textContent").startswith("No answer. since")
        assert page.evaluate("document.querySelector('[data-figure=answers]').textContent") == "1"

        with stack.gateway():
            page.until("document.body.dataset.state === 'live'", "it is seen that the server is back")


def test_without_traffic_it_says_so_and_shows_no_zero(browser, tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            page = opened(browser, stack)

            assert "no answers in the last" in page.evaluate("document.querySelector('.bottleneck').textContent")
            shown = [cell for cell in page.evaluate(CELLS) if cell["as"] in ("ms", "ms1", "share", "percent", "rate")]
            assert {cell["text"] for cell in shown} == {"–"}
            assert page.evaluate("[...document.querySelectorAll('.empty')].every((note) => !note.hidden)")
            assert (
                page.evaluate("document.querySelector('[data-report=model_version]').textContent") == "none is promoted"
            )


def test_objectives_that_cannot_be_read_are_told_with_the_reason(browser, tmp_path) -> None:
    with running_stack(tmp_path, PACE_MONITORING__OBJECTIVES="no-such.yaml") as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            page = opened(browser, stack)

            note = page.evaluate("document.getElementById('objectives-unknown').innerText")
            assert note.startswith("No objectives are known here: no-such.yaml")


def test_markup_in_names_is_text(browser, tmp_path) -> None:
    version = "<img src=x onerror=alert(1)>"
    objectives = tmp_path / "slo.yaml"
    objectives.write_text(
        "objectives:\n  - {name: fresh, kind: bound, description: '<b>bold</b> & new',"
        " gauge: rec_candidates_age_seconds, at_most: 60, unit: '<i>s</i>'}\n"
    )
    with running_stack(tmp_path / "models", PACE_MONITORING__OBJECTIVES=str(objectives)) as stack:
        publish(stack.client, stack.keys)
        write_model(stack.models, version)
        set_model(stack.client, stack.keys, version)
        with stack.ranker(), stack.gateway():
            until(lambda: "serves" in stack.page("/readyz")[1]["ranker"], "the ranker serves")
            page = opened(browser, stack)

            assert page.evaluate("document.querySelector('[data-report=model_version]').textContent") == version
            assert page.evaluate("document.querySelector('[data-report=ranker]').textContent") == f"serves {version}"
            assert page.evaluate("document.querySelector('#objectives th').textContent") == "<b>bold</b> & new"
            assert page.evaluate("document.querySelectorAll('main img, #objectives b, #objectives i').length") == 0
            assert page.complaints() == []


def test_nothing_comes_from_elsewhere_and_nothing_moves(browser, stack) -> None:
    page = opened(browser, stack)
    page.evaluate("requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = true; }))")
    page.until("window.painted", "the first figures have found their places")
    page.evaluate(SHIFTS)
    with Traffic(stack):
        asked = len(page.requests())
        until(lambda: len(page.requests()) >= asked + 2, "two refreshes")

    assert page.evaluate("window.shifts") == []
    assert {url.split("/", 3)[2] for url in page.requests()} == {f"127.0.0.1:{stack.port}"}
    assert page.complaints() == []


def test_a_page_asks_nothing_while_it_is_not_seen(browser, stack) -> None:
    page = opened(browser, stack)
    other = opened(browser, stack)  # comes to the front
    asked, refreshed = len(page.requests()), len(other.requests())
    until(lambda: len(other.requests()) >= refreshed + 2, "a page that is seen asks again")
    assert len(page.requests()) == asked

    page.send("Page.bringToFront")
    until(lambda: len(page.requests()) > asked, "it is seen again and asks")


def test_a_page_asks_nothing_while_it_is_paused(browser, stack) -> None:
    page = opened(browser, stack)
    page.evaluate("document.getElementById('pause').click()")
    page.until("document.body.dataset.state === 'paused'", "it is paused")
    assert page.evaluate("document.getElementById('pause').textContent") == "Resume"
    asked = len(page.requests())
    other = opened(browser, stack)
    refreshed = len(other.requests())
    until(lambda: len(other.requests()) > refreshed, "a refresh is due")
    page.send("Page.bringToFront")
    page.until("document.getElementById('freshness').textContent.endsWith('old')", "it tells the age of its figures")
    assert len(page.requests()) == asked

    page.evaluate("document.getElementById('pause').click()")
    until(lambda: len(page.requests()) > asked, "it goes on")


def _about(value: float | None) -> Any:
    """As far as the page shows it; a step without answers has no times."""
    return None if value is None else pytest.approx(value, abs=0.0501, rel=0.005)
