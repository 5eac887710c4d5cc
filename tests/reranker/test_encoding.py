from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from contract.errors import BadInput
from contract.records import ItemRecord, UserRecord
from reranker.encoding import SpecialTokens, TextEncoder, Tokens, base_model_directory, base_tokens, stored_tokens
from reranker.tokens import pair_tensors
from tests.scenarios import SAMPLE, template

SPECIAL = SpecialTokens(cls=1, sep=2, pad=0)


def letters() -> Tokenizer:
    """A tokenizer of one token a letter: a is 10, b is 11, ..."""
    tokenizer = Tokenizer(models.WordLevel({"?": 3, **{chr(97 + n): 10 + n for n in range(26)}}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return tokenizer


def named(title: str) -> ItemRecord:
    return ItemRecord("i", title)


def test_pairs_lay_the_item_first_and_restart_types_and_positions() -> None:
    encoder = TextEncoder(Tokens(letters(), SPECIAL), 3, 2, SAMPLE.text)
    pairs = pair_tensors(encoder, [(10, 11), (10,)], [(20,), ()], [0, 1], torch.device("cpu")).laid_out()
    assert pairs.ids.tolist() == [[1, 20, 2, 1, 10, 11, 2], [1, 2, 1, 10, 2, 0, 0]]
    assert pairs.types.tolist()[0] == [1, 1, 1, 0, 0, 0, 0]
    assert pairs.positions.tolist() == [[0, 1, 2, 0, 1, 2, 3], [0, 1, 0, 1, 2, 0, 0]]
    assert pairs.present.tolist()[1] == [True] * 5 + [False] * 2


def test_no_pairs_at_all_have_a_shape() -> None:
    encoder = TextEncoder(Tokens(letters(), SPECIAL), 3, 2, SAMPLE.text)
    assert pair_tensors(encoder, [], [], [], torch.device("cpu")).laid_out().ids.shape == (0, 0)


def test_items_may_share_a_query_in_any_order() -> None:
    encoder = TextEncoder(Tokens(letters(), SPECIAL), 3, 2, SAMPLE.text)
    pairs = pair_tensors(encoder, [(10,), (11, 12)], [(20,), (21,), (22,)], [1, 0, 1], torch.device("cpu"))
    assert pairs.queries.ids.shape == (2, 4)
    assert pairs.laid_out().ids.tolist() == [
        [1, 20, 2, 1, 11, 12, 2],
        [1, 21, 2, 1, 10, 2, 0],
        [1, 22, 2, 1, 11, 12, 2],
    ]


def test_texts_are_cut_to_their_lengths() -> None:
    encoder = TextEncoder(Tokens(letters(), SPECIAL), 3, 2, SAMPLE.text)
    long = named("abcdef")
    assert encoder.query(None, [long], {}) == (10, 11, 12)
    assert encoder.item(long) == (10, 11)


def test_a_query_and_an_item_are_read_by_the_template() -> None:
    encoder = TextEncoder(Tokens(letters(), SPECIAL), 9, 9, template("text", order=["history"], item=["title"]))
    known = {"a": ItemRecord("a", "a", text="z")}
    assert encoder.query(UserRecord("u", history=("a",)), [named("b")], known) == (10,)
    assert encoder.item(known["a"]) == (35,)


def test_only_the_start_of_an_enormous_text_meets_the_tokenizer() -> None:
    class Recording:
        longest = 0

        def no_truncation(self) -> None: ...
        def no_padding(self) -> None: ...

        def encode(self, text: str, add_special_tokens: bool) -> object:
            Recording.longest = max(Recording.longest, len(text))
            return letters().encode(text, add_special_tokens=add_special_tokens)

    Tokens(Recording(), SPECIAL).of("a" * 10_000_000, 2)  # type: ignore[arg-type]
    assert 0 < Recording.longest <= 100


def test_an_item_text_is_tokenised_once_while_it_is_among_those_used_last() -> None:
    calls: list[str] = []

    class Counting:
        def no_truncation(self) -> None: ...
        def no_padding(self) -> None: ...

        def encode(self, text: str, add_special_tokens: bool) -> object:
            calls.append(text)
            return letters().encode(text, add_special_tokens=add_special_tokens)

    encoder = TextEncoder(Tokens(Counting(), SPECIAL), 3, 2, SAMPLE.text, known_items=2)  # type: ignore[arg-type]
    for text in ("a", "a", "b", "a", "c", "b"):  # b was forgotten for c
        encoder.item(named(text))
    assert calls == ["a", "b", "c", "b"]


def test_a_lone_surrogate_is_read_as_a_question_mark() -> None:
    tokens = Tokens(letters(), SPECIAL)
    assert tokens.of("a\ud800b", 3) == tokens.of("a?b", 3)


def test_a_stored_tokenizer_gives_the_same_tokens(encoder: TextEncoder) -> None:
    stored = stored_tokens(encoder.tokenizer_json(), encoder.special)
    assert stored.of("Red MUG, café", 8) == encoder.item(named("Red MUG, café")) != ()
    assert stored.json() == encoder.tokenizer_json()


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tokenizer\.json does not load"):
        stored_tokens(b'{"model": 3}', SPECIAL)


def test_an_empty_setting_is_the_packaged_model() -> None:
    tokens = base_tokens(base_model_directory(""))
    assert tokens.special == SpecialTokens(cls=101, sep=102, pad=0)
    assert tokens.of("a red mug", 16) == (1037, 2417, 14757)


def test_a_base_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such directory"):
        base_model_directory(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("config.json", "it has no config"),
        ("tokenizer.json", "it has no tokenizer"),
        ("model.safetensors", "it has no safetensors weights"),
    ],
)
def test_a_base_model_that_lacks_a_part_is_refused(tmp_path: Path, missing: str, reason: str) -> None:
    for name in {"config.json", "tokenizer.json", "model.safetensors"} - {missing}:
        (tmp_path / name).write_text("{}")
    with pytest.raises(BadInput, match=reason):
        base_model_directory(str(tmp_path))


def test_padding_is_of_the_pad_token() -> None:
    found = TextEncoder(Tokens(letters(), SpecialTokens(1, 2, 9)), 3, 2, SAMPLE.text).framed([(10, 11), ()])
    assert np.array_equal(found.ids[1], [1, 2, 9, 9])
    assert found.lengths.tolist() == [4, 2]
