"""Which days are for training, for validation and for testing."""

from datetime import UTC, datetime

from contract.settings import Settings, Training
from jobs.model.pairs import split_periods
from tests.scenarios import SAMPLE

END = datetime(2024, 6, 1, tzinfo=UTC)
TRAINING = Training(train_days=20, test_days=10)
SETTINGS = Settings(_env_file=None, training=TRAINING)


def test_validation_is_the_end_of_train() -> None:
    train, validation, test, visits = split_periods(END, SETTINGS, SAMPLE)
    assert (train.start, train.end) == (datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 20, tzinfo=UTC))
    assert (validation.start, validation.end) == (train.end, test.start)
    assert (test.start, test.end) == (datetime(2024, 5, 22, tzinfo=UTC), END)
    assert train.cut == validation.cut == train.start
    assert test.cut == test.start
    assert visits == test._replace(task="next_visit")
    assert (validation.limit, test.limit) == (300, 200)  # the frontier's, and those tested


def test_train_may_have_several_cuts() -> None:
    several = SETTINGS.model_copy(update={"training": TRAINING.model_copy(update={"cut_days": 7})})
    of_train = split_periods(END, several, SAMPLE)[:-2]
    days = [(period.split, period.start.day, period.end.day, period.cut.day) for period in of_train]
    assert days == [("train", 2, 9, 2), ("train", 9, 16, 9), ("train", 16, 20, 16), ("validation", 20, 22, 16)]
