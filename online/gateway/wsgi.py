"""What a server process of granian loads: `online.gateway.wsgi:build`, a factory."""

import signal
from multiprocessing.util import Finalize

from flask import Flask

from contract.settings import read_settings
from online.gateway.app import create_app
from online.logs import write_logs


def build() -> Flask:
    """The app of this process. On its way out, after the last answer, the background is stopped."""
    # Until granian has set its own handlers, the one inherited from its parent would swallow a SIGTERM.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings = read_settings()
    write_logs(settings.log)
    app = create_app(settings)
    # A process of multiprocessing runs its finalizers, and no atexit handlers.
    Finalize(None, app.extensions["background"].stop, exitpriority=10)
    return app
