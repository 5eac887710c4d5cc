"""The verbs from training pairs to the live model, each finding what the one before left."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from contract.errors import ArtifactMismatch, BadInput, PublishRefused
from contract.keys import Keys
from contract.settings import Redis, Settings
from contract.store.pointer import read_pointer
from contract.store.publisher import set_model
from jobs.lake import Lake
from jobs.model import evaluate, promote, prune, train
from jobs.model.baselines.registry import BASELINES
from jobs.model.comparison import PAIRS
from jobs.model.dataset import read_queries
from jobs.model.evaluation import ORDER, STUDENT, Estimate, Evaluation, read_evaluation, write_evaluation
from jobs.model.folders import ModelFolders
from reranker.manifest import read_manifest
from reranker.scoring import load_reranker
from tests.colour_shop import DAY
from tests.scenarios import SAMPLE


def run(verb: Any, settings: Settings, *arguments: str) -> None:
    verb.main(verb.arg_parser(settings).parse_args(arguments), settings)


@pytest.fixture(scope="module")
def night(base: Path, lake_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose `models` hold one teacher, its student and the student's evaluation."""
    from tests.jobs.model.conftest import shop_settings

    settings = shop_settings(base, lake_root, tmp_path_factory.mktemp("night") / "models")
    for verb in (train, prune):
        run(verb, settings)
    run(evaluate, settings, "--teacher", "--depth", "9", "--baselines", "all")
    return settings


@pytest.fixture
def folders(night: Settings) -> ModelFolders:
    return ModelFolders(night.night.models)


@pytest.fixture
def serving(night: Settings, valkey_url: str, client: Any) -> Settings:
    """The same settings with a Redis of its own."""
    return night.model_copy(update={"redis": Redis(url=valkey_url, prefix="test", publish_timeout_seconds=5.0)})


@pytest.fixture
def as_evaluated(folders: ModelFolders) -> Iterator[Evaluation]:
    """The evaluation; put back after a test has written another."""
    version = folders.newest_evaluated()
    found = read_evaluation(folders.evaluation(version))
    yield found
    write_evaluation(folders.evaluation(version), found)


def with_gain(found: Evaluation, gain: float) -> Evaluation:
    row = msgspec.structs.replace(found.rankers[STUDENT], gain=Estimate(gain, gain - 0.1, gain + 0.1))
    return msgspec.structs.replace(found, rankers=found.rankers | {STUDENT: row})


def test_the_teacher_and_the_student_say_how_they_were_made(folders: ModelFolders) -> None:
    teacher, student = (read_manifest(place) for place in (folders.teacher(""), folders.student("")))
    assert (teacher.role, teacher.layers, teacher.date) == ("teacher", 4, DAY)
    assert (student.role, student.layers, student.teacher) == ("student", 2, teacher.version)
    assert student.training["train_queries"] == 40
    assert student.training["seed"] == 3
    assert student.metrics["validation_queries"] == 5
    assert 0 < student.metrics["validation_ndcg10"] <= 1
    assert student.metrics["loss"] < student.metrics["loss_first"]


def test_the_evaluation_compares_on_the_same_queries(folders: ModelFolders) -> None:
    found = read_evaluation(folders.evaluation(folders.newest_evaluated()))
    assert (found.queries, found.depth, found.date) == (12, 9, DAY)
    models = {STUDENT, "student, text alone", "teacher", "teacher, text alone"}
    assert set(found.rankers) == {"popularity", ORDER, *BASELINES, *models}
    assert [part.task for part in found.tasks] == ["basket", "next_visit"]
    assert set(found.others[0].rankers) == set(found.rankers)
    assert {(one.of, one.less) for one in found.differences} == set(PAIRS)
    assert set(found.calibration) == {STUDENT, "teacher", "LambdaMART", "LambdaMART without text"}
    assert found.rankers[ORDER].gain.mean == 0
    assert found.rankers[STUDENT].recall100 == found.rankers[ORDER].recall100
    for row in found.rankers.values():
        assert row.gain.mean == pytest.approx(row.ndcg10.mean - found.rankers[ORDER].ndcg10.mean)
        assert row.gain.low <= row.gain.mean <= row.gain.high
    assert 0 < found.milliseconds_p50 <= found.milliseconds_p99


def test_the_evaluation_has_segments_and_pages_for_people(folders: ModelFolders) -> None:
    path = folders.evaluation(folders.newest_evaluated())
    found = read_evaluation(path)
    assert {"new users", "short histories"} <= set(found.segments)
    assert sum(found.segments[name].queries for name in ("new users", "short histories")) == found.queries
    assert set(found.segments["new users"].ndcg10) == set(found.rankers)
    assert f"| {STUDENT} | {found.rankers[STUDENT].ndcg10}" in path.with_suffix(".md").read_text()
    page = path.with_suffix(".html").read_text()
    assert page.count("<svg") == 5  # rankers and differences of each task, calibration of the one that was learned
    assert page.count(f"<td>{STUDENT}</td>") == 5
    assert page.index("<h2>Basket completion</h2>") < page.index("<h2>Next visit</h2>")
    names_of_formats = r'xmlns(:\w+)?="[^"]*"|<metadata>.*?</metadata>'
    assert "http" not in re.sub(names_of_formats, "", page, flags=re.DOTALL)


def test_what_was_learned_beats_the_order_it_was_given(folders: ModelFolders) -> None:
    """Baskets are of one colour, the candidates come shuffled: there is much to gain."""
    found = read_evaluation(folders.evaluation(folders.newest_evaluated()))
    assert found.rankers["teacher"].gain.low > 0
    assert found.rankers[STUDENT].gain.low > 0


