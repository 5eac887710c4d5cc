"""Every ranking of the same queries beside the others: figures, segments, and differences query by query."""

from collections.abc import Mapping, Sequence

from jobs.model.baselines.interactions import Interactions
from jobs.model.dataset import Query
from jobs.model.evaluation import ORDER, STUDENT, TEACHER, Difference, Row, Segment
from jobs.model.per_query import PerQuery
from jobs.model.quality import Rankings, estimate, measure
from jobs.model.rankers import at_level, text_alone
from jobs.model.segments import segments
from jobs.model.variety import variety

FAST = at_level(STUDENT, "fast")
# Those whose difference decides something: does text pay, is it better than a table, what did pruning cost.
PAIRS = (
    (STUDENT, "LambdaMART without text"),
    (STUDENT, "LambdaMART"),
    (STUDENT, "item-kNN"),
    (STUDENT, "SASRec"),
    (STUDENT, TEACHER),
    (text_alone(STUDENT), text_alone(TEACHER)),
    (FAST, "LambdaMART without text"),
    (FAST, STUDENT),
    (FAST, TEACHER),
    (text_alone(FAST), text_alone(TEACHER)),
    (TEACHER, "LambdaMART without text"),
)


def compared(
    queries: Sequence[Query], rankings: Mapping[str, Rankings], past: Interactions, seed: int
) -> tuple[dict[str, Row], dict[str, Segment], tuple[Difference, ...], PerQuery]:
    """Every ranking's figures over all queries and in every segment, and the differences of those PAIRS that are
    there, and NDCG@10 query by query; the candidate order's is among `rankings`.
    """
    labels = {query.query_id: query.labels for query in queries}
    sessions_of = dict(zip(past.items.tolist(), past.baskets.tolist(), strict=True))
    found = {name: measure(ranking, labels) for name, ranking in rankings.items()}
    rows = {
        name: Row(
            ndcg10=estimate(quality.ndcg10, seed),
            mrr=estimate(quality.mrr, seed),
            hit10=estimate(quality.hit10, seed),
            recall100=estimate(quality.recall100, seed),
            gain=estimate(quality.ndcg10 - found[ORDER].ndcg10, seed),
            variety=variety(rankings[name], sessions_of, past.sessions.shape[0], len(queries[0].items)),
        )
        for name, quality in found.items()
    }
    of_parts = {
        part: (len(some), {name: measure(ranking, some).ndcg10 for name, ranking in rankings.items()})
        for part, some in segments(queries, sessions_of).items()
    }
    parts = {
        part: Segment(count, {name: estimate(values, seed) for name, values in by_ranker.items()})
        for part, (count, by_ranker) in of_parts.items()
    }
    differences = tuple(
        Difference(
            of=one,
            less=other,
            ndcg10=estimate(found[one].ndcg10 - found[other].ndcg10, seed),
            mrr=estimate(found[one].mrr - found[other].mrr, seed),
            hit10=estimate(found[one].hit10 - found[other].hit10, seed),
            segments={part: estimate(values[one] - values[other], seed) for part, (_, values) in of_parts.items()},
        )
        for one, other in PAIRS
        if one in found and other in found
    )
    return rows, parts, differences, PerQuery(tuple(labels), {name: quality.ndcg10 for name, quality in found.items()})
