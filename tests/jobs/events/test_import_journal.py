"""A kill at any point of an import's last step: the old files stay, and the next import finishes or forgets."""

from pathlib import Path

import pytest

from contract.errors import BadInput
from jobs.events import journal as journals
from jobs.events.journal import Journal, commit, only_import, staging_folder
from jobs.events.ledger import Entry, find_entry
from jobs.lake import Lake

ENTRY = Entry(
    table="events",
    digest="d1",
    file="e.jsonl",
    rows=2,
    added=2,
    reasons={},
    quarantine=("quarantine/day=2024-05-10/new.parquet",),
    waits_for=None,
    imported_at="2024-05-10T12:00:00+00:00",
)
MOVES = [
    ("new/items/day=2024-05-01/i.parquet", "items/day=2024-05-01/i.parquet"),
    ("new/events/day=2024-05-01/e.parquet", "events/day=2024-05-01/e.parquet"),
    ("new/events/day=2024-05-02/e.parquet", "events/day=2024-05-02/e.parquet"),
    ("aside/0/checked.parquet", "quarantine/day=2024-05-10/new.parquet"),
]
OLD = {"events/day=2024-05-01/old.parquet", "quarantine/day=2024-05-09/old.parquet"}
# One to publish the journal, then one a file.
STEPS = 1 + len(MOVES)


class Killed(BaseException):
    """No handler of the code under test may catch it, as none can catch SIGKILL."""


def staged(lake: Lake) -> Journal:
    """A lake with an import that is ready to be committed."""
    root, staging = Path(lake.root), staging_folder(lake, "x")
    (root / "_imports").mkdir(parents=True)  # only_import makes it
    for name in OLD:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("old")
    for source, _ in MOVES:
        (staging / source).parent.mkdir(parents=True, exist_ok=True)
        (staging / source).write_text("new")
    moves = [(f"_staging/{staging.name}/{source}", target) for source, target in MOVES]
    return Journal(moves, ["quarantine/day=2024-05-09/old.parquet"], [ENTRY])


def tables(lake: Lake) -> dict[str, str]:
    root = Path(lake.root)
    found = (path for path in root.rglob("*.parquet") if "_staging" not in path.parts)
    return {str(path.relative_to(root)): path.read_text() for path in found}


@pytest.mark.parametrize("survived", range(STEPS + 1))
def test_a_killed_commit_is_finished_or_forgotten_by_the_next_import(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    journal = staged(lake)
    move, done = journals._move, 0

    def dying_move(source: Path, target: Path) -> None:
        nonlocal done
        if done == survived:
            raise Killed
        move(source, target)
        done += 1

    with monkeypatch.context() as patch:
        patch.setattr(journals, "_move", dying_move)
        if survived < STEPS:
            with pytest.raises(Killed):
                commit(lake, staging_folder(lake, "x"), journal)
            assert tables(lake).items() >= dict.fromkeys(OLD, "old").items()
        else:
            commit(lake, staging_folder(lake, "x"), journal)
    with only_import(lake):
        pass
    if survived == 0:  # the journal was never published
        assert tables(lake) == dict.fromkeys(OLD, "old")
        assert find_entry(lake, "events", "d1") is None
    else:
        assert tables(lake) == {
            "events/day=2024-05-01/old.parquet": "old",
            **{target: "new" for _, target in MOVES},
        }
        assert find_entry(lake, "events", "d1") == ENTRY
    assert list((lake.folder / "_staging").iterdir()) == []


def test_what_others_stage_is_not_ours_to_drop(lake: Lake) -> None:
    other = Path(lake.root) / "_staging" / "user_features-1" / "part.parquet"
    other.parent.mkdir(parents=True)
    other.write_text("in the making")
    with only_import(lake):
        assert other.exists()


def test_two_imports_do_not_run_on_one_lake(lake: Lake) -> None:
    with only_import(lake), pytest.raises(BadInput, match="another import is running"), only_import(lake):
        pass
    with only_import(lake):
        pass


def test_a_damaged_entry_of_the_ledger_is_named(lake: Lake) -> None:
    folder = Path(lake.root) / "_imports"
    folder.mkdir(parents=True)
    (folder / "events-d1.json").write_text('{"table": "eve')
    with pytest.raises(BadInput, match=r"events-d1.json: damaged .* delete it"):
        find_entry(lake, "events", "d1")
