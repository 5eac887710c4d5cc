"""A drill's phases: all is well, every score is slowed, all is well again."""

from pathlib import Path

from contract.settings import Settings
from contract.slo import Slo
from ops.drill.checks import Checks
from ops.drill.timeline import Phase, Timeline
from ops.drill.traffic import Traffic
from ops.drill.verdict import ALERT, WATCHDOG, checks, verdict
from ops.drill.watch import Watch
from ops.embedded.airflow_api import AirflowApi

INJECTED_SECONDS = 0.15
# Beyond what the windows ask for: of the control; and for a run of sla_check on two busy cores, and the mails' way.
MORE_SECONDS, PATIENCE_SECONDS = 10.0, 45.0


def run_phases(settings: Settings, slo: Slo, airflow: AirflowApi, delay: Path, mails: Path, timeline: Timeline) -> None:
    """Control, injection and recovery, each as long as it takes to see what it is to show.

    `delay` is the slowed ranker's file, `mails` the catcher's Maildir. Raises requests.RequestException where
    Alertmanager does not answer.
    """
    fast = min((rate for rate in slo.burn_rates if rate.severity == "page"), key=lambda rate: rate.long)
    watch = Watch(settings.monitoring.alertmanager_url, mails, timeline)

    def found(*parts: str) -> bool:
        now = verdict(timeline.events)
        return all(now[part] for part in parts)

    with Traffic(settings) as traffic, Checks(airflow, lambda state, s: timeline.tell("check", state, f"{s:.0f} s")):

        def begin(phase: Phase, detail: str = "") -> None:
            timeline.tell("note", f"answers until then: {traffic.taken()}")
            timeline.tell("phase", phase, detail)

        watch.look_until(lambda: watch.fires(WATCHDOG), PATIENCE_SECONDS)
        begin("control", "no injection")
        # Longer than the windows that are alerted on and judged: what fires in the injection could have fired here.
        watch.look_until(lambda: False, max(fast.long, slo.judged) + MORE_SECONDS)
        # Just after a run of sla_check: the next one finds more than the first slow answers in its window.
        runs = len(checks(timeline.events))
        watch.look_until(lambda: len(checks(timeline.events)) > runs, PATIENCE_SECONDS)
        begin("injection", f"each score takes {1000 * INJECTED_SECONDS:.0f} ms longer")
        slow(delay)
        watch.look_until(lambda: found("alert_fired", "miss_mail"), fast.long + PATIENCE_SECONDS)
        delay.unlink()
        begin("recovery", "no injection")
        watch.look_until(lambda: found("recovery_mail") and not watch.fires(ALERT), slo.judged + PATIENCE_SECONDS)
        begin("end")


def slow(delay: Path) -> None:
    """In one step: the ranker must not read half of it."""
    partial = delay.with_suffix(".partial")
    partial.write_text(str(INJECTED_SECONDS))
    partial.replace(delay)
