"""Where the gateway's CPU goes in one recommend call: a replay through the WSGI app, in one thread, booked by part."""

import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contract.settings import Settings

ROUNDS = 5
RANKER_SECONDS = 60.0  # until a ranker that was started must have answered


class CpuLedger:
    """Wraps callables and books the CPU time of this thread on their part, without what they call inside.

    Booking costs under a microsecond a call, and the wrapped calls are few: unlike under a profiler that
    looks at every call, small functions do not look dear.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = [0]
        self._undo: list[tuple[Any, str, Any]] = []

    def book(self, part: str, owner: Any, name: str) -> None:
        """Replace `owner.name` by a wrapper until `close`."""
        original = getattr(owner, name)
        self._undo.append((owner, name, original))
        setattr(owner, name, self._wrapped(part, original))

    def close(self) -> None:
        for owner, name, original in reversed(self._undo):
            setattr(owner, name, original)

    def _wrapped(self, part: str, original: Callable[..., Any]) -> Callable[..., Any]:
        self.seconds.setdefault(part, 0.0)
        clock, inner, seconds = time.thread_time_ns, self._inner, self.seconds

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inner.append(0)
            began = clock()
            try:
                return original(*args, **kwargs)
            finally:
                spent = clock() - began
                seconds[part] += (spent - inner.pop()) / 1e9
                inner[-1] += spent

        return wrapper


def split(settings: Settings, paths: Sequence[str], level: str, ranked: bool = False) -> dict[str, float]:
    """Microseconds a request by part, the HTTP server's not among them: the least disturbed of ROUNDS.

    `ranked`: a ranker answers at the settings' endpoint and is asked. Raises SystemExit if the answers were not all of
    `level`: then something else was measured.
    """
    from online.gateway.app import create_app

    app = create_app(settings)
    background = app.extensions["background"]
    if ranked:
        until_ranked(lambda: background.pulse.ranker)
    # Their threads; what they do is done here, and booked.
    background.impressions.stop()
    background.telemetry.stop()
    environments = [environment(path) for path in paths]
    replay(app, environments)
    background.impressions.drain()
    background.telemetry.settle()
    found: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        ledger = CpuLedger()
        for part, owner, name in (*_call_parts(), *(_ranker_parts() if ranked else ())):
            ledger.book(part, owner, name)
        thread = zeromq_seconds()
        total = replay(app, environments)
        ledger.close()
        seconds = {**ledger.seconds, "request and answer": total - sum(ledger.seconds.values())}
        if ranked:
            seconds["ranker: ZeroMQ's thread"] = zeromq_seconds() - thread
        for part, rest in (("impressions", background.impressions.drain), ("watching", background.telemetry.settle)):
            began = time.thread_time()
            rest()
            seconds[part] += time.thread_time() - began
        found.append({part: spent / len(paths) * 1e6 for part, spent in seconds.items()})
    levels = background.monitor.report()["windows"]["15m"]["levels"]
    background.stop()
    if set(levels) != {level}:
        raise SystemExit(
            f"the replay was to be answered at level {level}, and was at {levels}: the machine is too busy"
        )
    return min(found, key=lambda parts: sum(parts.values()))


def _call_parts() -> tuple[tuple[str, Any, str], ...]:
    """(part, owner, name) of what is booked in every call."""
    from contract.store import reader
    from online.gateway import recommend, recommender
    from online.gateway.stages import RequestClock
    from online.gateway.telemetry.telemetry import Telemetry

    return (
        ("Redis", reader, "round_trip"),
        ("Redis", reader.Reader, "_values_of"),
        ("decoding lists", reader, "decode_candidates"),
        ("merging lists", recommender, "merge_query"),
        ("validation", recommend, "from_query"),
        ("slate and JSON", recommender, "keep"),
        ("slate and JSON", recommender, "slate_items"),
        ("slate and JSON", recommender.Slate, "of"),
        ("slate and JSON", recommend, "untimed_body"),
        ("slate and JSON", recommend, "answer_body"),
        ("impressions", recommend.RecommendCall, "_log_impression"),
        ("watching", RequestClock, "timing"),
        ("watching", Telemetry, "note"),
        ("the rest of the call", recommender.Recommender, "recommend"),
    )


def _ranker_parts() -> tuple[tuple[str, Any, str], ...]:
    """What is booked besides where the ranker is asked."""
    from online.gateway import ranker_client, recommender, reranking

    return (
        ("ranker: encoding candidates", recommender.CandidateList, "take"),
        ("ranker: encoding candidates", reranking, "encode_candidates"),
        ("ranker: frames", ranker_client, "encode"),
        ("ranker: frames", ranker_client, "decode_answer"),
        ("ranker: send, wait, receive", ranker_client._Line, "ask"),
        ("ranker: the rest", recommender, "model_scores"),
        ("slate and JSON", recommender, "in_model_order"),
    )


def until_ranked(state: Callable[[], str]) -> None:
    """Wait until `state`, what a gateway says of its ranker, is that it serves a model."""
    deadline = time.monotonic() + RANKER_SECONDS
    while not (said := state()).startswith("serves"):
        if time.monotonic() > deadline:
            raise SystemExit(f"the ranker was not there within {RANKER_SECONDS:g} s: {said}")
        time.sleep(0.05)


def zeromq_seconds() -> float:
    """CPU that the I/O threads of ZeroMQ have used in this process so far."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if (task / "comm").read_text().startswith("ZMQbg/IO")]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def replay(app: Callable[..., Any], environments: Sequence[dict[str, Any]]) -> float:
    """CPU seconds of this thread for answering all of them."""
    began = time.thread_time()
    for one in environments:
        answer = app(dict(one), lambda status, headers, error=None: None)
        b"".join(answer)
    return time.thread_time() - began


def environment(path: str) -> dict[str, Any]:
    """A GET as a WSGI server hands it over."""
    route, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": route, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip
