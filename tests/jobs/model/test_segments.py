"""Who and what a segment holds."""

from contract.codec import CandidateList
from contract.records import UserRecord
from jobs.model.dataset import Query
from jobs.model.segments import RARE_SESSIONS, SHORT_HISTORY, segments
from jobs.model.variety import variety


def asked(id: str, labels: str, history: int | None) -> Query:
    user = UserRecord("u", history=tuple(map(str, range(history)))) if history is not None else None
    return Query(id, user, (), frozenset(labels), CandidateList.empty(1), {}, ("s",))


def test_queries_by_user_and_labels_by_item() -> None:
    queries = [
        asked("nobody", "a", None),
        asked("empty", "r", 0),
        asked("short", "ar", SHORT_HISTORY - 1),
        asked("long", "nr", SHORT_HISTORY),
    ]
    found = segments(queries, {"a": RARE_SESSIONS + 1, "r": RARE_SESSIONS})
    assert {name: set(labels) for name, labels in found.items()} == {
        "new users": {"nobody", "empty"},
        "short histories": {"short"},
        "long histories": {"long"},
        "new items": {"long"},
        "new or rare items": {"empty", "short", "long"},
        "other items": {"nobody", "short"},
    }
    assert found["short histories"]["short"] == {"a", "r"}
    assert found["new or rare items"]["short"] == {"r"}
    assert found["new items"]["long"] == {"n"}


def test_a_segment_of_nobody_is_left_out() -> None:
    assert list(segments([asked("one", "a", 3)], {"a": 99})) == ["short histories", "other items"]


def test_variety_counts_the_first_ten_places() -> None:
    ten = tuple("abcdefghij")
    found = variety({"x": (*ten, "k"), "y": ten}, dict.fromkeys("abcdefghij", 4), sessions=8, catalogue=40)
    assert (found.coverage, found.novelty) == (10 / 40, 1.0)
    assert variety({"x": ("new",)}, {}, sessions=8, catalogue=40).novelty == 3.0  # as if in one session
    assert variety({"x": ()}, {}, 8, 40).coverage == 0.0
