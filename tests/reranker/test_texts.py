"""What the network reads: the sample's template, others, and cuts."""

import pytest

from contract.records import ItemRecord, UserRecord
from reranker.texts import item_text, query_text
from tests.scenarios import SAMPLE, template

MUG, LAMP, CHAIR, CLOCK = (ItemRecord(name, f"Red {name}") for name in ("mug", "lamp", "chair", "clock"))
KNOWN = {item.item_id: item for item in (MUG, LAMP, CHAIR, CLOCK)}
TITLES = SAMPLE.text.query


def test_a_query_reads_the_newest_context_first_then_the_newest_history() -> None:
    user = UserRecord("u", history=("chair", "gone", "mug", "clock"))
    # gone is not in the catalogue; mug is in the context already
    assert query_text(user, [MUG, LAMP], KNOWN, TITLES) == "Red lamp, Red mug, Red chair, Red clock"


def test_the_template_says_what_comes_first_and_what_is_left_out() -> None:
    user = UserRecord("u", history=("chair", "clock"))
    history_first = template(order=["history", "context"]).query
    assert query_text(user, [MUG], KNOWN, history_first) == "Red chair, Red clock, Red mug"
    assert query_text(user, [MUG], KNOWN, template(order=["context"]).query) == "Red mug"


def test_a_query_looks_at_no_more_history_than_a_scorer_must_know() -> None:
    history = tuple(str(n) for n in range(9))
    known = {item_id: ItemRecord(item_id, item_id) for item_id in history}
    three = template(history=3).query
    assert three.history_length == 3
    assert query_text(UserRecord("u", history=history), [], known, three) == "0, 1, 2"
    assert template(order=["context"]).query.history_length == 0


def test_a_query_of_nobody_with_nothing_is_empty() -> None:
    assert query_text(None, [], KNOWN, TITLES) == ""


def test_items_without_a_text_leave_no_gap_in_a_query() -> None:
    assert query_text(None, [MUG, ItemRecord("i", ""), LAMP], KNOWN, TITLES) == "Red lamp, Red mug"


def test_an_item_reads_title_categories_and_text_as_far_as_it_has_them() -> None:
    parts = SAMPLE.text.item
    assert item_text(ItemRecord("i", "Mug", "Holds tea", ("kitchen", "red")), parts) == "Mug. kitchen, red. Holds tea"
    assert item_text(ItemRecord("i", "Mug"), parts) == "Mug"
    assert item_text(ItemRecord("i", ""), parts) == ""


def test_a_template_has_its_own_order_and_attributes() -> None:
    parts = template("attributes.brand", "title", "attributes.size").item
    assert item_text(ItemRecord("i", "Mug", attributes={"brand": "Oak", "made": "here"}), parts) == "Oak. Mug"


@pytest.mark.parametrize(
    ("text", "characters", "read"),
    [
        ("a long story", 12, "a long story"),
        ("a long story", 11, "a long"),
        ("a long story", 6, "a long"),  # a word that ends just there
        ("a long\nstory", 8, "a long"),
        ("a long story", 3, "a"),
        ("storytelling", 5, "story"),  # one word alone is cut in two
        ("長い話" * 100 + " ", 7, "長い話長い話長"),  # a script without spaces
        ("one " + "x" * 500, 100, "one " + "x" * 96),  # the last space is too far back
    ],
)
def test_a_part_is_cut_at_the_end_of_a_word(text: str, characters: int, read: str) -> None:
    parts = template({"part": "text", "characters": characters}).item
    assert item_text(ItemRecord("i", "unread", text), parts) == read
