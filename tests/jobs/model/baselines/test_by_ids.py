"""Baselines by ids, on six sessions that can be counted by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from contract.codec import CandidateList
from contract.records import ItemRecord, UserRecord
from jobs.model.baselines.by_ids import als, item_knn, session_knn
from jobs.model.baselines.interactions import Interactions
from jobs.model.dataset import Query

START = datetime(2024, 5, 1, tzinfo=UTC)
SESSIONS = [
    ("s1", "ann", "ab"),
    ("s2", "ann", "abc"),
    ("s3", None, "ab"),
    ("s4", "bob", "cd"),
    ("s5", "bob", "cdd"),  # twice in a session is once
    ("s6", None, "e"),
]


def of(sessions: Sequence[tuple[str, str | None, str]]) -> Interactions:
    columns = {
        "session_id": [id for id, _, items in sessions for _ in items],
        "user_id": pa.array([user for _, user, items in sessions for _ in items], pa.string()),
        "item_id": [item for _, _, items in sessions for item in items],
        "ts": [START + timedelta(hours=place) for place, (_, _, items) in enumerate(sessions) for _ in items],
        "position_in_session": [place for _, _, items in sessions for place, _ in enumerate(items)],
    }
    return Interactions(pa.table(columns))


PAST = of(SESSIONS)


def asked(id: str, context: str = "", user: str | None = None) -> Query:
    known = UserRecord(user) if user else None
    items = tuple(ItemRecord(item, item) for item in context)
    return Query(id, known, items, frozenset("z"), CandidateList.empty(1), {}, ("s",))


def test_matrices_hold_each_choice_once() -> None:
    assert PAST.ids(range(5)) == ("a", "b", "c", "d", "e")
    assert PAST.sessions.toarray().tolist()[4:] == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]  # the latest last
    assert PAST.users.toarray().tolist() == [[1, 1, 1, 0, 0], [0, 0, 1, 1, 0]]
    assert PAST.baskets.tolist() == [3, 3, 3, 2, 1]


def test_item_knn_sums_cosines_and_leaves_the_context_out() -> None:
    found = item_knn(PAST, [asked("q", "a"), asked("two", "ac"), asked("unknown", "x"), asked("visit", user="bob")])
    assert found["q"] == ("b", "c")  # 3 of sqrt(3 * 3), 1 of sqrt(3 * 3)
    assert found["two"] == ("b", "d")  # b: 1 + 1/3; d: 2 of sqrt(3 * 2)
    assert found["unknown"] == ()
    assert found["visit"][:2] == ("c", "d") or found["visit"][:2] == ("d", "c")  # what one has may be chosen again


def test_session_knn_follows_the_sessions_most_alike() -> None:
    found = session_knn(PAST, [asked("q", "a"), asked("two", "cd"), asked("nothing", "e"), asked("new", user="new")])
    assert found["q"][0] == "b"
    assert found["two"] == ("b", "a") or found["two"] == ("a", "b")
    assert found["nothing"] == found["new"] == ()


def test_als_finds_the_other_of_a_pair() -> None:
    found = als(PAST, [asked("q", "d"), asked("none", "x")], seed=1)
    assert found["q"][0] == "c"
    assert found["none"] == ()
    assert "d" not in found["q"]


@pytest.mark.parametrize("ranker", [item_knn, session_knn])
def test_nothing_is_ranked_twice(ranker) -> None:
    for ranking in ranker(PAST, [asked("q", "abc"), asked("visit", user="ann")]).values():
        assert len(set(ranking)) == len(ranking)
    assert np.isfinite(PAST.sessions.data).all()


def test_without_repeats_a_users_past_is_not_proposed() -> None:
    past = of([("s1", "ann", "ab"), ("s2", "bob", "abc"), ("s3", "cyd", "bc")])
    for rank in (item_knn, lambda *asked, repeats: als(*asked, seed=1, repeats=repeats)):
        assert "b" in rank(past, [asked("q", user="ann")], repeats=True)["q"]
        assert set(rank(past, [asked("q", user="ann")], repeats=False)["q"]) == {"c"}


EVERY = [item_knn, session_knn, lambda past, queries: als(past, queries, 1)]


@pytest.mark.parametrize("rank", EVERY)
def test_where_nobody_is_known_sessions_are_enough(rank) -> None:
    past = of([(id, None, items) for id, _, items in SESSIONS])
    found = rank(past, [asked("a", "a"), asked("nothing"), asked("a stranger", user="ann")])
    assert found["a"][0] == "b"
    assert found["nothing"] == found["a stranger"] == ()


@pytest.mark.parametrize("rank", EVERY)
def test_one_user_with_one_choice_is_no_reason_to_fail(rank) -> None:
    found = rank(of([("s", "ann", "a")]), [asked("back", user="ann"), asked("same", "a"), asked("other", "z")])
    assert found["other"] == ()
    assert set(found["back"]) <= {"a"}
    assert found["same"] == ()
