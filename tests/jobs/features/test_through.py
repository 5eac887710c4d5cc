"""Which slates an event followed, and the shares that come of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession

from contract.schemas import EVENTS
from contract.settings import Slates
from jobs.features.through import followed_slates, shown_items, slate_through

END = datetime(2024, 5, 11, tzinfo=UTC)  # of the night of May 10
SHOWN = datetime(2024, 5, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTINGS = Slates(days=7, attribution_hours=24)


def event(ts: datetime, type: str, item: str, **more: Any) -> dict[str, Any]:
    row = {"event_id": f"{ts}{type}{item}{more}", "ts": ts, "type": type, "item_id": item, "user_id": None}
    return {**row, "session_id": None, "position": None, "recommendation_id": None, "value": None, **more}


def slate(name: str, *items: str, at: datetime = SHOWN, **more: Any) -> list[dict[str, Any]]:
    return [
        event(at, "impression", item, recommendation_id=name, position=position, **more)
        for position, item in enumerate(items)
    ]


def through(spark: SparkSession, *rows: dict[str, Any], users: bool = True) -> tuple[Any, ...]:
    (found,) = slate_through(spark.createDataFrame(list(rows), EVENTS), END, SETTINGS, users).collect()
    return tuple(found)


# Two slates, of two users that both saw the cup.
TWO = [*slate("r1", "cup", "lamp", user_id="ann", session_id="s1"), *slate("r2", "cup", user_id="bob")]
# So that clicks are known to be recorded: of nobody, on what nobody was shown.
ELSEWHERE = event(SHOWN, "click", "rug")

FOLLOWED: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "by the slate's name, whoever it is by then": (
        [event(SHOWN + HOUR, "click", "cup", recommendation_id="r1", user_id="cyd")],
        {"r1"},
    ),
    "it names r2: nothing of it is r1's, though ann saw the cup there": (
        [event(SHOWN + HOUR, "click", "cup", recommendation_id="r2", user_id="ann")],
        {"r2"},
    ),
    "it names another slate: nothing is guessed": (
        [event(SHOWN + HOUR, "click", "cup", recommendation_id="r9", user_id="ann")],
        set(),
    ),
    "by the slate's name, an item that was not in it": (
        [event(SHOWN + HOUR, "click", "lamp", recommendation_id="r2")],
        set(),
    ),
    "an empty name is none": (
        [event(SHOWN + HOUR, "click", "lamp", user_id="ann", recommendation_id="")],
        {"r1"},
    ),
    "by user": ([event(SHOWN + HOUR, "click", "lamp", user_id="ann")], {"r1"}),
    "by session": ([event(SHOWN + HOUR, "click", "lamp", session_id="s1")], {"r1"}),
    "by session, another user": ([event(SHOWN + HOUR, "click", "lamp", session_id="s1", user_id="dee")], {"r1"}),
    "another item": ([event(SHOWN + HOUR, "click", "rug", user_id="ann")], set()),
    "another user": ([event(SHOWN + HOUR, "click", "lamp", user_id="bob")], set()),
    "nobody": ([event(SHOWN + HOUR, "click", "lamp")], set()),
    "nobody, in empty ids": ([event(SHOWN + HOUR, "click", "lamp", user_id="", session_id="")], set()),
    "a session of that user's name": ([event(SHOWN + HOUR, "click", "lamp", session_id="ann")], set()),
    "at the last instant": ([event(SHOWN + 24 * HOUR, "click", "lamp", user_id="ann")], {"r1"}),
    "before the slate": ([event(SHOWN - HOUR, "click", "lamp", user_id="ann")], set()),
    "with the slate": ([event(SHOWN, "click", "lamp", user_id="ann")], set()),
    "too late": ([event(SHOWN + 25 * HOUR, "click", "lamp", user_id="ann")], set()),
    "too late, by the slate's name": ([event(SHOWN + 25 * HOUR, "click", "lamp", recommendation_id="r1")], set()),
    "two clicks on one slate": (
        [event(SHOWN + n * HOUR, "click", item, user_id="ann") for n, item in ((1, "cup"), (2, "lamp"))],
        {"r1"},
    ),
    "a click on each": ([event(SHOWN + HOUR, "click", "cup", user_id=user) for user in ("ann", "bob")], {"r1", "r2"}),
}
_IDS = ("item_id", "user_id", "session_id", "recommendation_id")


def in_a_world_of_its_own(case: str, row: dict[str, Any]) -> dict[str, Any]:
    """Whom and what a row names exists in this case alone; what is null or empty stays so."""
    return row | {name: f"{case}/{row[name]}" for name in _IDS if row[name]}


def test_an_event_follows_a_slate(spark: SparkSession) -> None:
    """All cases in one frame: a Spark job a case would take minutes."""
    shown = [in_a_world_of_its_own(case, row) for case in FOLLOWED for row in TWO]
    acts = [in_a_world_of_its_own(case, row) for case, (rows, _) in FOLLOWED.items() for row in rows]
    events, acted = (spark.createDataFrame(rows, EVENTS) for rows in (shown, acts))
    found = [row["slate"].split("/") for row in followed_slates(shown_items(events), acted, 24 * HOUR).collect()]
    assert len(found) == sum(len(slates) for _, slates in FOLLOWED.values()), "each slate once"
    assert {case: {slate for of, slate in found if of == case} for case in FOLLOWED} == {
        case: slates for case, (_, slates) in FOLLOWED.items()
    }


def test_clicks_and_purchases_have_shares_of_their_own(spark: SparkSession) -> None:
    # A view and an addition to the basket are not asked for.
    others = [event(SHOWN + HOUR, name, "cup", user_id="bob") for name in ("view", "add_to_cart")]
    click = event(SHOWN + HOUR, "click", "cup", user_id="ann")
    bought = [event(SHOWN + 2 * HOUR, "purchase", "cup", user_id=user) for user in ("ann", "bob")]
    assert through(spark, *TWO, *others, click, *bought) == (2, 0.5, 1.0)


def test_where_no_user_is_to_be_known_sessions_and_names_are_what_there_is(spark: SparkSession) -> None:
    by_session = event(SHOWN + HOUR, "click", "cup", session_id="s1")
    by_user = event(SHOWN + HOUR, "click", "cup", user_id="bob")
    assert through(spark, *TWO, by_session, by_user, users=False) == (2, 0.5, None)


def test_slates_count_that_are_old_enough_and_not_too_old(spark: SparkSession) -> None:
    first, last = END - timedelta(days=7), END - timedelta(days=1)
    instant = timedelta(microseconds=1)
    rows = [
        *slate("before", "cup", at=first - instant, user_id="ann"),
        *slate("first", "cup", at=first, user_id="ann"),
        *slate("last", "cup", at=last - instant, user_id="ann"),
        *slate("too young", "cup", at=last, user_id="ann"),
        *slate("tomorrow", "cup", at=END + HOUR, user_id="ann"),
        # Follows `before` and `first`, then `last` and `too young`.
        event(first + HOUR, "click", "cup", user_id="ann"),
        event(last + HOUR, "purchase", "cup", user_id="ann"),
        # After the night's day, which does not know it.
        event(END + 2 * HOUR, "click", "cup", user_id="ann"),
    ]
    assert through(spark, *rows) == (2, 0.5, 0.5)


def test_slates_that_nobody_clicked_have_a_share_of_zero(spark: SparkSession) -> None:
    assert through(spark, *TWO, ELSEWHERE) == (2, 0.0, None)


def test_without_slates_or_without_events_nothing_is_said(spark: SparkSession) -> None:
    assert through(spark, ELSEWHERE) == (0, None, None)
    assert through(spark, *TWO) == (2, None, None)
    # A click of weeks before says nothing of these days.
    assert through(spark, *TWO, event(END - timedelta(days=20), "click", "cup")) == (2, None, None)


def test_an_impression_of_no_slate_is_none(spark: SparkSession) -> None:
    lone = [event(SHOWN, "impression", "cup", user_id="ann", recommendation_id=name) for name in (None, "")]
    assert through(spark, *lone, ELSEWHERE) == (0, None, None)
