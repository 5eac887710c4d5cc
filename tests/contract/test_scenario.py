"""A scenario's file says everything, and what does not hold is named with what is allowed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.errors import BadInput
from contract.scenario import read_scenario
from tests.scenarios import SAMPLE


def written(tmp_path: Path, **changes: Any) -> Path:
    """The sample's file with other values; `a__b` is the field b of the section a, and None takes a field away."""
    given = SAMPLE.model_dump(mode="json")
    for name, value in changes.items():
        *sections, field = name.split("__")
        place = given
        for section in sections:
            place = place[section]
        if value is None:
            del place[field]
        else:
            place[field] = value
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump(given))
    return path


def test_the_file_is_read_as_it_stands(tmp_path: Path) -> None:
    assert read_scenario(written(tmp_path)) == SAMPLE
    found = read_scenario(written(tmp_path, task="next_visit", text__item=["title", {"part": "text", "characters": 9}]))
    assert found.task == "next_visit"
    assert [(part.part, part.characters) for part in found.text.item] == [("title", None), ("text", 9)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "guess"}, "task: Input should be 'basket' or 'next_visit' (is 'guess')"),
        ({"task": None}, "task: Field required"),
        ({"users": None}, "users: Field required"),
        ({"session": {}}, "no field 'session'; there are task, users, repeats, sessions, positive,"),
        ({"sessions": 5}, "sessions: wants rule, gap_seconds, each with its value"),
        ({"sessions__rule": "gap"}, "sessions.rule: Input should be 'given' or 'silence' (is 'gap')"),
        ({"sessions__gap_seconds": 0}, "sessions.gap_seconds: Input should be greater than or equal to 1 (is 0)"),
        ({"positive__types": []}, "positive.types: Tuple should have at least 1 item"),
        ({"positive__types": ["buy"]}, "positive: types: no event type 'buy' can be positive; there are view, click,"),
        ({"positive__types": ["impression"]}, "no event type 'impression' can be positive"),
        ({"positive__rating_from": None}, "positive: rating_from: say from which value on a rating is positive"),
        ({"text__item": []}, "text.item: Tuple should have at least 1 item"),
        ({"text__item": ["name"]}, "text.item.0.part: no part 'name'; there are title, categories, text, and attrib"),
        ({"text__item": ["attributes."]}, "text.item.0.part: no part 'attributes.'"),
        ({"text__item": [{"part": "text", "words": 3}]}, "text.item.0: no field 'words'; there are part, characters"),
        ({"text__query__order": ["context", "context"]}, "text.query.order: name context and history once each"),
        ({"text__query__order": ["past"]}, "text.query.order.0: Input should be 'context' or 'history'"),
        ({"users": False, "task": "next_visit"}, "task: next_visit asks what a user comes back for"),
    ],
)
def test_what_does_not_hold_is_named_with_what_is_allowed(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(BadInput) as refused:
        read_scenario(path)
    assert str(refused.value).startswith(f"scenario {path}: ")
    assert said in str(refused.value)


def test_everything_that_does_not_hold_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"task: .*sessions\.gap_seconds: "):
        read_scenario(written(tmp_path, task="guess", sessions__gap_seconds=0))


@pytest.mark.parametrize("text", ["", "- a list", "task: [unclosed", "just words"])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(BadInput, match=r"scenario .*scenario\.yaml: "):
        read_scenario(tmp_path / "scenario.yaml")


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.yaml \(in .*\): No such file .*; PACE_NIGHT__SCENARIO names the file"):
        read_scenario(tmp_path / "none.yaml")


def test_a_scenario_does_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SAMPLE.positive.types = ("view",)  # type: ignore[misc]
