"""Another number format is taken where it is faster and scores alike, and nowhere else."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reranker import layer_timing, loading, scoring
from reranker.conversion import admitted_type, with_encoder_in
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.golden import correlation
from reranker.layer_timing import faster_types, timed, worth_taking
from reranker.loading import load_reranker
from reranker.network import CrossEncoder
from reranker.pruning import Cut, pruned
from reranker.speed import served_speed
from reranker.split import SplitNetwork

CPU = torch.device("cpu")
EXACT = [(np.array([0.0, 1.0, 2.0], np.float32), np.array([3.0, 1.0, 2.0], np.float32))]
BENT = [(EXACT[0][0], np.array([3.0, 1.5, 2.0], np.float32))]


def test_correlation_is_that_of_the_worse_score() -> None:
    assert correlation(EXACT, EXACT) == pytest.approx(1)
    assert correlation(EXACT, BENT) == pytest.approx(np.corrcoef(EXACT[0][1], BENT[0][1])[0, 1])
    assert correlation(EXACT, [(10 * EXACT[0][0] + 3, EXACT[0][1])]) == pytest.approx(1)


@pytest.mark.parametrize("text", [[3.0, np.nan, 2.0], [np.inf, 1.0, 2.0], [1.0, 1.0, 1.0]])
def test_scores_that_say_nothing_correlate_with_nothing(text: list[float]) -> None:
    assert correlation(EXACT, [(EXACT[0][0], np.array(text, np.float32))]) == 0


def test_the_first_format_that_scores_alike_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    answers = {torch.bfloat16: BENT, torch.float16: EXACT}
    with caplog.at_level(logging.INFO):
        assert admitted_type((torch.bfloat16, torch.float16), EXACT, answers.__getitem__, "m") is torch.float16
    assert "model m: torch.bfloat16 refused, correlation with float32 0.98" in caplog.text
    assert "computes in torch.float16, correlation with float32 1.0" in caplog.text


def test_a_format_that_golden_pairs_would_refuse_is_not_taken() -> None:
    """It scores alike, but for one item: a loader that took it would refuse the model."""
    final = np.linspace(0, 100, 1000, dtype=np.float32)
    off = final + np.where(final == final[500], 2, 0).astype(np.float32)
    assert correlation([(final, final)], [(off, final)]) > 0.999
    assert admitted_type((torch.bfloat16,), [(final, final)], lambda _: [(off, final)], "m") is None


def test_float32_stays_where_no_format_scores_alike() -> None:
    assert admitted_type((torch.bfloat16,), EXACT, lambda _: BENT, "m") is None
    assert admitted_type((), EXACT, lambda _: EXACT, "m") is None


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_a_loader_converts_to_the_faster_format_and_scores_alike(
    exported: Path, kind: torch.dtype, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Which format is faster is the machine's to say, so it is said for it."""
    monkeypatch.setattr(scoring, "faster_types", lambda *_: [kind])
    with caplog.at_level(logging.INFO):
        found = load_reranker(exported, "cpu", 1)
    golden = loading.read_artifact(exported).golden()
    agreement = correlation([(np.array(one.final), np.array(one.text)) for one in golden], found.answer(golden))
    if found.half is None:  # the tiny network's text scores may lie too near to each other for bf16
        assert "refused, correlation" in caplog.text
    else:
        assert found.half is kind
        assert agreement >= 0.999


def test_a_conversion_that_changes_scores_is_refused_at_load(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "faster_types", lambda *_: [torch.float8_e4m3fn])
    coarse = loading.build_reranker

    def rounded(artifact, device, half, batch_pairs):  # type: ignore[no-untyped-def]
        found = coarse(artifact, device, None, batch_pairs)
        if half is not None:
            for weight in found._network.encoder.parameters():
                weight.data = (weight.data * 4).round() / 4
        return found

    monkeypatch.setattr(loading, "build_reranker", rounded)
    assert load_reranker(exported, "cpu", 1).half is None


def test_only_formats_that_are_measured_to_be_faster_are_named() -> None:
    found = worth_taking({torch.float32: 2.0, torch.bfloat16: 1.0, torch.float16: 0.5})
    assert found == [torch.float16, torch.bfloat16]
    assert worth_taking({torch.float32: 2.0, torch.bfloat16: 2.5, torch.float16: 1.9}) == []


def test_layers_of_a_shape_are_measured_once_a_process(teacher: CrossEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = teacher.encoder.encoder.layer
    first = faster_types(layers[0], CPU, split=True)
    monkeypatch.setattr(layer_timing, "layer_seconds", lambda *_: pytest.fail("measured again"))
    assert faster_types(layers[1], CPU, split=True) is first


def test_tasks_are_timed_in_turn_and_the_first_round_not_counted() -> None:
    ran: list[str] = []
    found = timed([lambda: ran.append("a"), lambda: ran.append("b")], 2, CPU)
    assert ran == ["a", "b"] * 3
    assert [len(row) for row in found] == [2, 2]


def test_the_head_stays_in_float32(teacher: CrossEncoder) -> None:
    half = with_encoder_in(teacher, torch.bfloat16)
    assert {weight.dtype for weight in half.encoder.parameters()} == {torch.bfloat16}
    heads: list[nn.Module] = [half.text, half.mix, half.linear]
    assert {weight.dtype for part in heads for weight in part.parameters()} == {torch.float32}
    assert {weight.dtype for weight in teacher.parameters()} == {torch.float32}


def test_the_speed_of_a_student_names_its_format(
    teacher: CrossEncoder, lessons: list[Example], encoder: TextEncoder
) -> None:
    found = served_speed(teacher, SplitNetwork.of(pruned(teacher, Cut((0, 1)))), lessons[0], encoder, "float16", "m")
    assert found.speedup > 0
    assert found.kind in ("float32", "bfloat16", "float16")
