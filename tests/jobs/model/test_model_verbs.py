"""The verbs from training pairs to an evaluated model, each finding what the one before left."""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import msgspec
import pytest

from contract.errors import BadInput
from contract.settings import Prune, Settings
from jobs.lake import Lake
from jobs.model import evaluate, prune, train
from jobs.model.baselines.registry import BASELINES
from jobs.model.comparison import PAIRS
from jobs.model.dataset import as_example, read_queries
from jobs.model.evaluation import ORDER, STUDENT, Evaluation, read_evaluation, write_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.frontier import Frontier
from reranker.boosting import BOOSTED
from reranker.loading import load_network, load_reranker, load_trees
from reranker.manifest import read_manifest
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
def as_evaluated(folders: ModelFolders) -> Iterator[Evaluation]:
    """The evaluation; put back after a test has written another."""
    version = folders.newest_evaluated()
    found = read_evaluation(folders.evaluation(version))
    yield found
    write_evaluation(folders.evaluation(version), found)


def test_the_teacher_and_the_student_say_how_they_were_made(folders: ModelFolders) -> None:
    teacher, student = (read_manifest(place) for place in (folders.teacher(""), folders.student("")))
    assert (teacher.role, teacher.layers, teacher.date) == ("teacher", 4, DAY)
    assert (student.role, student.layers, student.teacher) == ("student", 2, teacher.version)
    assert student.training["train_queries"] == 40
    assert student.training["seed"] == 3
    assert student.metrics["validation_queries"] == 5
    assert 0 < student.metrics["validation_ndcg10"] <= 1
    assert student.metrics["loss"] < student.metrics["loss_first"]


def test_the_trees_of_the_teacher_are_the_students_and_feed_both_sides_the_same_feature(
    night: Settings, folders: ModelFolders
) -> None:
    teacher, student = folders.teacher(""), folders.student("")
    assert read_manifest(student).feature_names == read_manifest(teacher).feature_names
    assert read_manifest(student).feature_names[-1] == BOOSTED
    assert (student / "trees.json").read_bytes() == (teacher / "trees.json").read_bytes()
    trees, served = load_trees(student), load_reranker(student, "cpu", 1)
    (query,) = read_queries(Lake(night.night.lake), DAY, "test", "basket", 1, 3, 9, hit=True)
    _, _, encoder = load_network(student)
    there = served.prepare(query.user, query.context, query.candidates, query.items, query.sources)
    assert as_example(query, encoder, trees).features.tolist() == there.features.tolist()


def test_without_trees_the_model_has_no_such_feature(night: Settings, tmp_path: Path) -> None:
    training = night.training.model_copy(update={"trees": 0})
    run(train, night.model_copy(update={"training": training}), "--models", str(tmp_path))
    teacher = ModelFolders(str(tmp_path)).teacher("")
    assert BOOSTED not in read_manifest(teacher).feature_names
    assert load_trees(teacher) is None
    assert not (teacher / "trees.json").exists()


def test_the_student_says_what_was_pruned_and_what_that_cost(folders: ModelFolders) -> None:
    manifest = read_manifest(folders.student(""))
    pruning = manifest.pruning
    assert manifest.shape == ((4, 64), (4, 64))
    assert read_manifest(folders.teacher("")).shape == pruning.teacher == ((4, 64),) * 4
    assert len(pruning.layers) == 2
    assert pruning.heads == ((0, 1, 2, 3),) * 2
    assert 0.02 < pruning.flops < 0.1  # the query is read once for all candidates, the items' first layer before
    assert [(level.name, level.depth) for level in manifest.levels] == [("full", 1)]
    assert manifest.levels[0].flops == pruning.flops
    assert manifest.levels[0].loss_text == pruning.loss_text
    assert manifest.states is not None
    assert (manifest.states.depths, manifest.states.width) == ((1,), 32)
    assert pruning.speedup > 0
    for loss in (pruning.loss_final, pruning.loss_text):
        assert loss.low <= loss.mean <= loss.high
    assert not folders.frontier(manifest.teacher).exists()


def test_a_frontier_is_compared_and_its_pick_exported(night: Settings, folders: ModelFolders, tmp_path: Path) -> None:
    teacher = folders.teacher("")
    copytree(teacher, tmp_path / "work" / teacher.name)
    wanted = Prune(
        frontier=True, layers=(4, 2), widths=(1.0, 0.5), max_loss=0.9, recovery_queries=16, validation_queries=6
    )
    run(prune, night.model_copy(update={"prune": wanted}), "--models", str(tmp_path))
    compared = ModelFolders(str(tmp_path))
    found = msgspec.json.decode(compared.frontier(teacher.name).read_bytes(), type=Frontier)
    assert [(len(one.layers), one.width) for one in found.points] == [(4, 1.0), (4, 0.5), (2, 1.0), (2, 0.5)]
    whole, narrow, shallow, least = found.points
    assert whole.after is not None  # all layers stay, but under a mask that is new to them
    assert whole.flops > narrow.flops > least.flops
    assert narrow.flops == pytest.approx(whole.flops / 2, rel=0.15)
    assert shallow.shape == ((4, 64),) * 2
    assert (found.validation_queries, found.recovery_queries, found.met) == (6, 16, True)
    manifest = load_reranker(compared.student(""), "cpu", 1).manifest
    picked = found.points[found.picked]
    assert (manifest.shape, manifest.pruning.layers) == (picked.shape, picked.layers)
    assert compared.tidy(keep=0) == [manifest.version]
    assert not list(compared.teachers.iterdir())


def test_the_evaluation_compares_on_the_same_queries(folders: ModelFolders) -> None:
    found = read_evaluation(folders.evaluation(folders.newest_evaluated()))
    assert (found.queries, found.depth, found.date) == (12, 9, DAY)
    models = {STUDENT, "student, text alone", "teacher", "teacher, text alone"}
    assert set(found.rankers) == {"popularity", ORDER, *BASELINES, *models}
    assert [part.task for part in found.tasks] == ["basket", "next_visit"]
    assert set(found.others[0].rankers) == set(found.rankers)
    assert {(one.of, one.less) for one in found.differences} == {
        pair
        for pair in PAIRS
        if not any("at fast" in name for name in pair)  # of two layers, it has one level
    }
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
    base = Path(night.training.base_model)
    again = train.train_teacher(
        base, Lake(night.night.lake), DAY, night.training, SAMPLE, 3, ModelFolders(str(tmp_path))
    )
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
