"""The base model as it comes: candidates by the cosine of their text's embedding to the query's."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from contract.records import ItemRecord
from contract.scenario import TextTemplate
from jobs.model.dataset import Query
from jobs.model.rankers import reordered
from reranker.texts import item_text, query_text

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def zero_shot(embed: Embed, queries: Sequence[Query], template: TextTemplate) -> dict[str, tuple[str, ...]]:
    """`embed`: float32[n, d] of n texts, rows of length 1 (reranker.embedding); each text is embedded once."""
    asked = [query_text(query.user, query.context, query.items, template.query) for query in queries]
    offered = [
        [item_text(query.items.get(id) or ItemRecord(id, ""), template.item) for id in query.candidates.item_ids]
        for query in queries
    ]
    texts = sorted({*asked, *(text for texts in offered for text in texts)})
    place = {text: row for row, text in enumerate(texts)}
    vectors = embed(texts)
    return {
        query.query_id: reordered(query, vectors[[place[text] for text in texts]] @ vectors[place[question]])
        for query, question, texts in zip(queries, asked, offered, strict=True)
        if texts
    }
