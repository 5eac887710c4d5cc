import numpy as np
import pytest

from contract.errors import BadInput
from reranker.logistic import feature_scale, fit_logistic


def test_the_scale_is_mean_and_deviation_and_a_constant_column_keeps_its_size() -> None:
    mean, std = feature_scale([np.array([[1, 7], [3, 7]], np.float32), np.array([[5, 7]], np.float32)])
    assert mean.tolist() == [3.0, 7.0]
    assert std.tolist() == pytest.approx([np.sqrt(8 / 3), 1.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_refused_by_its_column(bad: float) -> None:
    with pytest.raises(BadInput, match=r"columns \[1\] hold NaN or infinity"):
        feature_scale([np.array([[1, bad], [3, 7]], np.float32)])


def test_the_column_that_tells_gets_the_weight_and_the_noise_none() -> None:
    random = np.random.default_rng(0)
    features, labels = [], []
    for query in range(200):
        rows = random.normal(size=(5 + query % 4, 2)).astype(np.float32)  # lists of differing lengths
        chance = np.exp(2 * rows[:, 0])
        taken = random.choice(len(rows), p=chance / chance.sum())
        features.append(rows)
        labels.append(np.eye(len(rows), dtype=np.float32)[taken])
    weights = fit_logistic(features, labels, np.zeros(2, np.float32), np.ones(2, np.float32))
    assert weights == pytest.approx([2.0, 0.0], abs=0.35)


def test_queries_without_a_positive_leave_the_weights_at_nothing() -> None:
    rows = [np.array([[1.0], [2.0]], np.float32)]
    weights = fit_logistic(rows, [np.zeros(2, np.float32)], np.zeros(1, np.float32), np.ones(1, np.float32))
    assert weights.tolist() == [0.0]
