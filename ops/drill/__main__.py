"""`make slo-drill`: scoring is slowed by 150 ms, and whoever is to notice has to: Alertmanager and sla_check.

Prints a timeline and, last, a line of JSON; exits 0 only if all of it holds. Every server is this process's own, on
loopback and in a folder of its own; whatever way it ends, they end with it.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from contract.errors import PacesetterError
from contract.slo import read_slo
from ops.drill.phases import run_phases
from ops.drill.places import OBJECTIVES, PROJECT, drill_settings
from ops.drill.stack import running
from ops.drill.timeline import Timeline
from ops.drill.verdict import held, verdict
from ops.embedded.demo import INTERRUPTED, Ended, end_on_signal
from ops.embedded.programs import Folders
from ops.embedded.servers import SERVERS, ensure
from ops.embedded.stack import SIGNALS


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make slo-drill", description="Is a slow stage noticed, and named?")
    parser.add_argument("--keep", action="store_true", help="keep the logs and mails (make slo-drill KEEP=1)")
    keep = parser.parse_args(argv).keep
    for name in [name for name in os.environ if name.startswith("PACE_")]:
        del os.environ[name]  # a drill is the same everywhere
    for number in SIGNALS:
        signal.signal(number, end_on_signal)
    timeline = Timeline(lambda line: print(line, flush=True))
    folders = Folders(Path(tempfile.mkdtemp(prefix="slo-drill-")))
    try:
        drill(folders, timeline)
        status = 0 if held(verdict(timeline.events)) else 1
    except Ended:
        status = INTERRUPTED
    except (PacesetterError, OSError, subprocess.SubprocessError) as error:
        print(f"slo-drill: {error}", file=sys.stderr, flush=True)
        status = 1
    os.chdir(PROJECT)
    if keep or status == 1:
        print(f"logs and mails are in {folders.var}")
    else:
        shutil.rmtree(folders.project, ignore_errors=True)
    if status != INTERRUPTED:
        print(json.dumps(verdict(timeline.events)))
    return status


def drill(folders: Folders, timeline: Timeline) -> None:
    """Raises PacesetterError or OSError where the stack does not come up."""
    os.chdir(folders.project)  # the servers read the `.env` of where they run: here is none
    ensure(SERVERS, lambda line: timeline.tell("note", line))
    if missing := [server.name for server in SERVERS if server.path() is None]:
        raise PacesetterError(f"there is no drill without {' and '.join(missing)}")
    slo, settings, delay = read_slo(OBJECTIVES), drill_settings(folders.project), folders.project / "slow"
    timeline.tell("phase", "start", f"{OBJECTIVES.relative_to(PROJECT)}")
    with running(settings, slo, folders, delay, lambda text: timeline.tell("note", text)) as airflow:
        run_phases(settings, slo, airflow, delay, folders.var / "mails", timeline)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
