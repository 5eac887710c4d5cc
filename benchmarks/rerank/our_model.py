"""Our side's model: the peers' MiniLM weights as a split student under a random head, its scores without meaning."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.rerank.work import DOCUMENT_WORDS, QUERY_WORDS, workload
from contract.codec import CandidateList
from contract.features import feature_names
from contract.records import ItemRecord
from contract.scenario import TextTemplate
from jobs.model.dataset import Query
from reranker.depth import level_depths
from reranker.encoding import base_model_directory, base_text_encoder
from reranker.examples import Example
from reranker.export import export_artifact
from reranker.manifest import Level, Loss
from reranker.split import SplitNetwork
from reranker.start import start_network
from reranker.state_choice import choose_states

SOURCES = ("generated",)
DAY = "2011-12-09"
# An item is read by its title; a query is the one context item that was asked for.
TEMPLATE = TextTemplate.model_validate(
    {"item": ["title"], "query": {"order": ["context"], "item": ["title"], "history": 1}}
)
NO_LOSS = Loss(0.0, None, None)


def export_model(parent: Path, base: Path | None = None) -> Path:
    """The artifact's directory; `base` is another base model's."""
    name = base.name if base is not None else "all-MiniLM-L6-v2"
    base = base or base_model_directory("")
    encoder = base_text_encoder(base, QUERY_WORDS[1], DOCUMENT_WORDS[1], TEMPLATE)
    examples = [_example(query, encoder) for query in _queries(4)]
    network = SplitNetwork.of(start_network(base, encoder, examples, seed=1).eval())
    states = choose_states(network, encoder, examples, "benchmark")
    return export_artifact(
        parent,
        network,
        encoder,
        [query.golden(16) for query in _queries(2)],
        role="student",
        date=DAY,
        created_at=0.0,
        base_model=name,
        feature_names=feature_names(SOURCES),
        training={},
        metrics={},
        levels=[Level(name, depth, 0.0, NO_LOSS, NO_LOSS) for name, depth in level_depths(network.layers).items()],
        states=states,
    )


def items(titles: Sequence[str], prefix: str) -> list[ItemRecord]:
    return [ItemRecord(f"{prefix}{place}", title) for place, title in enumerate(titles)]


def _queries(count: int) -> list[Query]:
    work, found = workload(), []
    known = {item.item_id: item for item in items(work.documents, "d")}
    for number in range(count):
        asked = work.request(number, 50)
        entries = [(f"d{place}", 0, (1.0 - rank / 100,)) for rank, place in enumerate(asked.candidates)]
        context = (ItemRecord(f"q{number}", work.queries[asked.query]),)
        listed = CandidateList.of(entries, 1)
        found.append(Query(f"q{number}", None, context, frozenset(), listed, known, SOURCES))
    return found


def _example(query: Query, encoder) -> Example:  # type: ignore[no-untyped-def]
    from jobs.model.dataset import as_example

    example = as_example(query, encoder)
    labels = np.zeros(len(example.items), np.float32)
    labels[::7] = 1  # the head's linear start is fitted to something
    return Example(example.query, example.items, example.features, labels)
