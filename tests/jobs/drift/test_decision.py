"""When drift sets off a training, and when it must not."""

from contract.slo import Verdict
from jobs.drift.decision import DAY_SECONDS, decide
from jobs.drift.signals import Signal

NOW = 1_700_000_000.0
OK = Signal("items", 0.1, 0.3, Verdict.OK, "")
MOVED = Signal("scores", 0.5, 0.25, Verdict.MISS, "")
UNKNOWN = Signal("impressions", None, 0.1, Verdict.UNKNOWN, "")


def ago(days: float) -> float:
    return NOW - days * DAY_SECONDS


def test_what_moved_past_its_bound_sets_off_a_training() -> None:
    found = decide([OK, MOVED, UNKNOWN], ago(7), None, NOW, min_days=7)
    assert (found.retrain, found.why) == (True, "past its bound: scores 0.5 > 0.25")


def test_nothing_moved_and_nothing_known_set_off_nothing() -> None:
    still, blind = (decide(signals, ago(99), None, NOW, 7) for signals in ([OK, UNKNOWN], [UNKNOWN]))
    assert (still.retrain, still.why) == (False, "no signal is past its bound; unknown: impressions")
    assert (blind.retrain, blind.why) == (False, "nothing could be judged; unknown: impressions")


def test_a_model_of_late_is_not_trained_again() -> None:
    found = decide([MOVED], ago(6.9), None, NOW, 7)
    assert not found.retrain
    assert found.why.endswith("but the newest model was trained 6.9 days ago, and 7 must lie between")


def test_a_training_that_left_no_model_counts_too() -> None:
    found = decide([MOVED], ago(30), ago(2), NOW, 7)
    assert not found.retrain
    assert "drift last set off a training 2.0 days ago" in found.why
    assert decide([MOVED], ago(30), ago(8), NOW, 7).retrain


def test_without_a_wait_every_look_may_set_one_off() -> None:
    assert decide([MOVED], NOW, NOW, NOW, min_days=0).retrain
    assert decide([MOVED], None, None, NOW, min_days=7).retrain
