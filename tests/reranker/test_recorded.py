"""Passes that were recorded and are done again, beside the same without: on a CPU, by a stand-in for a GPU's graphs."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from reranker.artifact import read_artifact
from reranker.depth import level_depths
from reranker.encoding import TextEncoder
from reranker.engine import Engine
from reranker.fixed_shapes import FixedShapes, Shape, counts, lengths
from reranker.limits import Limits
from reranker.loading import build_reranker
from reranker.passes import Direct
from reranker.prepared import PreparedQuery
from reranker.recorded import ItemPasses, QueryPasses, Recorded
from reranker.recording import record as recorded_and_compared
from reranker.scoring import Reranker
from reranker.states import StateCodec, StateKind
from tests.replayed_operations import record, tensors
from tests.split_model import export_split, split_network

CPU, LIMITS = torch.device("cpu"), Limits(32, known_queries=2)


@pytest.fixture(scope="module")
def student(base: Path, encoder: TextEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_split(tmp_path_factory.mktemp("split"), base, encoder)


def built(student: Path, half: torch.dtype | None = None) -> Reranker:
    return build_reranker(read_artifact(student), CPU, half, LIMITS)


@pytest.fixture(scope="module")
def direct(student: Path) -> Reranker:
    return built(student)


@pytest.fixture(scope="module")
def replaying(student: Path) -> Reranker:
    model = built(student)
    model_records(model)
    return model


def model_records(model: Reranker, recorder: Callable[..., Callable[[], None]] = record) -> bool:
    assert model.split is not None
    with torch.inference_mode():
        return recorded_and_compared(model.split, recorder)


class NoOtherDevice(TorchDispatchMode):
    """Raises for an operation on a tensor that is not on `device`."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        found = func(*args, **(kwargs or {}))
        elsewhere = {tensor.device for tensor in tensors((args, kwargs, found))} - {self._device}
        assert not elsewhere, f"{func} on {elsewhere}"
        return found


def asked(counts: list[int], item_tokens: int, query_tokens: int, seed: int) -> list[PreparedQuery]:
    """Queries of so many items, of random tokens and lengths up to these."""
    draw = np.random.default_rng(seed)

    def text(most: int) -> tuple[int, ...]:
        return tuple(draw.integers(5, 30, draw.integers(1, most + 1)).tolist())

    return [
        PreparedQuery(
            text(query_tokens),
            tuple(text(item_tokens) for _ in range(count)),
            draw.standard_normal((count, 7)).astype(np.float32),
        )
        for count in counts
    ]


def features_of(model: Reranker) -> int:
    return len(model.manifest.feature_names)


def widened(model: Reranker, queries: list[PreparedQuery]) -> list[PreparedQuery]:
    """With as many features as the model reads."""
    wide = features_of(model)
    return [PreparedQuery(one.query, one.items, np.resize(one.features, (len(one.items), wide))) for one in queries]


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=18),
    item_tokens=st.integers(1, 8),
    query_tokens=st.integers(1, 20),
    seed=st.integers(0, 5),
    level=st.sampled_from(["full", "fast"]),
)
def test_replayed_passes_score_as_direct_ones(
    direct: Reranker,
    replaying: Reranker,
    counts: list[int],
    item_tokens: int,
    query_tokens: int,
    seed: int,
    level: str,
) -> None:
    queries = widened(direct, asked(counts, item_tokens, query_tokens, seed))
    wanted, found = (model.run_all(queries, level) for model in (direct, replaying))  # type: ignore[arg-type]
    for one, other in zip(wanted, found, strict=True):
        assert np.allclose(one.final, other.final, atol=1e-4)
        assert np.allclose(one.text, other.text, atol=1e-4)


def test_scores_do_not_change_when_another_pass_writes_over_its_memory(direct: Reranker, replaying: Reranker) -> None:
    first, second = (widened(direct, asked([9], 8, 20, seed)) for seed in (1, 2))
    before = replaying.run(first[0])
    kept = before.final.copy()
    replaying.run(second[0])
    assert np.array_equal(before.final, kept)
    # The first query is known, from before the second was read over it.
    assert np.allclose(replaying.run(first[0]).final, direct.run(first[0]).final, atol=1e-4)


def test_numbers_that_are_none_stay_with_the_request_that_had_them(direct: Reranker, replaying: Reranker) -> None:
    """What is left of it behind shorter texts and fewer items is not seen."""
    assert replaying.split is not None
    [long], [short] = (widened(direct, asked([count], 8, most, 3)) for count, most in ((20, 20), (3, 2)))
    with torch.inference_mode():
        for layer in replaying.split.queries.answers([long.query])[0][0]:
            if layer is not None:
                layer.values.fill_(float("nan"))
                layer.keys.fill_(float("inf"))
        assert np.isnan(replaying.run(long).final).all()
    replaying.split.queries.forget()
    assert np.allclose(replaying.run(short).final, direct.run(short).final, atol=1e-4)


