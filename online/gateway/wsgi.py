"""What a server process of granian loads: `online.gateway.wsgi:build`, a factory."""

import logging
import signal
from multiprocessing.util import Finalize

from flask import Flask

from contract.settings import read_settings
from online.gateway.app import create_app


def build() -> Flask:
    """The app of this process. On its way out, after the last answer, the background is stopped."""
    # Until granian has set its own handlers, the one inherited from its parent would swallow a SIGTERM.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings = read_settings()
    logging.basicConfig(level=settings.log.level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app(settings)
    # A process of multiprocessing runs its finalizers, and no atexit handlers.
    Finalize(None, app.extensions["background"].stop, exitpriority=10)
    return app
