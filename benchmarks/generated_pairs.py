"""Training pairs of a made-up shop, a file at a time, and a tiny base model: for measurements of memory alone."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.codec import CandidateList
from contract.records import ItemRecord
from jobs.candidates.rows import as_entries
from reranker.encoders import build_encoder
from reranker.encoding import base_model_directory

DAY = "2024-03-31"
CUT = datetime(2024, 1, 1, tzinfo=UTC)
SOURCES = ("one", "two", "three", "four", "five")
ITEMS = 4000
CANDIDATES = 50
# As jobs.model.query_candidates partitions them.
QUERIES_PER_FILE = 250
WORDS = ("red", "blue", "large", "small", "wooden", "glass", "mug", "lamp", "chair", "clock", "plate", "towel")


def generate(root: Path, queries: int) -> Path:
    """A lake with `queries` train queries, each of which has three of its first candidates as labels."""
    random = np.random.default_rng(0)
    names = [f"item{number:05}" for number in range(ITEMS)]
    items = [
        ItemRecord(
            name, " ".join(random.choice(WORDS, 4)), price=float(random.integers(1, 50)), popularity_30d=number % 90
        )
        for number, name in enumerate(names)
    ]
    _write(root / "training_items", 0, pa.Table.from_pylist([{"cut": CUT, **_fields(item)} for item in items]))
    for start in range(0, queries, QUERIES_PER_FILE):
        count = min(QUERIES_PER_FILE, queries - start)
        lists = [_listed(random, names) for _ in range(count)]
        _write(
            root / "training_pairs",
            start // QUERIES_PER_FILE,
            pa.table(
                {
                    "query_id": [f"q{start + row:07}" for row in range(count)],
                    "split": ["train"] * count,
                    "task": ["basket"] * count,
                    "cut": [CUT] * count,
                    "ts": [CUT] * count,
                    "user": pa.nulls(count, pa.string()),
                    "context": [random.choice(names, 3).tolist() for _ in range(count)],
                    "labels": [list(one.item_ids[:30:10]) for one in lists],
                    "sources": [list(SOURCES)] * count,
                    "entries": as_entries(lists, SOURCES),
                }
            ),
        )
    return root


def write_base_model(directory: Path) -> Path:
    """A BERT of random weights, two layers and 32 wide, with the packaged tokenizer."""
    packaged = base_model_directory("")
    directory.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        if (packaged / name).is_file():
            shutil.copy(packaged / name, directory / name)
    words = json.loads((packaged / "config.json").read_text())["vocab_size"]
    build_encoder(
        {
            "model_type": "bert",
            "vocab_size": words,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": 64,
        }
    ).save_pretrained(directory)
    return directory


def _listed(random: np.random.Generator, names: list[str]) -> CandidateList:
    chosen = random.choice(len(names), CANDIDATES, replace=False)
    return CandidateList(
        tuple(names[place] for place in chosen),
        random.integers(0, len(SOURCES), CANDIDATES).astype(np.uint8),
        random.random((CANDIDATES, len(SOURCES)), np.float32),
    )


def _fields(item: ItemRecord) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__struct_fields__ if name != "attributes"}


def _write(folder: Path, number: int, table: pa.Table) -> None:
    place = folder / f"day={DAY}"
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, place / f"part-{number:05}.parquet")
