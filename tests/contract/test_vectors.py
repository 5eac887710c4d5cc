"""Text vectors as bytes: what a cosine needs comes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contract.vectors import NO_VECTOR, pack_vectors, unit_rows

COMPONENT = st.floats(-1, 1, width=32)


def test_a_direction_comes_back_at_length_1() -> None:
    packed = pack_vectors(np.array([[3, 4], [0, -0.001]], np.float32))
    assert unit_rows(packed) == pytest.approx(np.array([[0.6, 0.8], [0, -1]]), abs=0.005)


def test_nothing_stays_nothing() -> None:
    packed = pack_vectors(np.array([[0, 0], [1, 0]], np.float32))
    assert packed[0] == NO_VECTOR
    assert unit_rows(packed).tolist() == [[0, 0], [1, 0]]
    assert unit_rows([NO_VECTOR] * 3).shape == (3, 0)
    assert unit_rows([]).shape == (0, 0)


def test_a_vector_of_another_model_counts_as_none() -> None:
    assert unit_rows([b"\x7f\x00", b"\x7f\x00\x00"]).tolist() == [[1, 0], [0, 0]]


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.just(16)), elements=COMPONENT))
def test_cosines_are_nearly_those_of_the_vectors(vectors: np.ndarray) -> None:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(lengths > 1e-3, vectors, 0)
    exact = vectors / np.maximum(lengths, 1e-3)
    found = unit_rows(pack_vectors(vectors))
    if found.shape[1]:
        assert found @ found.T == pytest.approx(exact @ exact.T, abs=0.05)
