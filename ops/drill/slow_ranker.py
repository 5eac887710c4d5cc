"""`python -m ops.drill.slow_ranker FILE` is the ranker, but each score takes longer by the seconds that FILE holds."""

import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

from contract.errors import PacesetterError
from contract.settings import read_settings
from online.ranker.main import Ranker
from reranker.limits import Limits
from reranker.loading import load_reranker


class Slowed:
    """`model`, but each `run` takes longer by the seconds that `file` holds; by none where there is no file."""

    def __init__(self, model: Any, file: Path) -> None:
        self._model = model
        self._file = file

    def run(self, prepared: Any, level: Any) -> Any:
        time.sleep(self._delay())
        return self._model.run(prepared, level)

    def _delay(self) -> float:
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def main(file: Path) -> int:
    try:
        settings = read_settings()
        logging.basicConfig(level=settings.log.level)
        options = settings.ranker
        limits = Limits(options.batch_pairs, options.unseen_tokens, options.known_queries, options.levels)
        ranker = Ranker(
            settings,
            lambda directory: Slowed(load_reranker(directory, options.device, options.threads, limits), file),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ranker.stop())
        ranker.open_metrics_page()
        ranker.run()
    except PacesetterError as error:
        print(f"slo-drill ranker: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
