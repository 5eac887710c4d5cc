"""`python -m online.ranker` scores for the gateways until SIGTERM."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from contract.allocation import keep_freed_memory
from contract.errors import PacesetterError
from contract.settings import Settings, read_settings
from online.logs import write_logs
from online.ranker.main import Ranker
from online.ranker.models import Scorer


def _as_loaded(model: Scorer) -> Scorer:
    return model


def main(changed: Callable[[Scorer], Scorer] = _as_loaded) -> int:
    """The process until its end; each model that it loads scores as `changed` gives it back."""
    keep_freed_memory()
    try:
        settings = read_settings()
        write_logs(settings.log)
        ranker = _ranker(settings, changed)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ranker.stop())
        ranker.open_metrics_page()
        ranker.run()
    except PacesetterError as error:
        print(f"pacesetter ranker: {error}", file=sys.stderr)
        return 2
    return 0


def _ranker(settings: Settings, changed: Callable[[Scorer], Scorer]) -> Ranker:
    # Read as torch is loaded: how long its threads spin for the next operation before they sleep. libgomp's own 300,000
    # rounds outlast the Python between two requests: 143 ms of CPU a request instead of 131, at the same speed.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    from reranker.encoders import import_all
    from reranker.limits import Limits
    from reranker.loading import load_reranker

    options = settings.ranker
    limits = Limits(options.batch_pairs, options.unseen_tokens, options.known_queries, options.levels)

    @cache
    def forget_imports() -> None:
        """What has been imported stays: garbage collection that goes through it stops all scoring for 190 ms."""
        import_all()
        gc.collect()
        gc.freeze()

    def load(directory: Path) -> Scorer:
        forget_imports()  # before there is a model: these come and go
        return changed(load_reranker(directory, options.device, options.threads, limits))

    return Ranker(settings, load)


if __name__ == "__main__":
    sys.exit(main())
