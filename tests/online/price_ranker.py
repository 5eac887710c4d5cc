"""A ranker process with the toy scorer in place of a network: `python tests/online/price_ranker.py`."""

import logging
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contract.settings import read_settings
from online.ranker.main import Ranker
from tests.online.toy import PriceScorer

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    ranker = Ranker(read_settings(env_file=None), PriceScorer)
    signal.signal(signal.SIGTERM, lambda *_: ranker.stop())
    ranker.open_metrics_page()
    ranker.run()
