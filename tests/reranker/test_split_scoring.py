"""A split student as it is served: loaded, at each level, from states that are there or made on the spot."""

import gc
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
import torch

from contract.states import StateBlock
from jobs.model.dataset import as_example
from reranker.artifact import read_artifact
from reranker.encoding import TextEncoder
from reranker.engine import Answers, Engine
from reranker.examples import collate
from reranker.limits import Limits
from reranker.loading import build_reranker, load_network, load_reranker
from reranker.passes import in_passes
from reranker.prepared import PreparedQuery
from reranker.scoring import Reranker
from reranker.shelf import filled, keys_of
from reranker.split import SplitNetwork
from reranker.tokens import TextTensors
from tests.colour_shop import query
from tests.split_model import export_split

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def student(base: Path, encoder: TextEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_split(tmp_path_factory.mktemp("split"), base, encoder)


def built(student: Path, limits: Limits = Limits()) -> Reranker:  # noqa: B008
    return build_reranker(read_artifact(student), CPU, None, limits)


def prepared(model: Reranker, number: int = 3) -> PreparedQuery:
    found = query(number)
    return model.prepare(found.user, found.context, found.candidates, found.items, found.sources)


def test_a_loaded_student_is_split_and_answers_its_golden_pairs_at_every_level(student: Path) -> None:
    model = load_reranker(student, "cpu", 1)
    assert model.levels == ("full", "fast")
    assert isinstance(load_network(student)[1], SplitNetwork)
    assert [golden.level for golden in read_artifact(student).golden()] == ["full"] * 3 + ["fast"] * 3
    assert 0 <= model.golden_difference < 0.05


def test_serving_scores_as_the_network_does_at_each_level(student: Path, encoder: TextEncoder) -> None:
    _, network, _ = load_network(student)
    assert isinstance(network, SplitNetwork)
    model, example = built(student), as_example(query(3), encoder)
    for level, depth in (("full", 2), ("fast", 3)):
        with torch.inference_mode(), network.at_depth(depth):
            batch = collate([example], encoder, CPU)
            wanted = network(batch.pairs, batch.features)
        found = model.run(prepared(model), level)  # type: ignore[arg-type]
        # int8 or float16 states
        assert np.allclose(found.text, wanted.text, atol=0.05)
        assert np.allclose(found.final, wanted.final, atol=0.05)
        assert np.corrcoef(found.text, wanted.text)[0, 1] > 0.99


def test_the_levels_differ_and_an_unknown_one_is_refused(student: Path) -> None:
    model = built(student)
    asked = prepared(model)
    assert not np.allclose(model.run(asked, "full").text, model.run(asked, "fast").text, atol=1e-4)
    with pytest.raises(ValueError, match="has levels full, fast, not short"):
        model.run(asked, "short")  # type: ignore[arg-type]


@pytest.mark.parametrize("limits", [Limits(1), Limits(4, 1), Limits(64, 20, 0)])
def test_scores_depend_neither_on_batches_nor_on_what_is_kept(student: Path, limits: Limits) -> None:
    wanted, tight = built(student), built(student, limits)
    for number in (1, 3, 5, 1):
        for level in wanted.levels:
            one, other = wanted.run(prepared(wanted, number), level), tight.run(prepared(tight, number), level)
            assert np.allclose(one.final, other.final, atol=1e-4)


@pytest.mark.parametrize("limits", [Limits(), Limits(1), Limits(4, 1), Limits(64, 20, 0), Limits(64, 400_000, 2)])
def test_queries_scored_together_score_as_alone(student: Path, limits: Limits) -> None:
    alone, together = built(student), built(student, limits)
    nothing = PreparedQuery((5, 6), (), np.zeros((0, len(alone.manifest.feature_names)), np.float32))
    for level in alone.levels:
        asked = [*(prepared(alone, number) for number in (1, 3, 5, 3)), nothing]
        found = together.run_all(asked, level)
        assert [len(scores.final) for scores in found] == [len(one.items) for one in asked]
        for one, scores in zip(asked, found, strict=True):
            wanted = alone.run(one, level)
            assert np.allclose(scores.final, wanted.final, atol=1e-4)
            assert np.allclose(scores.text, wanted.text, atol=1e-4)


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        ([[3, 1, 2]], [[1, 2, 0]]),
        ([[5, 4, 3, 2, 1]], [[4, 3, 2], [1, 0]]),  # the rest is short of a pass, and the next query's does not fit
        ([[1, 1], [2], [1, 1]], [[0, 1, 2], [3, 4]]),
        ([[1], [], [2, 1]], [[0, 2, 1]]),
        ([[1, 2, 3, 4], [1, 2]], [[0, 1, 2], [3, 4, 5]]),
        ([], []),
    ],
)
def test_queries_share_a_pass_where_they_fit_into_it(lengths: list[list[int]], wanted: list[list[int]]) -> None:
    queries = [[(7,) * length for length in items] for items in lengths]
    assert [rows.tolist() for rows in in_passes(queries, 3)] == wanted


