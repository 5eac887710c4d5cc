"""Training pairs: what serving would have known, and nothing of the query's own period."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from pyspark.sql import Row, SparkSession

from contract.codec import CandidateList
from contract.errors import BadInput
from contract.merge import merge_query, popular_scores
from contract.records import UserRecord
from contract.scenario import Scenario
from contract.schemas import EVENTS, ITEMS, SESSIONS, TRAINING_HISTORY, TRAINING_ITEMS, TRAINING_PAIRS
from contract.settings import Candidates, Settings, Training
from jobs.candidates.build import candidate_lists
from jobs.candidates.inputs import Inputs
from jobs.candidates.sources import weighted_sources
from jobs.features.items import item_features
from jobs.lake import Lake
from jobs.model import pairs
from jobs.model.pairs import by_cut, split_periods, training_pairs
from tests.scenarios import SAMPLE, scenario

END = datetime(2024, 6, 1, tzinfo=UTC)
# train: 20 days from 2024-05-02, the last two of them validation; test: 10 days from 2024-05-22.
TRAINING = Training(train_days=20, test_days=10, candidates=8)
SETTINGS = Settings(
    _env_file=None, training=TRAINING, candidates=Candidates(quotas={"als": 0, "content": 0}, list_length=6)
)

QUICK = {"als": 0.0, "content": 0.0, "covisitation": 0.0, "repeat": 0.0}

# (session, user, items, days before the end)
Session = tuple[str, str | None, str, float]
PAST: list[Session] = [
    ("p1", "ann", "abc", 60),
    ("p2", "ann", "abx", 50),
    ("p3", "bob", "cdy", 45),
    ("p4", None, "dez", 40),
    ("p5", None, "dew", 40),
]
TRAIN: list[Session] = [
    ("t1", "ann", "abcd", 25),
    ("t2", None, "cdx", 20),
    ("t3", "new", "ye", 15),  # a user of the train period
    ("v1", "bob", "abd", 11),
]
TEST: list[Session] = [("q1", "ann", "xcd", 8), ("q2", "new", "aby", 5), ("q3", None, "zab", 2)]
ITEM_IDS = "abcdexyzw"
CHANGED = (("late", 9.0), ("a", 9.0))


class World(NamedTuple):
    """The basket queries by id, and the item records by split of the cut and id."""

    pairs: dict[str, Row]
    items: dict[tuple[str, str], Row]
    visits: dict[str, Row]


def session_rows(sessions: Sequence[Session]) -> list[tuple[object, ...]]:
    return [
        (id, user, item, END - timedelta(days=days) + timedelta(minutes=place), "purchase", place)
        for id, user, items, days in sessions
        for place, item in enumerate(items)
    ]


def by_age(texts: Sequence[str]) -> NDArray[np.float32]:
    """The titles are "ITEM of DAYS": (1, DAYS) / DAYS, so that a version is known by its vector."""
    return np.array([(1 / float(text.split()[2].rstrip(".")), 1) for text in texts], np.float32)


def versions(more: Sequence[tuple[str, float]] = ()) -> list[tuple[object, ...]]:
    known = [(item, 90.0) for item in ITEM_IDS]
    return [
        (
            item,
            f"{item} of {days}",
            None,
            ["toys" if item in "abx" else "home"],
            2.0,
            {},
            True,
            END - timedelta(days=days),
        )
        for item, days in [*known, *more]
    ]


def world(
    spark: SparkSession,
    sessions: Sequence[Session],
    items: Sequence[tuple[str, float]] = (),
    given: Scenario = SAMPLE,
) -> World:
    found, records = training_pairs(
        spark.createDataFrame(session_rows(sessions), SESSIONS),
        spark.createDataFrame(versions(items), ITEMS),
        END,
        SETTINGS,
        given,
        by_age,
        "ages",
    )
    rows = found.collect()
    train = min(row["cut"] for row in rows)
    return World(
        {row["query_id"]: row for row in rows if row["task"] == "basket"},
        {("train" if row["cut"] == train else "test", row["item_id"]): row for row in records.collect()},
        {row["query_id"]: row for row in rows if row["task"] == "next_visit"},
    )


@pytest.fixture(scope="module")
def plain(spark: SparkSession) -> World:
    """The catalogue changes in the test period: an item appears, another gets a new title."""
    return world(spark, [*PAST, *TRAIN, *TEST], CHANGED)


def test_queries_fall_into_their_periods(plain: World) -> None:
    assert {id: row["split"] for id, row in plain.pairs.items()} == {
        **dict.fromkeys(["t1", "t2", "t3"], "train"),
        "v1": "validation",
        **dict.fromkeys(["q1", "q2", "q3"], "test"),
    }


def test_a_signal_of_the_train_period_reaches_only_the_test_split(spark: SparkSession, plain: World) -> None:
    """y and x are bought together only after the cut of train: that must show in test, and only there."""
    planted = [(f"f{n}", f"u{n}", "xy", 28 - n) for n in range(4)]
    found = world(spark, [*PAST, *TRAIN, *TEST, *planted], CHANGED)
    for id, row in plain.pairs.items():
        if row["split"] != "test":
            assert found.pairs[id] == row, id

    def score(query: Row) -> float:
        """The co-visitation score of y for a query whose context begins with x."""
        assert query["context"][0] == "x"
        place = query["sources"].index("covisitation")
        return next((entry["scores"][place] for entry in query["entries"] if entry["item_id"] == "y"), 0.0)

    of_train = [found.pairs[id] for id in ("f0", "f1", "f2", "f3")]
    assert [score(row) for row in of_train] == [0.0] * 4
    assert score(found.pairs["q1"]) > score(plain.pairs["q1"]) + 0.2
    assert found.items["train", "x"]["popularity_30d"] == plain.items["train", "x"]["popularity_30d"] == 1
    assert found.items["test", "x"]["popularity_30d"] == plain.items["test", "x"]["popularity_30d"] + 4


def test_next_visits_are_tested_beside_the_baskets(plain: World) -> None:
    assert {id: (row["split"], row["context"], row["labels"]) for id, row in plain.visits.items()} == {
        "q1": ("test", [], ["x", "c", "d"]),
        "q2": ("test", [], ["a", "b", "y"]),
    }
    assert plain.visits["q1"]["entries"]  # from ann's own list and her segment's


def test_where_nothing_is_chosen_twice_no_candidate_is_of_the_users_history(spark: SparkSession, plain: World) -> None:
    def again(found: World) -> list[str]:
        """Ann's candidates for the next visit that she chose before the cut: a, b, c, x and d."""
        return [entry["item_id"] for entry in found.visits["q1"]["entries"] if entry["item_id"] in "abcxd"]

    assert again(plain)
    once = world(spark, [*PAST, *TRAIN, *TEST], given=scenario(repeats=False))
    assert once.visits["q1"]["entries"]
    assert again(once) == []


