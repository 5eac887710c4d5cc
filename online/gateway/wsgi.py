"""What a server process of granian loads: `online.gateway.wsgi:build`, a factory."""

import gc
import signal
from multiprocessing.util import Finalize

from flask import Flask

from contract.settings import read_settings
from online.gateway.app import create_app
from online.gateway.one_core import keep_to_one_core
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
    if settings.gateway.one_core:
        keep_to_one_core()
    # What is there now stays as long as the process: a collection that goes through it stops all answers for 40 ms.
    gc.collect()
    gc.freeze()
    return app
