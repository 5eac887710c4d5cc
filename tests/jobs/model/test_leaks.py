"""A signal of the future, planted in every way the lake allows, is nowhere in what an earlier cut knows.

Two lakes: one as it was, one with what came later. All that `training_pairs` writes of the first, and the texts
that the base model is adapted to, must be, byte for byte, in the second.
"""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from contract.settings import Candidates, Settings, Training
from jobs.lake import Lake
from jobs.model import pairs
from jobs.model.adapt import catalogue_texts
from jobs.model.pairs import split_periods
from jobs.parquet import open_day
from tests.jobs.model.test_pairs import END, PAST, SETTINGS, TEST, TRAIN, TRAINING, Session, session_rows
from tests.scenarios import SAMPLE

DAY = "2024-05-31"
CUT = END - timedelta(days=TRAINING.test_days)
TITLES = {
    "a": "red mug", "b": "red plate", "c": "blue lamp", "d": "blue chair", "e": "oak table", "x": "tin box",
    "y": "tin can", "z": "wool rug", "w": "silk scarf",
}  # fmt: skip

INSTANT = pa.timestamp("us", "UTC")
EVENT_COLUMNS = pa.schema(
    {
        "event_id": pa.string(), "ts": INSTANT, "type": pa.string(), "user_id": pa.string(), "session_id": pa.string(),
        "item_id": pa.string(), "position": pa.int32(), "recommendation_id": pa.string(), "value": pa.float64(),
    }
)  # fmt: skip
ITEM_COLUMNS = pa.schema(
    {
        "item_id": pa.string(), "title": pa.string(), "text": pa.string(), "categories": pa.list_(pa.string()),
        "price": pa.float64(), "attributes": pa.map_(pa.string(), pa.string()), "available": pa.bool_(),
        "updated_at": INSTANT,
    }
)  # fmt: skip

# Bought together by everyone, on every day from the very instant of the cut on: pair, popularity, buyers, histories.
# Users' own first visits of the period stay first: the known users come last.
PLANTED: list[Session] = [
    *((f"f{n}", None, "zw", 10 - n) for n in range(9)),
    *((f"g{n}", user, "wz", 0.5) for n, user in enumerate(["ann", "bob", "new"])),
]
AFTERWARDS: list[Session] = [("h1", "ann", "zw", -1), ("h2", None, "ew", -2)]  # days after the one the job is run for

# (item, title, price, category, available, when): w gets another title, price and category, z goes, `late` comes.
Version = tuple[str, str, float, str, bool, datetime]
CHANGED: list[Version] = [
    ("w", "golden crown", 99.0, "jewels", True, CUT),
    ("z", "wool rug", 2.0, "toys", False, CUT + timedelta(days=1)),
    ("late", "paper kite", 3.0, "toys", True, CUT),
    ("e", "marble table", 500.0, "luxury", True, END + timedelta(hours=1)),
]


def write(root: Path, sessions: list[Session], changed: list[Version]) -> Lake:
    by_day: dict[str, list[dict[str, object]]] = {}
    for session, user, item, ts, kind, place in session_rows(sessions):
        row = (f"{session}-{place}", ts, kind, user, session, item, None, None, None)
        by_day.setdefault(f"{ts:%Y-%m-%d}", []).append(dict(zip(EVENT_COLUMNS.names, row, strict=True)))
    for day, rows in by_day.items():
        write_day(root / "events" / f"day={day}", pa.Table.from_pylist(rows, EVENT_COLUMNS))
    known = [
        (item, title, 2.0, "toys" if item in "abx" else "home", True, END - timedelta(days=90))
        for item, title in TITLES.items()
    ]
    versions = [
        dict(zip(ITEM_COLUMNS.names, row, strict=True))
        for row in (
            (item, title, None, [category], price, [("maker", category)], available, at)
            for item, title, price, category, available, at in [*known, *changed]
        )
    ]
    write_day(root / "items" / "day=2024-03-03", pa.Table.from_pylist(versions, ITEM_COLUMNS))
    return Lake(str(root))


