"""A slo.yaml that is wrong is refused with its line and a way to mend it; one that is right is read as it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import BadInput
from contract.slo import BoundObjective, EventObjective, read_slo, value_query
from ops.generate.rules import rules
from tests.contract.slo_file import LINES, told, written

ROOT = Path(__file__).parents[2]


def test_the_objective_that_is_off_can_be_switched_on(tmp_path: Path) -> None:
    """As the file says: by taking its `#` away."""
    text = (ROOT / "ops" / "slo.yaml").read_text()
    start = text.index("  # - name: slates_clicked")
    path = tmp_path / "slo.yaml"
    path.write_text(text[:start] + text[start:].replace("  # ", "  "))
    before, after = read_slo(ROOT / "ops" / "slo.yaml"), read_slo(path)
    assert after.objectives[:-1] == before.objectives
    clicked = after.objectives[-1]
    assert isinstance(clicked, BoundObjective)
    assert value_query(clicked, after.judged) == 'min(rec_slate_through{event="click"})'
    assert "SlatesClickedMiss" in rules(after)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    slo = read_slo(written(tmp_path))
    quick, fresh = slo.objectives
    assert isinstance(quick, EventObjective)
    assert isinstance(fresh, BoundObjective)
    assert (slo.budget, slo.window_of(quick), [rate.long for rate in slo.burn_rates]) == (
        2_592_000,
        2_592_000,
        [3600, 259_200],
    )
    assert (quick.percent, quick.good.within, quick.total.where) == (99, 0.5, {"stage": ("total",)})
    assert (fresh.at_most, fresh.severity, fresh.lasting) == (86_400, "page", 300)


def test_only_the_objectives_have_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text("\n".join(line for number, line in LINES.items() if number >= 6))
    slo = read_slo(path)
    assert [(rate.severity, rate.factor) for rate in slo.burn_rates] == [("page", 14.4), ("page", 6), ("ticket", 1)]
    assert slo.minimum_events == 30


def test_a_drill_may_use_seconds(tmp_path: Path) -> None:
    first = "{severity: page, factor: 14.4, long: 30s, short: 5s}"
    path = written(
        tmp_path, l1="budget: 10m", l2="evaluation: 1s\nretention: 1h", l4=f"  - {first}",
        l5="  - {severity: ticket, factor: 1, long: 2m, short: 20s}",
    )  # fmt: skip
    assert [(rate.long, rate.short) for rate in read_slo(path).burn_rates] == [(30, 5), (120, 20)]


def test_a_ticket_alone_needs_no_room_for_a_page(tmp_path: Path) -> None:
    """14.4 times 10 % are more than all events, so that it could never page."""
    with pytest.raises(BadInput, match=r":10: .*write more than 93\.06, or `severity: ticket`"):
        read_slo(written(tmp_path, l10="    percent: 90"))
    slo = read_slo(written(tmp_path, l10="    percent: 90\n    severity: ticket"))
    assert [rate.factor for rate in slo.burn_rates_of(slo.objectives[0])] == [1]


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"l1": "budget: [30d"}, 2, "no YAML"),
        ({"l1": "budget: 30"}, 1, "budget: 30 is no length of time: write it as 30s"),
        ({"l1": "budget: 0s"}, 1, "'0s' is no length of time"),
        ({"l1": "budget: 40d"}, 1, "40d is longer than what Prometheus keeps, 35d: shorten it, or raise `retention`"),
        ({"l1": "budget: 30d\nbudget: 20d"}, 2, "stands there twice: keep one"),
        ({"l1": "budgt: 30d"}, 1, "no such key: did you mean `budget`?"),
        ({"l1": "budget: 1d"}, 5, "3d is longer than a budget of 1d"),
        ({"l1": "budget: 30d\njudged: 45s"}, 2, "45s is shorter than two evaluations of 30s"),
        ({"l4": "  - {severity: page, factor: 14.4, long: 5m, short: 1h}"}, 4, "1h is not shorter than `long`, 5m"),
        ({"l4": "  - {severity: page, factor: 14.4, long: 36d, short: 5m}"}, 4, "36d is longer than what Prometheus"),
        ({"l4": "  - {severity: page, factor: 0, long: 1h, short: 5m}"}, 4, "0 is no burn rate"),
        ({"l5": "  - {severity: ticket, factor: 20, long: 3d, short: 6h}"}, 5, "a longer window wants a smaller"),
        ({"l5": "  - {severity: mail, factor: 1, long: 3d, short: 6h}"}, 5, "burn_rates.1.severity: "),
        ({"l4": "  - {severity: page, factor: 14.4, long: 1h}"}, 4, "lacks `short`: add it"),
        ({"l7": "  - name: Quick"}, 7, "objectives.0.name: "),
        ({"l8": "    kind: ratio"}, 7, "write `kind: events` or `kind: bound`"),
        ({"l10": "    percent: 100"}, 10, "100 leaves no budget"),
        ({"l10": "    percent: 100.5"}, 10, "100.5 leaves no budget"),
        ({"l10": "    percent: 0"}, 10, "0 promises nothing"),
        ({"l10": "    percent: .nan"}, 10, "objectives.0.percent: "),
        ({"l10": "    percent: true"}, 10, "objectives.0.percent: "),
        ({"l10": "    percent: 99\n    window: 40d"}, 11, "40d is longer than what Prometheus keeps"),
        ({"l11": "    total: {metric: rec_stage_seconds}"}, 11, "exposed by nobody"),
        ({"l11": "    total: {metric: rec_generation}"}, 11, "rec_generation is a gauge: name a counter or"),
        ({"l11": "    total: {metric: rec_level_total, within: 0.5}"}, 11, "is a counter, which has no buckets"),
        ({"l11": "    total: {metric: rec_stage_duration_seconds, where: {stag: x}}"}, 11, "no label 'stag'; there"),
        ({"l11": "    total: {metric: rec_level_total, where: {level: [full, ful]}}"}, 11, "has no level 'ful'; "),
        ({"l11": "    total: {metric: rec_shed_total, where: {reason: no_modle}}"}, 11, "has no reason 'no_modle'; "),
        ({"l11": "    total: {metric: rec_stage_duration_seconds, where: {stage: []}}"}, 11, "total.where.stage: "),
        ({"l13": "      metrics: rec_stage_duration_seconds"}, 13, "did you mean `metric`?"),
        ({"l12": "    good: {metric: rec_level_total}\n    bad:"}, 7, "needs either `good` or `bad`"),
        ({"l15": "      within: 0.4"}, 15, "0.4 is no bucket edge of rec_stage_duration_seconds: use 0.3 or 0.5"),
        ({"l15": "      within: 99"}, 15, "99 is no bucket edge of rec_stage_duration_seconds: use 5"),
        ({"l16": "  - name: quick"}, 16, "there is another quick: choose another name"),
        ({"l19": "    gauge: rec_level_total"}, 19, "rec_level_total is a counter: name a gauge"),
        ({"l19": "    gauge: rec_candidate_age"}, 19, "did you mean rec_candidates_age_seconds?"),
        ({"l20": "    at_most: 1\n    at_least: 1"}, 16, "needs either `at_most` or `at_least`"),
        ({"l20": "    at_most: soon"}, 20, "objectives.1.at_most: "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    tmp_path: Path, changed: dict[str, str], line: int, said: str
) -> None:
    path = written(tmp_path, **changed)
    lines = told(path)
    assert any(one.startswith(f"{path}:{line}: ") and said in one for one in lines), lines


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, l10="    percent: 100", l15="      within: 0.4", l19="    gauge: nobody")
    assert [line.split(":")[1] for line in told(path)] == ["10", "15", "19"]


@pytest.mark.parametrize(
    "text", ["", "- a", "objectives: []", "objectives: 3", "a: 2011-13-45", "&a [*a]", "a: &a {b: *a}", "? [x]\n: 1"]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=str(path)):
        read_slo(path)


@given(st.text(max_size=60) | st.text(alphabet="abc: []{}-\n&*!'\"#|>?", max_size=60))
def test_any_text_is_read_or_refused_with_the_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any_slo.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(BadInput, match=r"any_slo\.yaml"):
        read_slo(path)


def test_a_file_that_is_no_text_or_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("slo.yaml", "other.yaml"):
        with pytest.raises(BadInput, match=name):
            read_slo(tmp_path / name)


def test_the_committed_objectives_cover_what_users_notice() -> None:
    slo = read_slo(ROOT / "ops" / "slo.yaml")
    assert {objective.name for objective in slo.objectives} >= {
        "recommend_latency", "model_latency", "level_full", "recommend_availability", "generation_fresh",
        "night_on_time", "ranking_quality",
    }  # fmt: skip
