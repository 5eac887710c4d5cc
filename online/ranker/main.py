"""Wires the ranker process; the loader of models is handed in, so that tests need no torch."""

import logging
from pathlib import Path

from prometheus_client import start_http_server

from contract.errors import BadInput
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.query_states import QueryStates
from contract.store.reader import Reader
from online.ranker.batching import Batcher
from online.ranker.budget import LevelCosts
from online.ranker.catalogue import Catalogue
from online.ranker.metrics import RankerMetrics
from online.ranker.models import Load, ModelWatch
from online.ranker.query_shelf import SharedQueries
from online.ranker.scoring import Scoring
from online.ranker.server import RankerServer
from online.ranker.states import StateFeed

log = logging.getLogger(__name__)


class Ranker:
    """The whole process: metrics page, model watch, server, and the queries that rankers share, if they do."""

    def __init__(self, settings: Settings, load: Load) -> None:
        self._settings = settings
        keys = Keys(settings.redis.prefix)
        connection = connect(settings.redis.url, settings.redis.timeout_seconds, settings.redis.cluster)
        reader = Reader(connection, keys)
        # Blocks of states are some MB each, and nobody waits for them.
        redis = settings.redis
        patient = Reader(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), keys)
        self.metrics = RankerMetrics()
        ttl = settings.ranker.query_ttl_seconds
        self.shelf = SharedQueries(QueryStates(connection, keys, ttl)) if ttl else None
        feed = StateFeed(patient, self.metrics)
        self.watch = ModelWatch(
            reader.pointer,
            Path(settings.night.models),
            load,
            self.metrics,
            settings.ranker.poll_seconds,
            follow=feed.follow,
            shelf=self.shelf,
        )
        cost = LevelCosts(settings.ranker.levels)
        catalogue = Catalogue(reader, settings.ranker.known_items)
        batcher = Batcher(self.watch, cost, settings.ranker.batch_ms / 1000)
        scoring = Scoring(batcher, catalogue, cost, self.metrics)
        self.server = RankerServer(
            settings.ranker.endpoint, batcher, scoring, cost, self.metrics, settings.ranker.queue_length
        )

    def open_metrics_page(self) -> None:
        """Serve /metrics beside the requests until the process ends. Raises BadInput: port in use."""
        ranker = self._settings.ranker
        try:
            start_http_server(ranker.metrics_port, ranker.host, self.metrics.registry)
        except OSError as error:
            raise BadInput(
                f"ranker.metrics_port {ranker.host}:{ranker.metrics_port}: {error} (PACE_RANKER__METRICS_PORT)"
            ) from error

    def run(self) -> None:
        """Serve until `stop`. A model is warm before it answers; until then every request is refused at once."""
        try:
            if self.shelf is not None:
                self.shelf.start()
            self.watch.start()
            log.info("ranking on %s", self._settings.ranker.endpoint)
            self.server.run()
        finally:
            self.watch.stop()
            if self.shelf is not None:
                self.shelf.stop()

    def stop(self) -> None:
        self.server.stop()
