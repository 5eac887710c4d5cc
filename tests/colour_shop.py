"""A shop whose baskets are of one colour: small enough to train on in seconds; its texts tell what goes together.

Candidates come in an order that knows nothing of colours; one source, `helpful`, knows a little.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from contract.codec import CandidateList
from contract.records import ItemRecord, UserRecord
from jobs.model.dataset import Query

DAY = "2024-03-31"
CUTS = {split: datetime(2024, month, 1, tzinfo=UTC) for split, month in (("train", 1), ("validation", 1), ("test", 3))}
SOURCES = ("helpful", "noise")
COLOURS = ("red", "blue", "green", "black")
THINGS = ("mug", "lamp", "chair", "clock", "plate", "towel", "basket", "candle")

CATALOGUE = {
    f"{colour}-{thing}": ItemRecord(
        f"{colour}-{thing}",
        f"{colour} {thing}",
        text="fits every home" if thing == "mug" else None,
        categories=("kitchen",) if thing in ("mug", "plate") else (),
        price=4.0 + 2 * len(thing),
        popularity_7d=len(thing),
        popularity_30d=10 * len(thing) + len(colour),
        buyers_30d=3,
        age_days=100.0,
        attributes={"maker": "Oak & Ash"} if colour == "red" else {},
    )
    for colour, thing in product(COLOURS, THINGS)
}


def write_base_model(directory: Path, layers: int = 4) -> Path:
    """A BERT of random weights, 32 wide, with the packaged vocabulary, as a Hugging Face directory."""
    from reranker.encoding import base_model_directory

    tokenizer = AutoTokenizer.from_pretrained(base_model_directory(""))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def query(number: int) -> Query:
    """Query `number`: two things of a colour in the basket, its other things wanted, nine candidates."""
    random = np.random.default_rng(number)
    colour = COLOURS[number % len(COLOURS)]
    basket = [f"{colour}-{thing}" for thing in random.permutation(THINGS).tolist()]
    context, wanted = basket[:2], basket[2:5]
    others = [item_id for item_id in random.permutation(list(CATALOGUE)).tolist() if item_id not in basket][:6]
    entries = [
        (item_id, 1, (float(item_id in wanted) * 0.3 + random.random(), random.random()))
        for item_id in random.permutation(wanted + others).tolist()
    ]
    user = UserRecord(f"u{number}", history=(f"{colour}-mug",), sessions=3, positives=5) if number % 3 else None
    return Query(
        f"q{number:03}",
        user,
        tuple(CATALOGUE[item_id] for item_id in context),
        frozenset(basket[2:]),
        CandidateList.of(entries, len(SOURCES)),
        CATALOGUE,
        SOURCES,
    )


def queries(count: int, first: int = 0) -> list[Query]:
    return [query(number) for number in range(first, first + count)]


def write_lake(
    root: Path,
    train: int,
    validation: int,
    test: int,
    queries: Callable[[int], Query] = query,
    catalogue: Mapping[str, ItemRecord] = CATALOGUE,
) -> Path:
    """training_pairs and training_items of DAY, as the pairs job writes them; `queries` makes query n."""
    rows: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    start = 0
    for split, count in (("train", train), ("validation", validation), ("test", test)):
        rows += [pair_row(queries(number), split) for number in range(start, start + count)]
        if split == "test":
            found = [queries(number) for number in range(start, start + count)]
            rows += [pair_row(as_visit(one), split, "next_visit") for one in found if one.user]
        start += count
    for cut in sorted(set(CUTS.values())):
        items += [{"cut": cut, **item_row(item)} for item in catalogue.values()]
    _write(root / "training_pairs" / f"day={DAY}", rows)
    _write(root / "training_items" / f"day={DAY}", items)
    past = [row for number in range(train) for row in session_rows(queries(number))]
    _write(root / "training_history" / f"day={DAY}", past)
    return root


def as_visit(found: Query) -> Query:
    """The same, asked for the whole basket without a part of it."""
    return replace(found, context=(), labels=found.labels | {item.item_id for item in found.context})


def pair_row(found: Query, split: str, task: str = "basket") -> dict[str, Any]:
    """A row of contract.schemas.TRAINING_PAIRS."""
    import msgspec

    listed = found.candidates
    return {
        "query_id": found.query_id,
        "split": split,
        "task": task,
        "cut": CUTS[split],
        "ts": np.datetime64("2024-03-01T10:00:00", "us").item(),
        "user": msgspec.json.encode(found.user).decode() if found.user else None,
        "context": [item.item_id for item in found.context],
        "labels": sorted(found.labels),
        "sources": list(found.sources),
        "entries": [
            {"item_id": item_id, "source": SOURCES[source], "scores": scores}
            for item_id, source, scores in zip(
                listed.item_ids, listed.source.tolist(), listed.scores.tolist(), strict=True
            )
        ],
    }


def session_rows(found: Query) -> list[dict[str, Any]]:
    """The query's basket as rows of contract.schemas.TRAINING_HISTORY."""
    basket = [*(item.item_id for item in found.context), *sorted(found.labels)]
    return [
        {
            "session_id": found.query_id,
            "user_id": found.user.user_id if found.user else None,
            "item_id": item_id,
            "ts": CUTS["train"] + timedelta(minutes=place),
            "type": "purchase",
            "position_in_session": place,
        }
        for place, item_id in enumerate(basket)
    ]


def item_row(item: ItemRecord) -> dict[str, Any]:
    """A row of contract.schemas.ITEM_FEATURES."""
    fields = {name: getattr(item, name) for name in item.__struct_fields__}
    return {**fields, "attributes": list(item.attributes.items())}


def _write(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    pq.write_table(as_table(rows), folder / "part-0.parquet")


def as_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows as the jobs write them."""
    table = pa.Table.from_pylist(list(rows))
    if "attributes" in table.column_names:  # a map, as Spark writes it
        pairs = pa.array([row["attributes"] for row in rows], pa.map_(pa.string(), pa.string()))
        table = table.set_column(table.column_names.index("attributes"), "attributes", pairs)
    return table
