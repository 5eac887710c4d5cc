"""The Flask app: everything wired once, in `create_app`."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flask import Flask

from contract.keys import Keys
from contract.settings import Settings
from contract.store.answers import AnswerCache
from contract.store.connection import connect
from contract.store.impressions import ImpressionLog
from contract.store.reader import Reader
from online.gateway.breaker import Breaker
from online.gateway.generations import Generations
from online.gateway.impressions import ImpressionQueue
from online.gateway.machines import machines_blueprint
from online.gateway.metrics import GatewayMetrics
from online.gateway.monitor import Monitor, monitor_blueprint
from online.gateway.monitor_page import monitor_page_blueprint
from online.gateway.openapi import openapi_document
from online.gateway.problems import answer_with_problems
from online.gateway.query import bounded_request, check_budgets
from online.gateway.ranker_pool import RankerPool
from online.gateway.recommend import ROUTE, RecommendCall, recommend_blueprint
from online.gateway.recommender import Recommender
from online.gateway.short_way import ShortWayFlask
from online.gateway.standby import Pulse
from online.gateway.telemetry.telemetry import Telemetry, telemetry_of

# An append is off the request path, so it may take longer than a read.
EVENTS_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Background:
    """What runs beside the requests; found in `app.extensions["background"]`."""

    pulse: Pulse
    impressions: ImpressionQueue
    monitor: Monitor
    ranker: RankerPool
    telemetry: Telemetry

    def start(self) -> None:
        """Warm up, then start the threads: the app is ready, or says in /readyz why it is not."""
        self.pulse.start()
        self.impressions.start()
        self.telemetry.start()
        self.monitor.start()

    def stop(self) -> None:
        """End the threads and write the impressions held; no request may be in flight any more."""
        self.monitor.stop()
        self.pulse.stop()
        self.impressions.stop()
        self.ranker.close()
        self.telemetry.stop()


def create_app(settings: Settings) -> Flask:
    """A ready app with its background running; call `stop` of `app.extensions["background"]` at the end.

    Raises BadInput for settings that cannot hold together. A Redis that is down is no error: /readyz says so.
    """
    limits = settings.gateway
    check_budgets(limits, settings.redis.timeout_seconds)
    keys = Keys(settings.redis.prefix)
    serving = connect(settings.redis.url, settings.redis.timeout_seconds, settings.redis.cluster)
    events = connect(settings.events.url, EVENTS_TIMEOUT_SECONDS)
    metrics = GatewayMetrics()
    reader = Reader(serving, keys)
    generations = Generations(reader, limits.known_items)
    ranker = RankerPool(limits.rankers or (settings.ranker.endpoint,), limits.ranker_outstanding)
    store_breaker = Breaker()
    pulse = Pulse(reader, generations, store_breaker, ranker, metrics, limits.refresh_seconds)
    impressions = ImpressionQueue(
        ImpressionLog(events, keys, settings.events.stream_max_length), metrics, limits.impressions_waiting
    )
    recommender = Recommender(
        reader,
        AnswerCache(serving, keys, limits.cache_ttl_seconds),
        generations,
        ranker,
        pulse,
        store_breaker,
        metrics,
        limits,
        settings.redis.timeout_seconds,
    )
    monitor = Monitor(metrics, pulse, Path(settings.monitoring.objectives))
    telemetry = telemetry_of(settings, metrics)
    model = bounded_request(limits)

    call = RecommendCall(model, recommender, impressions, telemetry, limits.timeout_ms, limits.max_body_bytes)

    app = ShortWayFlask(__name__, ROUTE, call.answer)
    app.config["MAX_CONTENT_LENGTH"] = limits.max_body_bytes
    answer_with_problems(app)
    app.register_blueprint(recommend_blueprint(call))
    app.register_blueprint(monitor_blueprint(monitor))
    app.register_blueprint(monitor_page_blueprint())
    app.register_blueprint(machines_blueprint(metrics, pulse, openapi_document(model, _version())))
    background = Background(pulse, impressions, monitor, ranker, telemetry)
    app.extensions["background"] = background
    background.start()
    return app


def _version() -> str:
    try:
        return version("pacesetter")
    except PackageNotFoundError:
        return "0"
