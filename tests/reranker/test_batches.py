from dataclasses import replace

import numpy as np
import pytest
import torch

from reranker.batches import InMemory, ahead, epoch_batches
from reranker.examples import Example, sample_candidates
from reranker.training import listwise

Batches = list[list[tuple[int, ...]]]


def example(number: int) -> Example:
    labels = np.array([1, 0, 0, 0], np.float32)
    items = tuple((number, place) for place in range(4))
    return Example((number,) * (1 + number % 7), items, np.zeros((4, 1), np.float32), labels)


SOURCE = InMemory([example(number) for number in range(90)])


def batches(queries: int = 4, epoch: int = 0, skip: int = 0, share: tuple[int, int] = (0, 1), seed: int = 5) -> Batches:
    """The items drawn of every example of every batch."""
    found = epoch_batches(SOURCE, queries, 2, seed, epoch, skip, share)
    return [[example.items for example in batch] for batch in found]


def numbers(found: Batches) -> list[int]:
    return [items[0][0] for batch in found for items in batch]


def test_an_epoch_holds_every_example_once() -> None:
    found = batches(4)
    assert sorted(numbers(found)) == list(range(90))
    assert sorted(map(len, found)) == [2, *[4] * 22]


def test_queries_of_like_length_meet() -> None:
    spans = [np.ptp([1 + number % 7 for number in numbers([batch])]) for batch in batches(4)]
    assert np.mean(spans) < 1


def test_another_epoch_and_another_seed_have_another_order_and_other_draws() -> None:
    assert batches() == batches()
    assert numbers(batches()) != numbers(batches(epoch=1)) != numbers(batches(seed=6))
    drawn = [{items[0][0]: items for batch in batches(epoch=epoch) for items in batch} for epoch in (0, 1)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("skip", [0, 1, 15, 16, 17, 22, 23])
def test_an_epoch_goes_on_at_any_step_as_if_it_had_never_stopped(skip: int) -> None:
    assert batches(skip=skip) == batches()[skip:]


def test_the_shares_of_two_processes_are_the_batches_of_one() -> None:
    whole = batches(8)
    parts = [batches(8, share=(rank, 2)) for rank in (0, 1)]
    for one, other, both in zip(*parts, whole, strict=True):
        assert sorted([*one, *other]) == sorted(both)
        assert 0 <= len(one) - len(other) <= 1


def test_what_is_made_ahead_comes_in_order_and_with_its_errors() -> None:
    def items() -> object:
        yield from (1, 2, 3)
        raise ValueError("the fourth")

    found = ahead(items())
    assert [next(found) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="the fourth"):
        next(found)


def listed(positives: int, others: int) -> Example:
    labels = np.array([1.0] * positives + [0.0] * others, np.float32)
    n = len(labels)
    return Example((1,), ((2,),) * n, np.zeros((n, 1), np.float32), labels)


@pytest.mark.parametrize(
    ("positives", "others", "count"), [(10, 90, 12), (1, 99, 12), (2, 3, 12), (8, 0, 4), (0, 9, 4)]
)
def test_what_is_drawn_stands_for_the_whole_list(positives: int, others: int, count: int) -> None:
    drawn = sample_candidates(listed(positives, others), count, np.random.default_rng(0))
    stands_for = np.exp(drawn.offsets)
    assert stands_for[drawn.labels > 0].sum() == pytest.approx(positives)
    assert stands_for[drawn.labels == 0].sum() == pytest.approx(others)
    again = sample_candidates(drawn, count, np.random.default_rng(1))  # as a distillation does
    assert np.exp(again.offsets).sum() == pytest.approx(positives + others)


def test_the_gradient_of_draws_is_nearly_that_of_the_list() -> None:
    """Mean gradient of the softmax loss over many draws of 40 out of 100, beside that of all 100."""
    random, n = np.random.default_rng(0), 100
    value = random.normal(size=n).astype(np.float32)
    labels = np.zeros(n, np.float32)
    labels[random.choice(n, 10, replace=False)] = 1
    whole = Example((1,), ((2,),) * n, value[:, None], labels)

    def slope(example: Example) -> float:
        weight = torch.ones(1, requires_grad=True)
        offsets = torch.zeros(len(example.labels)) if example.offsets is None else torch.from_numpy(example.offsets)
        grid = (weight * torch.from_numpy(example.features[:, 0]) + offsets)[None]
        listwise(grid, torch.from_numpy(example.labels)[None]).backward()
        return float(weight.grad)

    drawn = [sample_candidates(whole, 40, random) for _ in range(500)]
    corrected = np.mean([slope(one) for one in drawn])
    uncorrected = np.mean([slope(replace(one, offsets=None)) for one in drawn])
    # A draw keeps some bias, less the larger it is.
    assert abs(corrected - slope(whole)) < abs(uncorrected - slope(whole)) / 3
