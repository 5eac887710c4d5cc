"""What the timeline of a drill proves, and what it does not."""

from itertools import count
from typing import Any

import pytest

from ops.drill.timeline import Event, Timeline
from ops.drill.verdict import held, verdict

MISS = Event(
    66.0, "mail", "MISS: recommend_latency, 70 % < 98 %", "score: 80.0 ms on average, 20.0 ms in the day before"
)
PAGE = Event(68.5, "firing", "RecommendLatencyBurn", "page")
AGAIN = Event(110.0, "mail", "OK again: recommend_latency")
SUCCESS = Event(30.0, "check", "success", "6 s")
WATCHDOG = Event(9.0, "firing", "Watchdog", "none")
SHOWN = (
    Event(0.0, "phase", "start"),
    WATCHDOG,
    Event(10.0, "phase", "control"),
    SUCCESS,
    Event(50.0, "phase", "injection"),
    MISS,
    Event(66.5, "check", "failed", "7 s"),
    PAGE,
    Event(70.0, "phase", "recovery"),
    Event(71.0, "resolved", "RecommendLatencyBurn", "page"),
    AGAIN,
    Event(111.0, "phase", "end"),
)
ALL = {
    "alert_fired": True,
    "miss_mail": True,
    "cause_named": True,
    "recovery_mail": True,
    "control_silent": True,
    "detection_seconds": 18.5,
}


def with_events(*more: Event) -> list[Event]:
    return sorted((*SHOWN, *more), key=lambda event: event.at)


def without(event: Event) -> list[Event]:
    return [one for one in SHOWN if one != event]


def test_a_drill_in_which_all_was_seen_holds() -> None:
    assert verdict(SHOWN) == ALL
    assert held(verdict(SHOWN))


@pytest.mark.parametrize(
    ("events", "not_shown"),
    [
        (without(PAGE), {"alert_fired": False, "detection_seconds": None}),
        ([*without(PAGE), PAGE._replace(detail="ticket")], {"alert_fired": False, "detection_seconds": None}),
        (without(MISS), {"miss_mail": False, "cause_named": False}),
        ([*without(MISS), MISS._replace(name="MISS: model_latency, x")], {"miss_mail": False, "cause_named": False}),
        ([*without(MISS), MISS._replace(detail="encode: 9.0 ms on average")], {"cause_named": False}),
        ([*without(MISS), MISS._replace(detail="")], {"cause_named": False}),
        (without(AGAIN), {"recovery_mail": False}),
        ([*without(AGAIN), AGAIN._replace(at=69.0)], {"recovery_mail": False}),
        (with_events(PAGE._replace(at=40.0, detail="ticket")), {"control_silent": False}),
        (with_events(Event(5.0, "mail", "sla_check.judge failed")), {"control_silent": False}),
        (with_events(MISS._replace(at=45.0)), {"control_silent": False}),
        (with_events(Event(45.0, "check", "failed", "6 s")), {"control_silent": False}),
        (without(SUCCESS), {"control_silent": False}),
        (without(WATCHDOG), {"control_silent": False}),
    ],
)
def test_what_was_not_seen_or_seen_too_early_does_not_hold(events: list[Event], not_shown: dict[str, Any]) -> None:
    assert verdict(events) == ALL | not_shown
    assert not held(verdict(events))


def test_a_drill_that_never_came_to_its_injection_has_shown_nothing() -> None:
    found = verdict([event for event in SHOWN if event.at < 50])
    assert found == {**dict.fromkeys(ALL, False), "detection_seconds": None}


def test_an_alert_that_fired_in_the_control_is_not_taken_for_the_detection() -> None:
    assert verdict(with_events(PAGE._replace(at=20.0)))["detection_seconds"] == 18.5


def test_the_timeline_tells_each_event_with_its_seconds() -> None:
    told: list[str] = []
    timeline = Timeline(told.append, clock=count(100.0, 1.5).__next__)
    timeline.tell("phase", "control", "no injection")
    timeline.tell("firing", "Watchdog")
    assert told == ["   1.5 s  == control  (no injection)", "   3.0 s  ALERT FIRES: Watchdog"]
    assert timeline.events[1] == Event(3.0, "firing", "Watchdog")
