from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from contract.errors import BadInput
from contract.records import ItemRecord, UserRecord
from reranker.encoding import (
    HISTORY_TITLES,
    SpecialTokens,
    TextEncoder,
    base_model_directory,
    base_text_encoder,
    item_text,
    query_text,
    stored_text_encoder,
)

MUG, LAMP, CHAIR, CLOCK = (ItemRecord(name, f"Red {name}") for name in ("mug", "lamp", "chair", "clock"))
KNOWN = {item.item_id: item for item in (MUG, LAMP, CHAIR, CLOCK)}
SPECIAL = SpecialTokens(cls=1, sep=2, pad=0)


def letters() -> Tokenizer:
    """A tokenizer of one token a letter: a is 10, b is 11, ..."""
    tokenizer = Tokenizer(models.WordLevel({"?": 3, **{chr(97 + n): 10 + n for n in range(26)}}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return tokenizer


def test_a_query_reads_the_newest_context_first_then_the_newest_history() -> None:
    user = UserRecord("u", history=("chair", "gone", "mug", "clock"))
    # gone is not in the catalogue; mug is in the context already
    assert query_text(user, [MUG, LAMP], KNOWN) == "Red lamp, Red mug, Red chair, Red clock"


def test_a_query_looks_at_no_more_history_than_a_scorer_must_know() -> None:
    history = tuple(str(n) for n in range(HISTORY_TITLES + 5))
    known = {item_id: ItemRecord(item_id, item_id) for item_id in history}
    assert query_text(UserRecord("u", history=history), [], known) == ", ".join(history[:HISTORY_TITLES])


def test_a_query_of_nobody_with_nothing_is_empty() -> None:
    assert query_text(None, [], KNOWN) == ""


def test_an_item_reads_title_categories_and_text_as_far_as_it_has_them() -> None:
    assert item_text(ItemRecord("i", "Mug", "Holds tea", ("kitchen", "red"))) == "Mug. kitchen, red. Holds tea"
    assert item_text(ItemRecord("i", "Mug")) == "Mug"


def test_pairs_lay_the_item_first_and_restart_types_and_positions() -> None:
    encoder = TextEncoder(letters(), SPECIAL, query_tokens=3, item_tokens=2)
    pairs = encoder.pairs([(10, 11), (10,)], [(20,), ()])
    assert pairs.ids.tolist() == [[1, 20, 2, 1, 10, 11, 2], [1, 2, 1, 10, 2, 0, 0]]
    assert pairs.types.tolist()[0] == [1, 1, 1, 0, 0, 0, 0]
    assert pairs.positions.tolist() == [[0, 1, 2, 0, 1, 2, 3], [0, 1, 0, 1, 2, 0, 0]]
    assert pairs.present.tolist()[1] == [True] * 5 + [False] * 2


def test_no_pairs_at_all_have_a_shape() -> None:
    assert TextEncoder(letters(), SPECIAL, 3, 2).pairs([], []).ids.shape == (0, 0)


def test_texts_are_cut_to_their_lengths() -> None:
    encoder = TextEncoder(letters(), SPECIAL, query_tokens=3, item_tokens=2)
    assert encoder.query("abcdef") == (10, 11, 12)
    assert encoder.item("abcdef") == (10, 11)


def test_only_the_start_of_an_enormous_text_meets_the_tokenizer() -> None:
    class Recording:
        longest = 0

        def no_truncation(self) -> None: ...
        def no_padding(self) -> None: ...

        def encode(self, text: str, add_special_tokens: bool) -> object:
            Recording.longest = max(Recording.longest, len(text))
            return letters().encode(text, add_special_tokens=add_special_tokens)

    TextEncoder(Recording(), SPECIAL, 3, 2).item("a" * 10_000_000)  # type: ignore[arg-type]
    assert 0 < Recording.longest <= 100


def test_an_item_text_is_tokenised_once_while_it_is_among_those_used_last() -> None:
    calls: list[str] = []

    class Counting:
        def no_truncation(self) -> None: ...
        def no_padding(self) -> None: ...

        def encode(self, text: str, add_special_tokens: bool) -> object:
            calls.append(text)
            return letters().encode(text, add_special_tokens=add_special_tokens)

    encoder = TextEncoder(Counting(), SPECIAL, 3, 2, known_items=2)  # type: ignore[arg-type]
    for text in ("a", "a", "b", "a", "c", "b"):  # b was forgotten for c
        encoder.item(text)
    assert calls == ["a", "b", "c", "b"]


def test_a_lone_surrogate_is_read_as_a_question_mark() -> None:
    encoder = TextEncoder(letters(), SPECIAL, 3, 3)
    assert encoder.query("a\ud800b") == encoder.query("a?b")


def test_a_stored_tokenizer_gives_the_same_tokens(encoder: TextEncoder) -> None:
    stored = stored_text_encoder(encoder.tokenizer_json(), encoder.special, 20, 8)
    assert stored.query("Red MUG, café") == encoder.query("Red MUG, café") != ()
    assert stored.tokenizer_json() == encoder.tokenizer_json()


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tokenizer\.json does not load"):
        stored_text_encoder(b'{"model": 3}', SPECIAL, 20, 8)


def test_an_empty_setting_is_the_packaged_model() -> None:
    directory = base_model_directory("")
    encoder = base_text_encoder(directory, 32, 16)
    assert encoder.special == SpecialTokens(cls=101, sep=102, pad=0)
    assert encoder.query("a red mug") == (1037, 2417, 14757)


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
    pairs = TextEncoder(letters(), SpecialTokens(1, 2, 9), 3, 2).pairs([(10, 11), ()], [(), ()])
    assert np.array_equal(pairs.ids[1], [1, 2, 1, 2, 9, 9])