def test_a_pass_has_no_more_queries_than_are_read_together() -> None:
    assert list(map(len, in_passes([[(7,)]] * 20, 64))) == [16, 4]


def test_a_model_goes_with_the_last_who_holds_it(student: Path) -> None:
    """Without a garbage collection, which does not go through what a ranker froze."""
    model = built(student)
    model.run(prepared(model))
    assert model.split is not None
    split, shelf = ref(model.split), ref(model.split.shelf)
    gc.disable()
    try:
        del model
        assert (split(), shelf()) == (None, None)
    finally:
        gc.enable()


def test_on_a_gpu_passes_are_longer_but_of_a_network_that_reads_pairs_whole() -> None:
    gpu = torch.device("cuda")
    assert Limits().on(CPU, whole=False).batch_pairs == Limits().on(gpu, whole=True).batch_pairs == 64
    assert Limits().on(gpu, whole=False).batch_pairs == 1024
    assert Limits(3).on(gpu, whole=False).batch_pairs == 3


def test_queries_of_a_batch_are_read_in_one_pass_equal_ones_once(
    student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = built(student)
    assert model.split is not None
    rows: list[int] = []
    read = Engine.read

    def counted(engine: Engine, texts: TextTensors, lowest: int) -> Answers:
        rows.append(len(texts.ids))
        return read(engine, texts, lowest)

    monkeypatch.setattr(Engine, "read", counted)
    model.run_all([prepared(model, number) for number in (1, 3, 5, 3)])
    assert rows == [3]
    assert {outcome: model.split.reuse["query", outcome] for outcome in ("read", "known")} == {"read": 3, "known": 1}


def test_an_unseen_item_is_read_once_and_a_query_too(student: Path) -> None:
    model = built(student)
    assert model.split is not None
    model.run(prepared(model))
    reuse = model.split.reuse
    assert reuse == {("item", "read"): 9, ("item", "known"): 0, ("query", "read"): 1}
    model.run(prepared(model), "fast")
    assert reuse == {("item", "read"): 9, ("item", "known"): 9, ("query", "read"): 1, ("query", "known"): 1}


def test_reading_texts_is_timed_apart_from_scoring_them(student: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = built(student)
    assert model.split is not None
    ticks = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))  # a second each time it is looked at
    model.run(prepared(model))
    assert model.encode_seconds == 2.0  # the query, then the items, and nothing of what came after
    model.run(prepared(model))
    assert model.encode_seconds == 2.0


def test_a_slab_answers_for_what_would_have_been_read(student: Path) -> None:
    model, other = built(student), built(student)
    assert model.split is not None
    asked = prepared(model)
    texts = list(dict.fromkeys(asked.items))
    rows, lengths = model.split.read(texts)
    codec = model.split.shelf.codec
    block = StateBlock(
        model.version, codec.kind, codec.width, tuple(keys_of(texts)), lengths.numpy().astype(np.int32), rows.numpy()
    )
    model.split.shelf.hold(filled(codec, codec.depths, [block], block.tokens, CPU))
    assert np.allclose(model.run(asked).final, other.run(asked).final, atol=1e-5)
    assert model.split.reuse["item", "read"] == 0