def test_users_are_as_of_the_cut(plain: World) -> None:
    def user(id: str) -> UserRecord | None:
        raw = plain.pairs[id]["user"]
        return msgspec.json.decode(raw, type=UserRecord) if raw is not None else None

    ann = user("t1")
    assert ann is not None
    assert ann == UserRecord("ann", "toys", ("x", "b", "a", "c"), 2, 6, 2.0, ann.days_since_last)
    assert ann.days_since_last == pytest.approx(20, abs=0.01)  # of the cut, not of the query
    assert user("t2") is None  # nobody's session
    assert user("t3") is None  # the user came after the cut
    new = user("q2")
    assert new is not None
    assert set(new.history) == {"y", "e"}


def test_items_are_as_of_the_cut(plain: World) -> None:
    assert {split for split, _ in plain.items} == {"train", "test"}
    assert {item for _, item in plain.items} == set(ITEM_IDS)  # `late` came after the last cut
    assert plain.items["test", "a"]["title"] == "a of 90.0"
    assert plain.items["train", "a"]["age_days"] == pytest.approx(60)
    assert plain.items["test", "a"]["age_days"] == pytest.approx(80)


def test_candidates_are_those_of_a_request(spark: SparkSession, plain: World) -> None:
    """Read the lists of the cut one by one, as the gateway does, and merge them with the contract."""
    checked = 0
    all_sessions = spark.createDataFrame(session_rows([*PAST, *TRAIN, *TEST]), SESSIONS)
    for cut, periods in by_cut(split_periods(END, SETTINGS, SAMPLE)):
        past = all_sessions.where(f"ts < timestamp '{cut:%Y-%m-%d %H:%M:%S}'")
        items = item_features(spark.createDataFrame(versions(CHANGED), ITEMS), past, cut)
        lists = {
            (row["kind"], row["key"]): CandidateList.of(
                (
                    (entry["item_id"], row["sources"].index(entry["source"]), entry["scores"])
                    for entry in row["entries"]
                ),
                len(row["sources"]),
            )
            for row in candidate_lists(Inputs.of(past, items, cut, SETTINGS, SAMPLE, by_age)).collect()
        }
        segments = {row["item_id"]: row["segment"] for row in items.collect()}
        for row in plain.pairs.values():
            if row["split"] not in {period.split for period in periods}:
                continue
            user = msgspec.json.decode(row["user"], type=UserRecord) if row["user"] else None
            wanted = dict.fromkeys(
                [*(segments[item] for item in row["context"]), *([user.segment] if user else []), "all"]
            )
            weights = [weight for _, weight in weighted_sources(SETTINGS.candidates.quotas, repeats=True)]
            expected = merge_query(
                lists.get(("user", user.user_id)) if user else None,
                [lists["item", item] for item in row["context"] if ("item", item) in lists],
                popular_scores([lists["segment", name] for name in wanted if ("segment", name) in lists], len(weights)),
                weights,
                row["context"],
                TRAINING.candidates,
            )
            assert [entry["item_id"] for entry in row["entries"]] == list(expected.item_ids)
            assert [row["sources"].index(entry["source"]) for entry in row["entries"]] == expected.source.tolist()
            assert np.allclose([entry["scores"] for entry in row["entries"]], expected.scores)
            assert not set(row["context"]) & set(expected.item_ids)
            checked += 1
    assert checked == 7