def test_what_fits_no_shape_goes_the_direct_way(direct: Reranker, replaying: Reranker) -> None:
    assert replaying.split is not None
    split = replaying.split
    assert isinstance(split.passes, Recorded)
    [many] = widened(direct, asked([3], 30, 40, 4))  # longer than the model's own encoder would make them
    assert np.allclose(replaying.run(many).final, direct.run(many).final, atol=1e-4)


def test_every_shape_and_level_is_recorded_and_compared(student: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, recorded = built(student), []

    def recorder(body):  # type: ignore[no-untyped-def]
        recorded.append(body)
        again, place = record(body), len(recorded)
        return lambda: (replayed.add(place), again())[1]

    replayed: set[int] = set()
    with caplog.at_level(logging.INFO):
        assert model_records(model, recorder)
    # 2 lengths of items and 3 of queries, 16, 24 and 32 items, 1, 4 and 16 queries, 2 levels
    assert len(recorded) == 2 * 3 * 3 * 2 + 3 * 3
    assert replayed == set(range(1, len(recorded) + 1))
    assert "recorded in 18 shapes" in caplog.text
    assert [texts for _, _, texts in model.needed()] == [0] * 5
    assert model.split is not None
    assert model.split.shelf.texts == 0


def test_a_device_that_does_not_record_leaves_all_as_it_was(
    student: Path, direct: Reranker, caplog: pytest.LogCaptureFixture
) -> None:
    model = built(student)

    def refuse(body):  # type: ignore[no-untyped-def]
        raise torch.cuda.OutOfMemoryError("no room for a graph")

    assert not model_records(model, refuse)
    assert "passes are not recorded" in caplog.text
    assert "no room for a graph" in caplog.text
    [one] = widened(direct, asked([5], 8, 20, 0))
    assert np.array_equal(model.run(one).final, direct.run(one).final)


@pytest.mark.parametrize("which", [0, 9, 30])
def test_a_shape_that_scores_otherwise_is_not_served(
    student: Path, which: int, caplog: pytest.LogCaptureFixture
) -> None:
    model, place = built(student), iter(range(1000))

    def recorder(body):  # type: ignore[no-untyped-def]
        return (lambda: None) if next(place) == which else record(body)  # replayed, it does nothing

    assert not model_records(model, recorder)
    assert model.split is not None
    assert model.split.passes is model.split.direct
    assert "of their spread" in caplog.text


def test_a_model_is_recorded_as_it_warms_up(student: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = built(student)
    monkeypatch.setattr("reranker.scoring.recorder_for", lambda device: record)
    model.warm_up()
    assert model.split is not None
    assert isinstance(model.split.passes, Recorded)


@pytest.mark.parametrize("kind", ["int8", "float16"])
def test_nothing_that_is_recorded_asks_the_device_or_comes_from_elsewhere(
    base: Path, encoder: TextEncoder, kind: StateKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device whose tensors hold nothing: what would wait for a number, or mix in a CPU's tensor, raises."""
    device, shapes = torch.device("meta"), FixedShapes(16, 10, 22, 22)
    monkeypatch.setattr("torch.autocast", lambda *_, **__: nullcontext())  # which knows no such device
    network = split_network(base, encoder)
    network.encoder.to(torch.bfloat16)
    with torch.inference_mode():
        direct = Direct(Engine(network.to(device)), 2, device)
        bodies = []
        QueryPasses(direct, shapes, lambda body: (bodies.append(body), body)[1])
        depths = tuple(level_depths(network.layers).values())
        ItemPasses(direct, shapes, StateCodec(network, kind), depths, lambda body: (bodies.append(body), body)[1])
        assert len(bodies) > 10
        with NoOtherDevice(device):
            for body in bodies:
                body()


def test_shapes_hold_what_they_are_asked_for() -> None:
    shapes = FixedShapes(100, 34, 96, 512)
    assert counts(100) == (16, 24, 32, 48, 64, 96, 100)
    assert lengths(34) == (16, 24, 32, 40)
    assert shapes.query_lengths == (24, 48, 72, 96)
    assert shapes.holding(1, 1, 1) == Shape(16, 16, 1)
    assert shapes.holding(97, 34, 2) == Shape(100, 40, 4)
    assert shapes.holding(101, 34, 1) is shapes.holding(1, 41, 1) is shapes.holding(99, 2, 17) is None
    assert shapes.holding_queries(2, 25) == (4, 48)
    assert shapes.holding_queries(1, 97) is shapes.holding_queries(17, 1) is None
    assert len(list(shapes)) == 7 * 4 * 3
    assert FixedShapes(4, 8, 8, 8).holding_queries(5, 8) is None  # more queries than items
    assert {shape.queries for shape in FixedShapes(4, 8, 8, 8)} == {1, 4}
    assert FixedShapes(8, 34, 100, 100).query_lengths == (32, 56, 80, 100)  # an encoder that reads no more


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_pass_is_made_up_by_less_than_a_half(most: int, items: int) -> None:
    held = FixedShapes(most, 8, 8, 8).holding(items, 8, 1)
    if items > most:
        assert held is None
    else:
        assert held is not None
        assert items <= held.items <= max(16, 1.5 * items)
