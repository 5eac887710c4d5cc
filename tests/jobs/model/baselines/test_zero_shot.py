"""Candidates by the likeness of their texts, with an embedding that knows colours alone."""

from collections.abc import Sequence

import numpy as np

from contract.codec import CandidateList
from jobs.model.baselines.zero_shot import zero_shot
from jobs.model.dataset import Query
from tests.colour_shop import CATALOGUE, SOURCES
from tests.scenarios import SAMPLE

COLOURS = sorted({item_id.split("-")[0] for item_id in CATALOGUE})


def by_colour(texts: Sequence[str]) -> np.ndarray:
    assert len(set(texts)) == len(texts)  # each once
    rows = np.array([[float(colour in text.lower()) for colour in COLOURS] for text in texts], np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


def asked(id: str, context: Sequence[str], candidates: Sequence[str]) -> Query:
    listed = CandidateList.of(((item, 0, (0.0, 0.0)) for item in candidates), 2)
    return Query(id, None, tuple(CATALOGUE[item] for item in context), frozenset(), listed, CATALOGUE, SOURCES)


def test_what_reads_alike_comes_first_and_ties_stay_as_they_stood() -> None:
    one, other = COLOURS[:2]
    of_one = [item for item in CATALOGUE if item.startswith(f"{one}-")]
    of_other = [item for item in CATALOGUE if item.startswith(f"{other}-")]
    found = zero_shot(
        by_colour,
        [
            asked("q", [of_one[0]], [of_other[0], of_one[1], of_other[1], of_one[2]]),
            asked("unknown", [of_one[0]], ["gone", of_one[1]]),
            asked("nothing", [of_one[0]], []),
        ],
        SAMPLE.text,
    )
    assert found == {"q": (of_one[1], of_one[2], of_other[0], of_other[1]), "unknown": (of_one[1], "gone")}
