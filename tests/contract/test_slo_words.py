"""Mistakes are told in the words of the file: lists, texts and numbers, never the types of Python."""

from pathlib import Path

import pytest

from contract.slo import BoundObjective, read_slo
from tests.contract.slo_file import told, written


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"l3": "burn_rates: {a: 1}\nxs:"}, 3, "burn_rates: is a mapping: write a list, each entry behind a `-`"),
        ({"l3": "burn_rates: []", "l4": "", "l5": ""}, 3, "burn_rates: there is none: add one, or leave `burn_rates`"),
        ({"l3": "burn_rates:\nxs:"}, 3, "burn_rates: is empty: write a list, each entry behind a `-`"),
        ({"l1": "targets: 3"}, 1, "targets: is 3: write keys below it; known are gateway, ranker"),
        ({"l1": "notify:"}, 1, "notify: is empty: write keys below it; known are smarthost, "),
        ({"l1": "notify: {require_tls: 7}"}, 1, "notify.require_tls: is 7: write true or false"),
        ({"l1": "minimum_events: 0"}, 1, "minimum_events: is 0: write 1 or more"),
        ({"l1": "minimum_events: 1.5"}, 1, "minimum_events: is 1.5: write a whole number"),
        ({"l1": "1: 2"}, 1, "no such key: known are service, "),
        ({"l5": "  - {severity: mail, factor: 1, long: 3d, short: 6h}"}, 5, "is 'mail': write 'page' or 'ticket'"),
        ({"l7": "  - name: Quick"}, 7, "is 'Quick': write small letters, digits and _, a letter first"),
        ({"l7": f"  - name: {'q' * 61}"}, 7, "has more than 60 characters: shorten it"),
        ({"l9": "    description: 3"}, 9, "is 3: write a text, in quotes"),
        ({"l9": "    description: 2001-12-31"}, 9, "is 2001-12-31: write a text, in quotes"),
        ({"l9": "    description: [a]"}, 9, "is a list: write a text, in quotes"),
        ({"l10": "    percent: true"}, 10, "is true: write a number"),
        ({"l10": "    percent: .inf"}, 10, "is inf: write a number"),
        ({"l10": "    percent: 1e999"}, 10, "is '1e999': write a number"),
        ({"l11": "    total: {metric: rec_level_total, where: [full]}"}, 11, "where: is a list: write keys below it"),
        ({"l11": "    total: {metric: rec_level_total, where: {level: 1}}"}, 11, "is 1: write a text, or a list of"),
        ({"l11": "    total: {metric: rec_level_total, where: {level: [1]}}"}, 11, "is 1: write a text, in quotes"),
        ({"l11": "    total: {metric: rec_level_total, where: {1: full}}"}, 11, "where.1: is 1: write a text, in"),
        ({"l11": "    total: {metric: rec_level_total, where: {level: []}}"}, 11, "is an empty list: name at least"),
        ({"l20": "    at_most: soon"}, 20, "is 'soon': write a number"),
        ({"l20": f"    at_most: {'9' * 400}"}, 20, "is a number of more than 60 digits: write a number"),
    ],
)  # fmt: skip
def test_it_is_told_what_to_write(tmp_path: Path, changed: dict[str, str], line: int, said: str) -> None:
    path = written(tmp_path, **changed)
    lines = told(path)
    assert any(one.startswith(f"{path}:{line}: ") and said in one for one in lines), lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("objectives: {a: 1}", "objectives: is a mapping: write a list, each entry behind a `-`"),
        ("objectives: []", "objectives: there is none: add one"),
        ("objectives: [3]", "objectives.0: is 3: write keys below it; known are kind, name, "),
    ],
)
def test_the_objectives_are_a_list_of_at_least_one(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(text)
    (only,) = told(path)
    assert only.startswith(f"{path}:1: {said}")


@pytest.mark.parametrize(("text", "value"), [("1e6", 1e6), ("1.5e6", 1.5e6), ("-2E-3", -0.002), ("1.0e+6", 1e6)])
def test_a_number_may_have_an_exponent(tmp_path: Path, text: str, value: float) -> None:
    """YAML 1.1 takes the last one alone for a number."""
    objective = read_slo(written(tmp_path, l20=f"    at_most: {text}")).objectives[1]
    assert isinstance(objective, BoundObjective)
    assert objective.at_most == value
