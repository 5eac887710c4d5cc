"""A night's verbs, and requests to the servers that answer from it."""

import json
import socket
import time
import urllib.request
from typing import Any
from urllib.parse import urlencode

NIGHT = (
    ("validate", "--suite", "events", "--suite", "items"),
    ("features",),
    ("validate", "--suite", "features"),
    ("candidates",),
    ("validate", "--suite", "candidates"),
    ("publish",),
    ("training_pairs",),
    ("train",),
    ("prune",),
    ("evaluate", "--baselines", "all"),
    ("gate",),
    ("promote",),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(environment: dict[str, str], path: str, **parameters: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{environment['PACE_GATEWAY__PORT']}{path}?{urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return dict(json.load(answer))


def until(true: Any, seconds: float) -> Any:
    """Call `true` until it returns something true; its last exception or a timeout otherwise."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := true():
                return found
        except OSError:
            if time.monotonic() > end:
                raise
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.2)
