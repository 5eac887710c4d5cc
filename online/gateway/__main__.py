"""`python -m online.gateway` serves the app with granian until SIGTERM; requests in flight are answered."""

import os
import shutil
import sys
import tempfile
import time

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from contract.errors import PacesetterError
from contract.settings import Settings, read_settings
from online.gateway.query import check_budgets
from online.gateway.windows import STARTED_VARIABLE

# A request has max_timeout_ms; a worker that outlives it by this much is stuck.
STOP_GRACE_SECONDS = 5


def main() -> int:
    try:
        settings = read_settings()
        check_budgets(settings.gateway, settings.redis.timeout_seconds)
    except PacesetterError as error:
        print(f"pacesetter gateway: {error}", file=sys.stderr)
        return 2
    if settings.gateway.workers == 1:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        serve(settings)
        return 0
    # prometheus_client looks for it when it is imported, which only the workers do.
    shared = tempfile.mkdtemp(prefix="pacesetter-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
    os.environ[STARTED_VARIABLE] = str(time.monotonic())
    try:
        serve(settings)
    finally:
        shutil.rmtree(shared, ignore_errors=True)
    return 0


def serve(settings: Settings, factory: str = "online.gateway.wsgi:build") -> None:
    """Until SIGTERM."""
    gateway = settings.gateway
    Granian(
        factory,
        factory=True,
        interface=Interfaces.WSGI,
        address=gateway.host,
        port=gateway.port,
        workers=gateway.workers,
        blocking_threads=gateway.threads,
        blocking_threads_idle_timeout=600,
        log_level=LogLevels(settings.log.level.lower()),
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=int(gateway.max_timeout_ms / 1000) + STOP_GRACE_SECONDS,
        process_name="pacesetter-gateway",
    ).serve()


if __name__ == "__main__":
    sys.exit(main())
