import os
import time
from pathlib import Path

import msgspec
import pytest

from contract.errors import BadInput
from jobs.model.folders import ModelFolders
from reranker.manifest import MANIFEST, Manifest, canonical, seal


def model(folder: Path, created_at: float, role: str = "student") -> str:
    """A directory with a manifest and nothing else."""
    manifest = seal(
        Manifest(
            role=role,
            date="2024-03-31",
            created_at=created_at,
            base_model="tiny",
            layers=1,
            tokenizer_sha256="",
            special_tokens=(1, 2, 0),
            query_tokens=8,
            item_tokens=4,
            template={},
            feature_names=(),
            feature_mean=(),
            feature_std=(),
            training={},
            metrics={},
        )
    )
    directory = folder / manifest.version
    directory.mkdir(parents=True)
    (directory / MANIFEST).write_bytes(canonical(manifest))
    return manifest.version


def evaluated(folders: ModelFolders, version: str) -> None:
    path = folders.evaluation(version)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.encode({}))


def test_the_newest_is_the_one_made_last_whatever_its_name(tmp_path: Path) -> None:
    folders = ModelFolders(str(tmp_path))
    old, newest, middle = (model(tmp_path, at) for at in (10.0, 30.0, 20.0))
    teacher = model(tmp_path / "work", 5.0, "teacher")
    assert folders.student("").name == newest
    assert folders.student(old).name == old
    assert folders.teacher("").name == teacher
    evaluated(folders, middle)
    assert folders.newest_evaluated() == middle


def test_a_teacher_is_not_taken_for_a_student(tmp_path: Path) -> None:
    teacher = model(tmp_path / "work", 5.0, "teacher")
    with pytest.raises(BadInput, match=f"{teacher} is a teacher: name one of its students"):
        ModelFolders(str(tmp_path)).student(teacher)


def test_folders_that_are_no_models_are_not_looked_at(tmp_path: Path) -> None:
    version = model(tmp_path, 10.0)
    (tmp_path / ".writing-abc").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "20990101-ffffffffffff").mkdir()  # damaged: no manifest
    assert ModelFolders(str(tmp_path)).student("").name == version


def test_where_there_is_none_the_verb_that_makes_one_is_named(tmp_path: Path) -> None:
    folders = ModelFolders(str(tmp_path / "none"))
    with pytest.raises(BadInput, match="python -m jobs prune"):
        folders.student("")
    with pytest.raises(BadInput, match="python -m jobs train"):
        folders.teacher("")
    with pytest.raises(BadInput, match="python -m jobs evaluate"):
        folders.newest_evaluated()


@pytest.mark.parametrize("version", ["20240331-ffffffffffff", "../../etc", "work"])
def test_a_version_that_is_not_there_is_refused(tmp_path: Path, version: str) -> None:
    there = model(tmp_path, 10.0)
    with pytest.raises(BadInput, match=there):
        ModelFolders(str(tmp_path)).student(version)


def test_tidying_removes_what_killed_exports_left_but_not_one_that_runs(tmp_path: Path) -> None:
    for name in (".writing-old", ".writing-now"):
        (tmp_path / name).mkdir()
    two_days_ago = time.time() - 2 * 86400
    os.utime(tmp_path / ".writing-old", (two_days_ago, two_days_ago))
    ModelFolders(str(tmp_path)).tidy(1)
    assert [path.name for path in tmp_path.iterdir()] == [".writing-now"]


def test_tidying_keeps_the_newest_and_the_live_ones(tmp_path: Path) -> None:
    folders = ModelFolders(str(tmp_path))
    students = [model(tmp_path, float(at)) for at in range(6)]
    teachers = [model(tmp_path / "work", float(at), "teacher") for at in range(4)]
    for version in students:
        evaluated(folders, version)
    (tmp_path / "notes").mkdir()
    removed = folders.tidy(2, {students[0], students[2], ""})
    assert set(removed) == {students[1], students[3]}
    assert {path.name for path in tmp_path.iterdir()} == {
        *(students[place] for place in (0, 2, 4, 5)),
        "work",
        "evaluations",
        "notes",
    }
    assert {path.name for path in (tmp_path / "work").iterdir()} == set(teachers[2:])
    assert not folders.evaluation(students[1]).exists()
    assert folders.evaluation(students[0]).exists()
