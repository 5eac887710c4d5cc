"""Verdicts: a number within the bound is OK, above it a MISS, and no number is UNKNOWN."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import BadInput
from contract.slo import Objective, Verdict, judge, read_objectives

P99 = Objective(name="p99", description="Quick", query="up", at_most=0.5, unit="s")
ENTRY = "- {name: p99, description: Quick, query: up, at_most: 0.5, unit: s}"


def test_the_bound_itself_is_within() -> None:
    assert judge(P99, 0.5).verdict is Verdict.OK
    assert judge(P99, math.nextafter(0.5, 1)).verdict is Verdict.MISS


@given(st.floats(allow_nan=False))
def test_any_number_is_ok_or_a_miss(value: float) -> None:
    judgement = judge(P99, value)
    assert judgement.verdict is (Verdict.OK if value <= 0.5 else Verdict.MISS)
    assert judgement.value == value
    assert "0.5 s" in judgement.why


@pytest.mark.parametrize("value", [None, math.nan])
def test_no_data_is_unknown_and_says_why(value: float | None) -> None:
    judgement = judge(P99, value, "Prometheus does not answer")
    assert (judgement.verdict, judgement.value) == (Verdict.UNKNOWN, None)
    assert judgement.why == "Prometheus does not answer"
    assert judge(P99, value).why == "no data"


def test_objectives_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(f"objectives:\n{ENTRY}\n{ENTRY.replace('p99', 'p50')}\n")
    assert [objective.name for objective in read_objectives(file)] == ["p99", "p50"]
    assert read_objectives(file)[0] == P99


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "slo.yaml"),
        ("objectives: []", "objectives"),
        ("objectives: [", "slo.yaml"),
        ("- a\n- b", "slo.yaml"),
        (f"objectives:\n{ENTRY}\n{ENTRY.replace('at_most', 'at_least')}", r"objectives\.1\.at_"),
        (f"objectives:\n{ENTRY.replace('0.5', 'quick')}", r"objectives\.0\.at_most"),
        (f"objectives:\n{ENTRY.replace('0.5', '.nan')}", r"objectives\.0\.at_most"),
        (f"objectives:\n{ENTRY.replace('p99', 'P 99')}", r"objectives\.0\.name"),
        # Two of one name would overwrite each other's alert.
        (f"objectives:\n{ENTRY}\n{ENTRY}", "p99"),
        ("more: 1\nobjectives:\n" + ENTRY, "more"),
    ],
)
def test_a_bad_file_is_named_with_the_entry(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=named) as raised:
        read_objectives(file)
    assert str(file) in str(raised.value)


def test_a_file_that_is_no_text_or_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("slo.yaml", "other.yaml"):
        with pytest.raises(BadInput, match=name):
            read_objectives(tmp_path / name)
