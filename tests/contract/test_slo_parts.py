"""Good events are a part of all events: otherwise an objective could never be missed, or would count what is none."""

from pathlib import Path

import pytest

from contract.slo import read_slo
from tests.contract.slo_file import told, written

LEVEL = "{metric: rec_level_total}"
CALLS = "metric: rec_request_duration_seconds"


def file(folder: Path, total: str, good: str) -> Path:
    return written(folder, l11=f"    total: {total}", l12=f"    good: {good}", l13="", l14="", l15="")


@pytest.mark.parametrize(
    ("total", "good"),
    [
        (LEVEL, LEVEL),
        # All there are.
        (LEVEL, "{metric: rec_level_total, where: {level: [full, fast, precomputed, popular]}}"),
        ("{metric: rec_level_total, where: {level: full}}", LEVEL),
        (f"{{{CALLS}, where: {{level: [fast, full]}}}}", f"{{{CALLS}, where: {{level: [full, fast]}}}}"),
        (f"{{{CALLS}, within: 0.5}}", f"{{{CALLS}, within: 0.5}}"),
        (f"{{{CALLS}, within: 0.5}}", f"{{{CALLS}, within: 1}}"),
        (f"{{{CALLS}, where: {{outcome: ok}}, within: 0.5}}", f"{{{CALLS}}}"),
    ],
)  # fmt: skip
def test_what_can_never_be_missed_is_refused(tmp_path: Path, total: str, good: str) -> None:
    path = file(tmp_path, total, good)
    never = "objectives.0.good: counts all that `total` counts, so that nothing could ever miss it: narrow it"
    assert any(line.startswith(f"{path}:12: {never}") for line in told(path)), told(path)


@pytest.mark.parametrize(
    ("total", "good", "said"),
    [
        (f"{{{CALLS}, where: {{outcome: ok}}}}", f"{{{CALLS}, within: 0.5}}", "write `outcome` there as in `total`"),
        (
            f"{{{CALLS}, where: {{outcome: ok}}}}",
            f"{{{CALLS}, where: {{outcome: [ok, error]}}, within: 0.5}}",
            "write `outcome` there as in `total`",
        ),
        (f"{{{CALLS}, within: 0.5}}", f"{{{CALLS}, where: {{outcome: ok}}}}", "write `within` there, 0.5 or less"),
    ],
)
def test_what_counts_other_events_than_the_total_is_refused(tmp_path: Path, total: str, good: str, said: str) -> None:
    path = file(tmp_path, total, good)
    (only,) = told(path)
    assert only.startswith(f"{path}:12: objectives.0.good: counts events that `total` does not: ")
    assert said in only


def test_good_events_are_of_the_metric_of_all_events(tmp_path: Path) -> None:
    path = file(tmp_path, LEVEL, f"{{{CALLS}}}")
    (only,) = told(path)
    assert only == (
        f"{path}:12: objectives.0.good.metric: rec_request_duration_seconds counts other events than `total`: "
        "name rec_level_total"
    )


@pytest.mark.parametrize(
    ("total", "good"),
    [
        (LEVEL, "{metric: rec_level_total, where: {level: full}}"),
        (f"{{{CALLS}}}", f"{{{CALLS}, within: 0.5}}"),
        # There is one route: who does not name it means it too.
        (f"{{{CALLS}, where: {{route: /recommend}}}}", f"{{{CALLS}, within: 0.5}}"),
        (f"{{{CALLS}, where: {{instance: a}}}}", f"{{{CALLS}, where: {{instance: a, outcome: ok}}}}"),
    ],
)
def test_a_part_is_taken(tmp_path: Path, total: str, good: str) -> None:
    read_slo(file(tmp_path, total, good))
