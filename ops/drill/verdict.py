"""Whether a drill showed what it is to show, from its timeline alone."""

from collections.abc import Iterable, Sequence
from typing import Any

from contract.slo import alert_names
from ops.drill.timeline import Event, Phase

OBJECTIVE = "recommend_latency"
ALERT = alert_names(OBJECTIVE, "events").missed
STAGE = "score"
# It always fires: were it absent, silence would say nothing.
WATCHDOG = "Watchdog"


def verdict(events: Sequence[Event]) -> dict[str, Any]:
    """What each part of the promise came to; `detection_seconds` is None where nothing fired."""
    injected, stopped = _began(events, "injection"), _began(events, "recovery")
    fired = _first(fast_burn(events), injected)
    missed = _first(mails(events, f"MISS: {OBJECTIVE},"), injected)
    recovered = _first(mails(events, f"OK again: {OBJECTIVE}"), stopped)
    return {
        "alert_fired": fired is not None,
        "miss_mail": missed is not None,
        "cause_named": missed is not None and missed.detail.partition(":")[0] == STAGE,
        "recovery_mail": recovered is not None,
        "control_silent": control_silent(events),
        "detection_seconds": round(fired.at - injected, 1) if fired and injected is not None else None,
    }


def held(found: dict[str, Any]) -> bool:
    """All of it."""
    return all(value is not None and value is not False for value in found.values())


def control_silent(events: Sequence[Event]) -> bool:
    """Until the injection nothing fired but the watchdog and nobody was mailed; and both would have been seen: the
    watchdog was there, and in the control a run of sla_check found every objective kept."""
    control, injected = _began(events, "control"), _began(events, "injection")
    if control is None or injected is None:
        return False
    before = [event for event in events if event.at < injected]
    fired = {event.name for event in before if event.kind == "firing"}
    states = {event.name for event in checks(before) if event.at >= control}
    return fired == {WATCHDOG} and states == {"success"} and not mails(before, "")


def fast_burn(events: Iterable[Event]) -> list[Event]:
    """Where the alert of the drill's objective began to fire as a page."""
    return [event for event in events if (event.kind, event.name, event.detail) == ("firing", ALERT, "page")]


def checks(events: Iterable[Event]) -> list[Event]:
    """The ends of runs of sla_check."""
    return [event for event in events if event.kind == "check"]


def mails(events: Iterable[Event], subject: str) -> list[Event]:
    """Those whose subject begins so."""
    return [event for event in events if event.kind == "mail" and event.name.startswith(subject)]


def _began(events: Iterable[Event], phase: Phase) -> float | None:
    return next((event.at for event in events if event.kind == "phase" and event.name == phase), None)


def _first(events: Iterable[Event], since: float | None) -> Event | None:
    """The first not before `since`; None where that never came."""
    return next((event for event in events if since is not None and event.at >= since), None)
