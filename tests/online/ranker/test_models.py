"""Which model is served, as the pointer moves and artifacts turn out good or bad."""

import socket
from pathlib import Path

import pytest

from contract.errors import BadInput, StoreUnreachable
from contract.records import Pointer
from online.ranker.main import Ranker
from online.ranker.metrics import RankerMetrics
from online.ranker.models import RETRY_SECONDS, ModelWatch
from tests.online.toy import PriceScorer, write_model


class Scene:
    """A pointer that the test moves, a clock that it turns, and a watch."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.model = ""
        self.reachable = True
        self.time = 0.0
        self.loads: list[str] = []
        self.metrics = RankerMetrics()
        self.watch = ModelWatch(self._pointer, models, self._load, self.metrics, 1.0, lambda: self.time)

    def _pointer(self) -> Pointer:
        if not self.reachable:
            raise StoreUnreachable("gone")
        return Pointer(model=self.model)

    def _load(self, directory: Path) -> PriceScorer:
        self.loads.append(directory.name)
        return PriceScorer(directory)

    def promote(self, version: str) -> None:
        self.model = version
        self.watch.look()

    def serving(self) -> str | None:
        return self.watch.serving.version if self.watch.serving else None

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def scene(tmp_path) -> Scene:
    for version in ("m1", "m2"):
        write_model(tmp_path, version)
    return Scene(tmp_path)


def test_the_model_of_the_pointer_is_loaded_warm_and_shown(scene) -> None:
    scene.promote("m1")

    assert scene.serving() == "m1"
    assert scene.watch.serving.warm
    assert scene.metric("rec_ranker_ready") == 1
    assert scene.metric("rec_model_info", version="m1") == 1
    assert scene.metric("rec_model_ndcg", version="m1") == 0.25
    assert scene.metric("rec_model_loads_total", outcome="loaded") == 1


def test_a_new_model_takes_the_place_of_the_old(scene) -> None:
    scene.promote("m1")
    scene.promote("m2")

    assert scene.serving() == "m2"
    assert scene.metric("rec_model_info", version="m1") is None
    assert scene.metric("rec_model_ndcg", version="m1") is None
    assert scene.metric("rec_model_info", version="m2") == 1


def test_a_model_is_loaded_once(scene) -> None:
    scene.promote("m1")
    scene.watch.look()

    assert scene.loads == ["m1"]


def test_a_bad_artifact_is_refused_with_its_reason_and_the_old_one_goes_on(scene, caplog) -> None:
    (scene.models / "bad").mkdir()
    scene.promote("m1")
    scene.promote("bad")

    assert scene.serving() == "m1"
    assert "scorer.json" in scene.watch.refusal
    assert "bad" in caplog.text
    assert scene.metric("rec_model_loads_total", outcome="refused") == 1
    assert scene.metric("rec_ranker_ready") == 1


def test_a_refused_artifact_is_not_tried_at_every_look_but_again_later(scene) -> None:
    scene.promote("late")
    scene.watch.look()
    assert scene.loads == ["late"]

    write_model(scene.models, "late")
    scene.time = RETRY_SECONDS
    scene.watch.look()
    assert scene.serving() == "late"


def test_another_model_is_tried_at_once_after_a_refusal(scene) -> None:
    scene.promote("late")
    scene.promote("m1")

    assert scene.serving() == "m1"
    assert scene.watch.refusal == ""


def test_a_directory_that_holds_another_model_is_refused(scene, monkeypatch) -> None:
    scene.watch._load = lambda directory: PriceScorer(scene.models / "m2")
    scene.promote("m1")

    assert scene.serving() is None
    assert "holds model m2" in scene.watch.refusal


@pytest.mark.parametrize("version", ["..", "a/b", "/etc"])
def test_a_pointer_cannot_lead_out_of_the_directory(scene, version) -> None:
    scene.promote(version)

    assert scene.loads == []
    assert scene.serving() is None


def test_a_withdrawn_model_is_unloaded(scene) -> None:
    scene.promote("m1")
    scene.promote("")

    assert scene.serving() is None
    assert scene.metric("rec_ranker_ready") == 0
    assert scene.metric("rec_model_info", version="m1") is None


def test_a_store_that_is_away_changes_nothing(scene) -> None:
    scene.promote("m1")
    scene.reachable = False
    scene.promote("m2")

    assert scene.serving() == "m1"


def test_a_port_that_is_taken_is_said_so(settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ranker = {**settings().ranker.model_dump(), "endpoint": f"tcp://127.0.0.1:{port}"}

        with pytest.raises(BadInput, match="PACE_RANKER__ENDPOINT"):
            Ranker(settings(ranker=ranker), PriceScorer)

        free = {**settings().ranker.model_dump(), "metrics_port": port}
        other = Ranker(settings(ranker=free), PriceScorer)
        with pytest.raises(BadInput, match="PACE_RANKER__METRICS_PORT"):
            other.open_metrics_page()
