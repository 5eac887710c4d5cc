"""The registry and what a quota may be."""

import pytest

from contract.errors import BadInput
from jobs.candidates.sources import SOURCES, weighted_sources


def test_names_are_columns_of_their_own() -> None:
    names = [source.name for source in SOURCES]
    assert len(set(names)) == len(names) <= 255  # a source is one byte in the store


def test_quotas_weigh_and_leave_out() -> None:
    chosen = {source.name: weight for source, weight in weighted_sources({"als": 0.5, "content": 0}, repeats=True)}
    assert chosen == {"covisitation": 2.0, "als": 0.5, "repeat": 1.4, "popularity": 0.2}


def test_where_nothing_is_chosen_twice_repeats_take_no_part() -> None:
    assert [source.name for source, _ in weighted_sources({}, repeats=False)] == [
        source.name for source in SOURCES if source.name != "repeat"
    ]


@pytest.mark.parametrize(
    ("quotas", "reason"),
    [
        ({"asl": 1.0}, "no source 'asl'; the sources are covisitation, als"),
        ({"als": -1.0}, "'als' has weight -1.0"),
        ({source.name: 0.0 for source in SOURCES}, "every source has weight 0"),
    ],
)
def test_quotas_that_mean_nothing_are_refused(quotas: dict[str, float], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        weighted_sources(quotas, repeats=True)


def test_sources_propose_what_they_declare(make_inputs, read_lists) -> None:
    choices = [("s", "ann", "a", 0), ("s", "ann", "b", 0), ("t", "bob", "a", 0), ("t", "bob", "c", 0)]
    items = {"a": "toys", "b": "toys", "c": "home"}
    inputs = make_inputs(choices, items, vectors={"a": (1, 0), "b": (0.8, 0.6), "c": (0.6, 0.8)})
    for source in SOURCES:
        found = read_lists(inputs, source.lists(inputs))
        assert {kind for kind, _ in found} == set(source.proposes), source.name
