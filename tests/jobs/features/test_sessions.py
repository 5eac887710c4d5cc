"""Which events count, and which session each is in."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from contract.scenario import Scenario
from contract.schemas import EVENTS
from jobs.features.sessions import sessions
from tests.scenarios import SAMPLE, scenario

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def event(id: str, ts: datetime, item: str, user: str | None = None, session: str | None = None, **more: object):
    given = {"type": "purchase", "position": None, "value": None, **more}
    return (id, ts, given["type"], user, session, item, given["position"], None, given["value"])


def in_sessions(spark: SparkSession, events: list[tuple], given: Scenario = SAMPLE) -> dict[str, list[str]]:
    """session id -> its items in order."""
    found: dict[str, list[str]] = {}
    rows = sessions(spark.createDataFrame(events, EVENTS), given).collect()
    for row in sorted(rows, key=lambda row: row["position_in_session"]):
        assert len(found.setdefault(row["session_id"], [])) == row["position_in_session"]
        found[row["session_id"]].append(row["item_id"])
    return found


def test_only_positive_events_count(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(0), "bought", session="s"),
            event("2", at(1), "carted", session="s", type="add_to_cart"),
            event("3", at(2), "clicked", session="s", type="click"),
            event("4", at(3), "liked", session="s", type="rating", value=4.0),  # the least that is positive
            event("5", at(4), "disliked", session="s", type="rating", value=3.9),
            event("6", at(5), "unrated", session="s", type="rating", value=None),
            event("7", at(6), "seen", session="s", type="view"),
            event("8", at(7), "shown", session="s", type="impression"),
        ],
    )
    assert found == {"s": ["bought", "carted", "clicked", "liked"]}


def test_what_is_positive_is_the_scenarios_word(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [event("1", at(0), "bought", session="s"), event("2", at(1), "seen", session="s", type="view")],
        scenario(positive={"types": ["view"]}),
    )
    assert found == {"s": ["seen"]}


def test_a_given_session_holds_whatever_the_time_and_user(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(0), "a", user=None, session="s"),  # before the login
            event("2", at(600), "b", user="ann", session="s"),  # ten hours later: the id decides
        ],
    )
    assert found == {"s": ["a", "b"]}


def test_a_silence_longer_than_the_gap_starts_a_session(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(0), "a", user="ann"),
            event("2", at(30), "b", user="ann"),  # exactly the gap: still the same
            event("3", at(60.01), "c", user="ann"),  # longer
            event("4", at(10), "d", user="bob"),  # another user has sessions of his own
            event("5", at(70), "e", user="cyd"),
            event("6", at(95), "e", user="cyd", type="view"),  # no choice, but no silence either
            event("7", at(120), "f", user="cyd"),
            event("8", at(140), "f", user="cyd", type="impression"),  # the server's doing: silence goes on
            event("9", at(151), "g", user="cyd"),
        ],
    )
    micros = int(NOON.timestamp() * 1_000_000)
    assert found == {
        f"ann@{micros}": ["a", "b"],
        f"ann@{micros + 3_600_600_000}": ["c"],
        f"bob@{micros + 600_000_000}": ["d"],
        f"cyd@{micros + 4_200_000_000}": ["e", "f"],
        f"cyd@{micros + 9_060_000_000}": ["g"],
    }


def test_by_the_rule_of_silence_a_users_session_ids_are_not_looked_at(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(0), "a", user="ann", session="a login of weeks"),
            event("2", at(10), "b", user="ann", session="another device"),
            event("3", at(600), "c", user="ann", session="a login of weeks"),
            event("4", at(0), "d", session="of nobody"),  # nothing else holds these together
            event("5", at(600), "e", session="of nobody"),
        ],
        scenario(sessions={"rule": "silence"}),
    )
    assert sorted(found.values()) == [["a", "b"], ["c"], ["d", "e"]]


def test_without_users_no_user_is_looked_at(spark: SparkSession) -> None:
    events = [event("1", at(0), "a", user="ann", session="s"), event("2", at(0), "b", user="ann")]
    rows = sessions(spark.createDataFrame(events, EVENTS), scenario(users=False)).collect()
    assert {(row["session_id"], row["user_id"], row["item_id"]) for row in rows} == {("s", None, "a"), ("2", None, "b")}


def test_without_ratings_among_what_is_positive_none_is(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [event("1", at(0), "bought", session="s"), event("2", at(1), "liked", session="s", type="rating", value=5.0)],
        scenario(positive={"types": ["purchase"], "rating_from": None}),
    )
    assert found == {"s": ["bought"]}


def test_neither_user_nor_session_is_a_session_of_its_own(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(0), "a"),
            event("2", at(0), "b"),
            event("3", at(0), "c", user="", session=""),  # an empty id is no id
        ],
    )
    assert found == {"1": ["a"], "2": ["b"], "3": ["c"]}


def test_order_is_by_time_then_position_then_event_id(spark: SparkSession) -> None:
    found = in_sessions(
        spark,
        [
            event("1", at(1), "last", session="s"),
            event("3", at(0), "third", session="s"),  # no position: after those that have one
            event("9", at(0), "second", session="s", position=5),
            event("4", at(0), "fourth", session="s"),
            event("8", at(0), "first", session="s", position=1),
        ],
    )
    assert found == {"s": ["first", "second", "third", "fourth", "last"]}


def test_ids_of_any_characters(spark: SparkSession) -> None:
    odd = "a@1 /ü\n'\"\\%|🙂"
    found = in_sessions(spark, [event("1", at(0), odd, user=odd), event("2", at(1), odd, user=odd)])
    assert found == {f"{odd}@{int(NOON.timestamp() * 1_000_000)}": [odd, odd]}


some_events = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.sampled_from(["purchase", "view", "impression"]),
        st.sampled_from(["ann", "bob", None]),
        st.sampled_from(["s1", "s2", None, None]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_events, st.integers(0, 100))
def test_rows_before_an_instant_are_the_sessions_of_the_events_before_it(
    spark: SparkSession, drawn: list[tuple[int, str, str | None, str | None]], cut: int
) -> None:
    """So a job may cut sessions instead of events, and a training query leaks nothing of its own period."""
    rows = [
        event(str(number), at(10 * ts), "i", user=user, session=session, type=type)
        for number, (ts, type, user, session) in enumerate(drawn)
    ]
    events = spark.createDataFrame(rows, EVENTS)
    early = f"ts < timestamp '{at(10 * cut):%Y-%m-%d %H:%M:%S}'"
    cut_after = sessions(events, SAMPLE).where(early).collect()
    cut_before = sessions(events.where(early), SAMPLE).collect()
    assert Counter(map(repr, cut_after)) == Counter(map(repr, cut_before))