def test_the_same_seed_trains_the_same_teacher(night: Settings, folders: ModelFolders, tmp_path: Path) -> None:
    queries = read_queries(Lake(night.night.lake), DAY, "train", "basket", 40, 3, 9, hit=True)
    again = train.train_teacher(queries, night.training, SAMPLE, 3, DAY, tmp_path)
    weights = [(place / "model.safetensors").read_bytes() for place in (again, folders.teacher(""))]
    assert weights[0] == weights[1]


def test_another_baseline_is_refused_with_those_there_are(night: Settings) -> None:
    with pytest.raises(BadInput, match="no baseline 'kNN'; there are item-kNN, ALS"):
        run(evaluate, night, "--baselines", "kNN")


def test_an_evaluation_from_the_command_line_is_the_same_again(
    night: Settings, folders: ModelFolders, as_evaluated: Evaluation
) -> None:
    run(evaluate, night, "--depth", "9", "--version", as_evaluated.version)
    again = read_evaluation(folders.evaluation(as_evaluated.version))
    assert again.rankers[STUDENT] == as_evaluated.rankers[STUDENT]
    assert again.calibration[STUDENT] == as_evaluated.calibration[STUDENT]


def test_a_task_that_is_not_asked_for_is_left_out(
    night: Settings, folders: ModelFolders, as_evaluated: Evaluation
) -> None:
    run(evaluate, night, "--depth", "9", "--tasks", "basket")
    assert read_evaluation(folders.evaluation(as_evaluated.version)).others == ()


def test_promotion_makes_the_newest_evaluated_model_live(
    serving: Settings, folders: ModelFolders, client: Any, capsys: Any
) -> None:
    set_model(client, Keys("test"), "20240101-000000000000")
    run(promote, serving)
    version = folders.newest_evaluated()
    run(promote, serving)  # a retry of the same task must not lose the model before
    pointer = read_pointer(client, Keys("test"))
    assert (pointer.model, pointer.previous_model) == (version, "20240101-000000000000")
    assert f"model {version} is live; NDCG@10 0." in capsys.readouterr().out


def test_withdrawing_leaves_no_model_live(serving: Settings, folders: ModelFolders, client: Any) -> None:
    run(promote, serving)
    run(promote, serving, "--none")
    pointer = read_pointer(client, Keys("test"))
    assert (pointer.model, pointer.previous_model) == ("", folders.newest_evaluated())


def test_a_model_worse_than_the_candidates_own_order_is_refused_with_numbers(
    serving: Settings, folders: ModelFolders, as_evaluated: Evaluation, client: Any
) -> None:
    write_evaluation(folders.evaluation(as_evaluated.version), with_gain(as_evaluated, -0.0123))
    with pytest.raises(PublishRefused, match=r"on 12 test queries.* a loss of 0\.0123, at most 0\.005 is allowed"):
        run(promote, serving)
    assert read_pointer(client, Keys("test")).model == ""


@pytest.mark.parametrize(("gain", "admitted"), [(-0.004, True), (0.0, True), (-0.006, False), (float("nan"), False)])
def test_the_gate_allows_its_tolerance_and_no_more(
    night: Settings, folders: ModelFolders, tmp_path: Path, gain: float, admitted: bool
) -> None:
    directory = folders.student("")
    found = with_gain(read_evaluation(folders.evaluation(directory.name)), gain)
    path = tmp_path / "evaluation.json"
    raw = json.loads(msgspec.json.encode(found))
    if np.isnan(gain):
        raw["rankers"][STUDENT]["gain"]["mean"] = None  # JSON has no NaN
    path.write_text(json.dumps(raw))
    if admitted:
        assert promote.admit(directory, path, 0.005, night) == found
    else:
        with pytest.raises((PublishRefused, BadInput)):
            promote.admit(directory, path, 0.005, night)


def test_an_evaluation_of_another_artifact_is_refused(
    serving: Settings, folders: ModelFolders, as_evaluated: Evaluation, client: Any
) -> None:
    other = msgspec.structs.replace(as_evaluated, digest="0" * 64)
    write_evaluation(folders.evaluation(as_evaluated.version), other)
    with pytest.raises(PublishRefused, match="is of another artifact"):
        run(promote, serving)
    assert read_pointer(client, Keys("test")).model == ""


def test_a_damaged_model_is_not_promoted(
    serving: Settings, folders: ModelFolders, as_evaluated: Evaluation, client: Any
) -> None:
    path = folders.student(as_evaluated.version) / "model.safetensors"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    try:
        with pytest.raises(ArtifactMismatch, match="its sha256 is not the manifest's"):
            run(promote, serving)
    finally:
        path.write_bytes(raw)
    assert read_pointer(client, Keys("test")).model == ""


def test_a_model_without_an_evaluation_is_refused(night: Settings, folders: ModelFolders, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the model has no evaluation; run `python -m jobs evaluate` first"):
        promote.admit(folders.student(""), tmp_path / "none.json", 0.005, night)


def test_a_student_of_more_layers_than_its_teacher_is_refused(night: Settings) -> None:
    deeper = night.training.model_copy(update={"student_layers": 5})
    with pytest.raises(BadInput, match="student of 5 layers: the teacher has 4"):
        run(prune, night.model_copy(update={"training": deeper}))


def test_texts_longer_than_the_base_model_reads_are_refused(night: Settings, tmp_path: Path) -> None:
    longer = night.training.model_copy(update={"query_tokens": 63})
    with pytest.raises(BadInput, match="it reads 64 tokens, but texts may have 65"):
        run(train, night.model_copy(update={"training": longer}))


def test_a_model_loads_from_where_the_night_left_it(folders: ModelFolders) -> None:
    assert load_reranker(folders.student(""), "cpu", 1).version == folders.newest_evaluated()
