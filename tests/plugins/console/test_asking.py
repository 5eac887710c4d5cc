"""Sources are asked each for itself: none can take the page with it, by an error or by silence."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.errors import StoreUnreachable
from pacesetter_airflow.console.asking import MOST_OPEN, Asker, Question, Trouble
from tests.online.toy import until


def question(ask: Callable[[], Any]) -> Question:
    return Question("the shelf", "books", "buy some", ask)


def fail(error: Exception) -> Callable[[], Any]:
    def ask() -> Any:
        raise error

    return ask


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """Who waits for it waits until the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_one_that_fails_leaves_the_others_their_answers() -> None:
    asked = {"a": question(lambda: 1), "b": question(fail(StoreUnreachable("Redis is down"))), "c": question(lambda: 3)}
    answers, troubles = Asker().all(asked)
    assert answers == {"a": 1, "c": 3}
    assert troubles == [Trouble("the shelf", "Redis is down", "books", "buy some")]


def test_an_error_of_a_library_is_told_with_its_kind() -> None:
    _, (trouble,) = Asker().all({"a": question(fail(TimeoutError("timed out")))})
    assert trouble.why == "TimeoutError: timed out"


def test_a_password_in_an_address_is_not_told() -> None:
    _, (trouble,) = Asker().all({"a": question(fail(OSError("s3://key:s3cret@store/lake is away")))})
    assert trouble.why == "OSError: s3://***@store/lake is away"


def test_a_password_with_an_at_sign_is_not_told() -> None:
    _, (trouble,) = Asker().all({"a": question(fail(OSError("redis://:s3@cret@store:6379/0 is away")))})
    assert trouble.why == "OSError: redis://***@store:6379/0 is away"


def test_one_that_hangs_is_not_waited_for(silence: threading.Event) -> None:
    answers, (trouble,) = Asker(0.2).all({"a": question(silence.wait), "b": question(lambda: 2)})
    assert answers == {"b": 2}
    assert trouble.why == "no answer within 0.2 s"


def test_a_question_that_is_open_is_not_asked_again(silence: threading.Event) -> None:
    begun = []

    def ask() -> str:
        begun.append(1)
        silence.wait()
        return "at last"

    asker = Asker(0.02)
    for _ in range(MOST_OPEN + 1):
        asker.all({"slow": question(ask)})
    assert begun == [1]
    until(lambda: asker.all({"quick": question(lambda: 1)})[0] == {"quick": 1}, "another answer")
    silence.set()
    until(lambda: asker.all({"slow": question(ask)})[0] == {"slow": "at last"}, "the answer")


def test_one_more_than_may_be_open_is_not_asked_and_told(silence: threading.Event) -> None:
    asker = Asker(0.02)
    asker.all({str(number): question(silence.wait) for number in range(MOST_OPEN)})
    answers, (trouble,) = asker.all({"one more": question(lambda: 1)})
    assert answers == {}
    assert trouble.why == "16 questions of pages are open already: load the page again"
    silence.set()
    until(lambda: asker.all({"one more": question(lambda: 1)})[0] == {"one more": 1}, "room")


def test_a_source_that_would_end_the_process_is_a_trouble_and_is_asked_again() -> None:
    asker = Asker()

    def leave() -> None:
        raise SystemExit("not mine to say")

    for _ in range(2):
        _, (trouble,) = asker.all({"a": question(leave)})
        assert trouble.why == "SystemExit: not mine to say"


def test_a_process_ends_though_a_source_hangs() -> None:
    program = (
        "import threading\n"
        "from pacesetter_airflow.console.asking import Asker, Question\n"
        "print(Asker(.05).all({'a': Question('', '', '', threading.Event().wait)})[1][0].why)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "no answer within 0.05 s\n"), done.stderr
