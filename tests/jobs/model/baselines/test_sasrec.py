"""SASRec on sessions that follow one another in a circle: what comes next is known by the last alone."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contract.codec import CandidateList
from contract.records import ItemRecord, UserRecord
from jobs.model.baselines import sasrec
from jobs.model.baselines.interactions import Interactions
from jobs.model.baselines.sasrec import SasRec
from jobs.model.dataset import Query

CIRCLE = "abcdefgh"
START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def past() -> Interactions:
    """Each session is three letters that follow one another in the circle; each user has one such session."""
    rows = [
        {
            "session_id": f"s{number:03}",
            "user_id": f"u{number}" if number % 2 else None,
            "item_id": CIRCLE[(number + place) % len(CIRCLE)],
            "ts": START + timedelta(hours=number),  # one instant: the position alone tells the order
            "position_in_session": place,
        }
        for number in range(120)
        for place in range(3)
    ]
    return Interactions(pa.Table.from_pylist(rows[::-1]))


@pytest.fixture(scope="module")
def model(past: Interactions) -> SasRec:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sasrec, "EPOCHS", 40)
        patch.setattr(sasrec, "SEQUENCE", 3)
        patch.setattr(sasrec, "RATE", 0.01)
        fitted = SasRec(past, seed=1)
        fitted.rankings([asked("a"), asked(user="u1")])  # it is fitted when it is first asked
    return fitted


def asked(context: str = "", user: str | None = None) -> Query:
    items = tuple(ItemRecord(item, item) for item in context)
    return Query("q", UserRecord(user) if user else None, items, frozenset("z"), CandidateList.empty(1), {}, ("s",))


@pytest.mark.parametrize(("context", "after"), [("ab", "c"), ("ef", "g"), ("h", "a")])
def test_the_next_of_the_circle_comes_first(model: SasRec, context: str, after: str) -> None:
    ranking = model.rankings([asked(context)])["q"]
    assert ranking[0] == after
    assert not set(ranking) & set(context)


def test_a_next_visit_follows_the_users_past_which_may_come_again(model: SasRec) -> None:
    ranking = model.rankings([asked(user="u1")])["q"]  # b, c, d
    assert sorted(ranking) == list(CIRCLE)


def test_a_query_that_tells_nothing_known_has_no_ranking(model: SasRec) -> None:
    assert model.rankings([asked("x")])["q"] == ()
    assert model.rankings([asked(user="nobody")])["q"] == model.rankings([asked()])["q"] == ()


def test_where_nobody_is_known_a_query_that_tells_nothing_has_no_ranking(past: Interactions) -> None:
    nobody = past.rows.set_column(
        past.rows.column_names.index("user_id"), "user_id", pa.nulls(len(past.rows), "string")
    )
    assert SasRec(Interactions(nobody), seed=1).rankings([asked(), asked(user="u1")]) == {"q": ()}
