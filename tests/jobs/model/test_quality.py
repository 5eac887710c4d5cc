import numpy as np
import pytest

from jobs.model.quality import estimate, measure
from jobs.model.rankers import candidate_order, popularity, reordered
from tests.colour_shop import CATALOGUE, queries, query


def test_ndcg_and_recall_are_what_their_formulas_say() -> None:
    labels = {"a": frozenset({"x", "y", "z"}), "b": frozenset({"x"}), "c": frozenset({"x"})}
    rankings = {
        "a": ("n", "x", "m", "y"),  # 2nd and 4th of three wanted; z was not retrieved
        "b": (*tuple(f"n{place}" for place in range(12)), "x"),  # behind the tenth place
        "c": (),
    }
    found = measure(rankings, labels)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert found.ndcg10.tolist() == pytest.approx([(1 / np.log2(3) + 1 / np.log2(5)) / ideal, 0, 0])
    assert found.mrr.tolist() == pytest.approx([1 / 2, 1 / 13, 0])
    assert found.hit10.tolist() == pytest.approx([1, 0, 0])
    assert found.recall100.tolist() == pytest.approx([2 / 3, 1, 0])


def test_a_ranking_past_a_hundred_is_not_looked_at() -> None:
    ranking = (*(f"n{place}" for place in range(100)), "x")
    assert measure({"a": ranking}, {"a": frozenset({"x"})}).recall100.tolist() == [0]


def test_no_ranking_of_any_query_counts_nothing() -> None:
    assert measure({}, {"a": frozenset({"x"})}).ndcg10.tolist() == [0]


def test_an_interval_holds_the_mean_and_narrows_with_more_queries() -> None:
    random = np.random.default_rng(0)
    few, many = (estimate(random.normal(0.2, 1, count), 1) for count in (30, 3000))
    assert few.low < few.mean < few.high
    assert many.high - many.low == pytest.approx(2 * 1.96 / np.sqrt(3000), rel=0.1)
    assert few.high - few.low > 5 * (many.high - many.low)


def test_an_interval_is_the_seeds() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert estimate(values, 1) == estimate(values, 1) != estimate(values, 2)


def test_differences_that_are_all_alike_have_an_interval_of_no_width() -> None:
    found = estimate(np.zeros(20), 1)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_too_few_queries_have_a_mean_and_no_interval(values: list[float]) -> None:
    found = estimate(np.array(values), 1)
    assert (found.mean, found.low, found.high) == (sum(values), None, None)


def test_the_popular_list_leaves_out_what_is_in_the_basket() -> None:
    asked = queries(4)
    ranked = popularity(asked, repeats=True)
    for one in asked:
        shown = {item.item_id for item in one.context}
        counts = [CATALOGUE[item_id].popularity_30d for item_id in ranked[one.query_id]]
        assert counts == sorted(counts, reverse=True)
        assert set(ranked[one.query_id]) == set(CATALOGUE) - shown


def test_where_nothing_is_chosen_twice_the_popular_list_leaves_out_the_history_too() -> None:
    asked = queries(4)
    ranked = popularity(asked, repeats=False)
    for one in asked:
        assert not set(ranked[one.query_id]) & set(one.user.history if one.user else ())


def test_scores_reorder_the_head_and_leave_the_tail() -> None:
    ids = query(0).candidates.item_ids
    scores = np.array([0.1, 0.9, 0.9], np.float32)  # a tie stays as it stood
    assert reordered(query(0), scores) == (ids[1], ids[2], ids[0], *ids[3:])
    assert candidate_order([query(0)])["q000"] == ids
