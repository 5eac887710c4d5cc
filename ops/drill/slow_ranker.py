"""`python -m ops.drill.slow_ranker FILE` is the ranker, but each score takes longer by the seconds that FILE holds."""

import sys
import time
from pathlib import Path
from typing import Any

from online.ranker.__main__ import main


class Slowed:
    """`model`, but each `run_all` takes longer by the seconds that `file` holds; by none where there is no file."""

    def __init__(self, model: Any, file: Path) -> None:
        self._model = model
        self._file = file

    def run_all(self, prepared: Any, level: Any) -> Any:
        time.sleep(self._delay())
        return self._model.run_all(prepared, level)

    def _delay(self) -> float:
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


if __name__ == "__main__":
    sys.exit(main(lambda model: Slowed(model, Path(sys.argv[1]))))