@pytest.mark.parametrize("level", ["full", "fast"])
def test_states_are_held_at_the_depths_of_the_levels_that_are_asked_for(student: Path, level: str) -> None:
    both, one = built(student), load_reranker(student, "cpu", 1, Limits(levels=(level,)))  # type: ignore[arg-type]
    assert one.levels == (level,)
    assert both.split is not None
    asked = prepared(both)
    texts = list(dict.fromkeys(asked.items))
    rows, lengths = both.split.read(texts)
    codec = both.split.shelf.codec
    keys, held = tuple(keys_of(texts)), lengths.numpy().astype(np.int32)
    block = StateBlock(both.version, codec.kind, codec.width, keys, held, rows.numpy())
    assert both.hold([block], block.tokens) == 2 * one.hold([block], block.tokens) > 0
    found, wanted = one.run(asked, level), both.run(asked, level)  # type: ignore[arg-type]
    assert np.allclose(found.final, wanted.final, atol=0.02)
    with pytest.raises(ValueError, match=f"has levels {level}, not"):
        one.run(asked, "fast" if level == "full" else "full")


def test_texts_are_told_once_each(student: Path) -> None:
    model, found = built(student), query(3)
    items = list(found.items.values())
    assert len(model.texts(items)) == len(model.texts(items + items)) == len({item.title for item in items})


def test_nothing_to_score_is_no_scores(student: Path) -> None:
    model = built(student)
    none = PreparedQuery((5, 6), (), np.zeros((0, len(model.manifest.feature_names)), np.float32))
    assert len(model.run(none).final) == 0


def test_warm_up_reads_a_whole_batch_and_leaves_nothing_behind(student: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = built(student, Limits(8))
    assert model.split is not None
    read, sizes = model.split.read, []
    monkeypatch.setattr(model.split, "read", lambda items: (sizes.append(len(items)), read(items))[1])
    model.warm_up()
    assert max(sizes) >= 7
    assert [count for _, _, count in model.needed()] == [0] * 5
    assert model.split.shelf.texts == 0


def test_more_unseen_items_than_the_annex_holds_are_read_once_each(student: Path) -> None:
    model = built(student, Limits(4, 1))
    assert model.split is not None
    asked = prepared(model)
    model.run(asked)
    assert model.split.reuse["item", "read"] == len(set(asked.items))


def test_what_is_read_ahead_is_the_first_and_counts_as_nobodys(student: Path) -> None:
    model = built(student, Limits(1, 25))
    assert model.split is not None
    model.read_ahead(query(3).items.values())
    texts = model.texts(query(3).items.values())
    keys = keys_of(texts)
    fit = int((np.cumsum([len(text) + 2 for text in texts]) <= 25).sum())
    assert 3 < fit < len(texts)
    assert model.split.shelf.unknown(keys, model.split.shelf.slab) == list(range(fit, len(texts)))
    assert model.split.reuse["item", "read"] == 0


def test_states_exchanged_in_the_middle_of_a_request_do_not_show(
    student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, wanted = built(student, Limits(2)), built(student)
    assert model.split is not None
    asked, shelf = prepared(model), model.split.shelf
    rows, lengths = model.split.read(list(dict.fromkeys(asked.items)))
    keys = tuple(keys_of(list(dict.fromkeys(asked.items))))
    codec = shelf.codec
    block = StateBlock(model.version, codec.kind, codec.width, keys, lengths.numpy().astype(np.int32), rows.numpy())
    full, empty = filled(codec, codec.depths, [block], block.tokens, CPU), filled(codec, codec.depths, [], 0, CPU)
    shelf.hold(full)
    found = shelf.states

    def exchanging(*arguments):  # type: ignore[no-untyped-def]
        shelf.hold(empty if shelf.slab is full else full)
        return found(*arguments)

    monkeypatch.setattr(shelf, "states", exchanging)
    assert np.allclose(model.run(asked).final, wanted.run(asked).final, atol=1e-4)


def test_out_of_memory_halves_a_pass_once_and_then_is_an_error(student: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the device: passes of more than four pairs, or at last all, do not fit."""
    model, wanted = built(student, Limits(8)), built(student).run(prepared(built(student)))
    assert model.split is not None
    whole, most = model.split.scores, 4

    def scores(asked, level, batch_pairs):  # type: ignore[no-untyped-def]
        if batch_pairs > most:
            raise torch.cuda.OutOfMemoryError("no room for 8 pairs")
        return whole(asked, level, batch_pairs)

    monkeypatch.setattr(model.split, "scores", scores)
    assert np.allclose(model.run(prepared(model)).final, wanted.final, atol=1e-5)
    most = 0
    with pytest.raises(torch.cuda.OutOfMemoryError):
        model.run(prepared(model))
