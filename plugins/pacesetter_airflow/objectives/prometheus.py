"""Instant queries over the HTTP API of Prometheus, with one budget of time for all that is asked."""

import time
from typing import Any, NamedTuple

import requests

# Longest wait for one answer. Prometheus itself gives a query up after two minutes.
REQUEST_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 4.0


class NoAnswer(Exception):
    """Prometheus did not answer within the budget; the text says from where, and the last reason."""


class Refused(Exception):
    """Prometheus answered that it cannot answer: asking again would not help."""


class Sample(NamedTuple):
    labels: dict[str, str]
    value: float


class Answer(NamedTuple):
    """`warnings` say what is missing from the samples, e.g. because a remote store did not answer."""

    samples: list[Sample]
    warnings: list[str]


class Prometheus:
    """The one at `url`. The budget of `patience_seconds` begins here and is shared by all questions.

    A connection that fails, a timeout and a 5xx are asked again, after pauses that double, until the budget is spent.
    """

    def __init__(self, url: str, patience_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._patience_seconds = patience_seconds
        self._deadline = time.monotonic() + patience_seconds

    def ask(self, query: str, at: float) -> Answer:
        """What `query` yields at the Unix time `at`. Raises NoAnswer, or Refused with Prometheus' own words."""
        pause, why = FIRST_PAUSE_SECONDS, "the questions before took all of it"
        while (left := self._deadline - time.monotonic()) > 0:
            try:
                response = requests.get(
                    f"{self.url}/api/v1/query",
                    params={"query": query, "time": f"{at:.3f}"},
                    timeout=min(REQUEST_SECONDS, left),
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                why = type(error).__name__
            except requests.RequestException as error:
                raise NoAnswer(f"{self.url} cannot be asked: {error}") from error
            else:
                if response.status_code < 500:
                    return _read(response)
                why = f"HTTP {response.status_code}"
            time.sleep(max(0.0, min(pause, self._deadline - time.monotonic())))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        raise NoAnswer(f"no answer from {self.url} within {self._patience_seconds:g} s ({why})")


def _read(response: requests.Response) -> Answer:
    try:
        body = response.json()
        if body["status"] != "success":
            raise Refused(f"Prometheus refuses the query: {body.get('error', response.status_code)}")
        return Answer(_samples(body["data"]), list(body.get("warnings") or ()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"HTTP {response.status_code}, {type(error).__name__}"
        raise Refused(f"{response.url.partition('?')[0]} does not answer as Prometheus does ({what})") from error


def _samples(data: dict[str, Any]) -> list[Sample]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return [Sample({}, float(result[1]))]
    if kind != "vector":
        raise Refused(f"the query yields a {kind}, not numbers of one time")
    return [Sample(dict(series["metric"]), float(series["value"][1])) for series in result]