def write_day(folder: Path, table: pa.Table) -> None:
    """Without Spark, which takes seconds for each of forty days."""
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part.parquet")


@pytest.fixture(scope="module")
def lakes(
    spark: SparkSession, base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """The tables that the verb wrote, by name: without the future, and with it."""
    settings = Settings(
        _env_file=None,
        training=Training(**TRAINING.model_dump() | {"base_model": str(base)}),
        candidates=Candidates(als_iterations=1, als_rank=4, list_length=6),
    )
    root = tmp_path_factory.mktemp("leaks")
    plain = write(root / "plain", [*PAST, *TRAIN, *TEST], [])
    later = write(root / "later", [*PAST, *TRAIN, *TEST, *PLANTED, *AFTERWARDS], CHANGED)
    for lake in (plain, later):
        pairs.main(pairs.arg_parser(settings).parse_args(["--lake", lake.root, "--date", DAY]), settings)
    return tables(plain, settings), tables(later, settings)


def tables(lake: Lake, settings: Settings) -> dict[str, pa.Table]:
    by = {
        "training_pairs": ["split", "task", "query_id"],
        "training_items": ["cut", "item_id"],
        "training_history": ["session_id", "position_in_session"],
        "text_embeddings": ["digest"],
    }
    texts = catalogue_texts(lake, DAY, settings.training, SAMPLE, settings.night.seed)
    return {
        "texts of the adaptation": pa.table({"text": texts}),
        **{
            table: open_day(lake, table, DAY).to_table().sort_by([(column, "ascending") for column in columns])
            for table, columns in by.items()
        },
    }


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def test_the_planted_signal_is_there_to_be_found(lakes: tuple[dict[str, pa.Table], dict[str, pa.Table]]) -> None:
    """Else the tests below could not fail: the later lake's own queries are made of it."""
    _, later = lakes
    ids = set(later["training_pairs"]["query_id"].to_pylist())
    assert {f"f{n}" for n in range(9)} <= ids
    assert not {"h1", "h2"} & ids
    assert min(period.cut for period in split_periods(END, SETTINGS, SAMPLE)) < CUT


def test_the_queries_are_the_same_but_for_the_planted_sessions_own(
    lakes: tuple[dict[str, pa.Table], dict[str, pa.Table]],
) -> None:
    plain, later = (found["training_pairs"] for found in lakes)
    own = pc.is_in(later["query_id"], pa.array([id for id, *_ in PLANTED]))
    kept = later.filter(pc.invert(own))
    for before, after in zip(plain.to_pylist(), kept.to_pylist(), strict=True):
        assert after == before, before["query_id"]
    assert as_bytes(kept) == as_bytes(plain)


@pytest.mark.parametrize("table", ["training_items", "training_history", "text_embeddings", "texts of the adaptation"])
def test_items_history_and_embedded_texts_are_the_same(
    lakes: tuple[dict[str, pa.Table], dict[str, pa.Table]], table: str
) -> None:
    plain, later = (found[table] for found in lakes)
    assert plain.num_rows
    assert later.to_pylist() == plain.to_pylist()
    assert as_bytes(later) == as_bytes(plain)


def test_a_planted_query_knows_nothing_of_the_others(
    lakes: tuple[dict[str, pa.Table], dict[str, pa.Table]],
) -> None:
    """z and w were never together before the cut: nothing but their texts and their own pasts may join them."""
    _, later = lakes
    rows = [row for row in later["training_pairs"].to_pylist() if row["query_id"].startswith("f")]
    assert rows
    for row in rows:
        assert row["context"] == ["z"]
        place = row["sources"].index("covisitation")
        assert [entry["scores"][place] for entry in row["entries"] if entry["item_id"] == "w"] in ([], [0.0])