def fill(spark: SparkSession, lake: Lake, sessions: Sequence[Session]) -> None:
    by_day: dict[str, list[tuple[object, ...]]] = {}
    for session, user, item, ts, kind, place in session_rows(sessions):
        row = (f"{session}{place}", ts, kind, user, session, item, None, None, None)
        by_day.setdefault(f"{ts:%Y-%m-%d}", []).append(row)
    for day, rows in by_day.items():
        lake.write_day(spark.createDataFrame(rows, EVENTS).coalesce(1), "events", day)
    lake.write_day(spark.createDataFrame(versions(), ITEMS), "items", "2024-03-03")


def run(lake: Lake, settings: Settings) -> None:
    args = pairs.arg_parser(settings).parse_args(["--lake", lake.root, "--date", "2024-05-31"])
    pairs.main(args, settings)


def test_the_verb_writes_both_tables_and_tells_the_recall(
    spark: SparkSession, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(spark, lake, [PAST[0], PAST[2], TRAIN[0], TEST[0]])
    every_source = Settings(_env_file=None, training=TRAINING, candidates=Candidates(als_iterations=1))
    run(lake, every_source)
    found = lake.read_day(spark, "training_pairs", "2024-05-31", TRAINING_PAIRS).collect()
    assert {(row["query_id"], row["split"], row["task"]) for row in found} == {
        ("t1", "train", "basket"),
        ("q1", "test", "basket"),
        ("q1", "test", "next_visit"),
    }
    records = lake.read_day(spark, "training_items", "2024-05-31", TRAINING_ITEMS).collect()
    assert {row["cut"] for row in records} == {row["cut"] for row in found}
    history = lake.read_day(spark, "training_history", "2024-05-31", TRAINING_HISTORY).collect()
    assert {row["session_id"] for row in history} == {"p1", "p3", "t1"}
    told = capsys.readouterr().out
    assert "train basket: 1 queries, recall@8 1.000 (covisitation 0.500, als" in told
    assert "test basket: 1 queries, recall@8" in told


def test_without_queries_or_a_past_it_says_what_to_do(spark: SparkSession, lake: Lake) -> None:
    fill(spark, lake, [*PAST[:2], TEST[0]])
    quick = SETTINGS.model_copy(update={"candidates": Candidates(quotas=QUICK)})
    with pytest.raises(BadInput, match="no session of two items lies in the train period"):
        run(lake, quick)
    fill(spark, other := Lake(f"{lake.root}-2"), TRAIN[:1])
    with pytest.raises(BadInput, match="no positive event before 2024-05-02 00:00 UTC"):
        run(other, quick)
