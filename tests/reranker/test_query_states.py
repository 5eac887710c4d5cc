"""Keys and values of queries on a shelf that processes share: found by the next one, and read anew where damaged."""

from pathlib import Path

import numpy as np
import pytest
import torch

from contract.errors import CorruptValue
from reranker.artifact import read_artifact
from reranker.encoding import TextEncoder
from reranker.layers import Attended
from reranker.loading import build_reranker
from reranker.prepared import PreparedQuery
from reranker.query_states import answers_key, packed, unpacked
from reranker.scoring import Reranker
from tests.colour_shop import query
from tests.damage import damaged
from tests.split_model import export_split

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def student(base: Path, encoder: TextEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_split(tmp_path_factory.mktemp("split"), base, encoder)


def sharing(student: Path, shelf: dict[bytes, bytes], half: torch.dtype | None = None) -> Reranker:
    class Shelf:
        def get(self, key: bytes) -> bytes | None:
            return shelf.get(key)

        def put(self, key: bytes, value: bytes) -> None:
            shelf[key] = value

    model = build_reranker(read_artifact(student), CPU, half)
    model.share_queries(Shelf())
    return model


def prepared(model: Reranker, number: int = 3) -> PreparedQuery:
    found = query(number)
    return model.prepare(found.user, found.context, found.candidates, found.items, found.sources)


def outcomes(model: Reranker) -> dict[str, int]:
    return {outcome: count for kind, outcome, count in model.needed() if kind == "query" and count}


@pytest.mark.parametrize("half", [None, torch.bfloat16])
def test_what_one_process_read_another_one_fetches(student: Path, half: torch.dtype | None) -> None:
    shelf: dict[bytes, bytes] = {}
    first, second = sharing(student, shelf, half), sharing(student, shelf, half)
    wanted = [first.run(prepared(first), level) for level in first.levels]
    assert outcomes(first) == {"read": 1, "known": 1}
    found = [second.run(prepared(second), level) for level in second.levels]
    assert outcomes(second) == {"fetched": 1, "known": 1}
    for one, other in zip(wanted, found, strict=True):
        assert np.array_equal(one.final, other.final)
    assert len(shelf) == 1


def test_a_batch_of_known_shared_and_new_queries_gets_each_its_own(student: Path) -> None:
    shelf: dict[bytes, bytes] = {}
    other, model, alone = sharing(student, shelf), sharing(student, shelf), sharing(student, {})
    other.run(prepared(other, 1))
    model.run(prepared(model, 2))
    assert outcomes(model) == {"read": 1}
    numbers = (5, 2, 1, 3, 5)
    found = model.run_all([prepared(model, number) for number in numbers])
    assert outcomes(model) == {"fetched": 1, "read": 2, "known": 2}
    for number, scores in zip(numbers, found, strict=True):
        assert np.allclose(scores.final, alone.run(prepared(alone, number)).final, atol=1e-5)
    later = sharing(student, shelf)  # what was shared is each one's own, too
    for number in numbers:
        assert np.allclose(
            later.run(prepared(later, number)).final, alone.run(prepared(alone, number)).final, atol=1e-5
        )
    assert outcomes(later) == {"fetched": 4, "known": 1}


def test_models_number_formats_and_histories_have_keys_of_their_own() -> None:
    keys = {
        answers_key(model, kind, lowest, query)
        for model in ("m1", "m2")
        for kind in (torch.float32, torch.bfloat16)
        for lowest in (2, 3)
        for query in ((5, 6), (5, 6, 7), (6, 5))
    }
    assert len(keys) == 24


def test_100_of_100_damages_are_read_anew_and_mended(student: Path) -> None:
    shelf: dict[bytes, bytes] = {}
    first = sharing(student, shelf)
    wanted = first.run(prepared(first)).final
    [(key, whole)] = shelf.items()
    for number, raw in enumerate(damaged(whole, 100)):
        shelf[key] = raw
        if number < 4:
            model = sharing(student, shelf)
            assert np.array_equal(model.run(prepared(model)).final, wanted)
            assert outcomes(model) == {"read": 1}
            assert shelf[key] == whole
            continue
        with pytest.raises(CorruptValue, match="query states"):
            unpacked(raw, [None, None, (2, 16), (2, 16)], torch.float32, CPU)


def test_bytes_of_another_network_are_refused() -> None:
    def answers(heads: int, tokens: int, size: int) -> Attended:
        keys, values = torch.zeros(1, heads, tokens, size), torch.zeros(1, heads, tokens, size)
        return Attended(keys, values, torch.ones(1, tokens, dtype=torch.bool))

    raw = packed([None, answers(2, 5, 4)])
    assert unpacked(raw, [None, (2, 4)], torch.float32, CPU)[1] is not None
    for like, kind in (
        ([(2, 4), (2, 4)], torch.float32),
        ([None, (3, 4)], torch.float32),
        ([None, (2, 4)], torch.bfloat16),
        ([(2, 4), None], torch.float32),
    ):
        with pytest.raises(CorruptValue, match="not"):
            unpacked(raw, like, kind, CPU)
    with pytest.raises(CorruptValue, match="of 2 lengths"):
        unpacked(packed([answers(2, 4, 4), answers(2, 5, 4)]), [(2, 4), (2, 4)], torch.float32, CPU)


def test_warming_up_shares_nothing(student: Path) -> None:
    shelf: dict[bytes, bytes] = {}
    sharing(student, shelf).warm_up()
    assert shelf == {}
