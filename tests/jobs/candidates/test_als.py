"""Matrix factorisation."""

from dataclasses import replace

from jobs.candidates.sources import als

# Two circles that never meet: pens are chosen with pens, cups with cups.
PENS, CUPS = ["pen1", "pen2", "pen3"], ["cup1", "cup2", "cup3"]
ITEMS = dict.fromkeys([*PENS, *CUPS, "new"], "all")
CHOICES = [
    *((f"p{user}", f"p{user}", pen, 0.0) for user in range(6) for pen in PENS if pen != f"pen{user}"),
    *((f"c{user}", f"c{user}", cup, 0.0) for user in range(6) for cup in CUPS if cup != f"cup{user}"),
]


def test_users_and_items_find_their_circle(make_inputs, read_lists) -> None:
    inputs = make_inputs(CHOICES, ITEMS, als_rank=4)
    found = read_lists(inputs, als.lists(inputs))
    # p1 never chose pen1, nor c2 cup2: others of the circle did.
    assert {item for item, _ in found["user", "p1"][:3]} == set(PENS)
    assert {item for item, _ in found["user", "c2"][:3]} == set(CUPS)
    assert {item for item, _ in found["item", "pen1"][:2]} == {"pen2", "pen3"}
    assert found["item", "cup1"][0][1] > 0.5
    assert ("item", "new") not in found  # nobody chose it: there is nothing to say
    assert len([key for kind, key in found if kind == "user"]) == 12
    again = make_inputs(CHOICES, ITEMS, als_rank=4)
    assert read_lists(again, als.lists(again)) == found


def test_without_users_sessions_teach_and_items_have_lists(make_inputs, read_lists) -> None:
    inputs = make_inputs([(session, None, item, days) for session, _, item, days in CHOICES], ITEMS, als_rank=4)
    found = read_lists(inputs, als.lists(inputs))
    assert {kind for kind, _ in found} == {"item"}
    assert {item for item, _ in found["item", "pen1"][:2]} == {"pen2", "pen3"}


def test_a_single_choice_is_enough_to_run(make_inputs, read_lists) -> None:
    inputs = make_inputs([("s", "ann", "a", 0)], {"a": "all"}, als_rank=4)
    assert set(read_lists(inputs, als.lists(inputs))) <= {("user", "ann")}


def test_without_repeats_a_user_is_not_offered_what_they_chose(make_inputs, read_lists) -> None:
    inputs = replace(make_inputs(CHOICES, ITEMS, als_rank=4), repeats=False)
    found = read_lists(inputs, als.lists(inputs))
    assert found["user", "p1"][0][0] == "pen1"  # the one of the circle that p1 never chose
    assert not {"pen2", "pen3"} & {item for item, _ in found["user", "p1"]}
    assert {item for item, _ in found["item", "pen1"][:2]} == {"pen2", "pen3"}  # items know no users


def test_what_is_not_available_is_not_proposed(make_inputs, read_lists) -> None:
    inputs = make_inputs(CHOICES, ITEMS, unavailable=["pen2"], als_rank=4)
    found = read_lists(inputs, als.lists(inputs))
    assert "pen2" not in {item for entries in found.values() for item, _ in entries}
    assert ("item", "pen2") in found
