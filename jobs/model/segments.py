"""Parts of the test queries that a mean over all of them hides: by what is known of the user, and of the target."""

from collections.abc import Mapping, Sequence

from jobs.model.dataset import Query

# A history of fewer items is short; an item in at most so many sessions before the cut is rare.
SHORT_HISTORY = 10
RARE_SESSIONS = 20

Labels = dict[str, frozenset[str]]


def segments(queries: Sequence[Query], sessions_of: Mapping[str, int]) -> dict[str, Labels]:
    """segment -> query id -> the labels that count in it; a segment without a query is left out.

    `sessions_of`: in how many sessions before the cut each item was. A query is in a user's segment with all of its
    labels, in an item's segment with those labels alone that belong to it.
    """

    def users(low: int, high: int | None) -> Labels:
        lengths = {query.query_id: len(query.user.history) if query.user else 0 for query in queries}
        return {
            query.query_id: query.labels
            for query in queries
            if low <= lengths[query.query_id] and (high is None or lengths[query.query_id] < high)
        }

    def items(low: int, high: int | None) -> Labels:
        kept = {
            query.query_id: frozenset(
                item
                for item in query.labels
                if low <= sessions_of.get(item, 0) and (high is None or sessions_of.get(item, 0) <= high)
            )
            for query in queries
        }
        return {query_id: labels for query_id, labels in kept.items() if labels}

    found = {
        "new users": users(0, 1),
        "short histories": users(1, SHORT_HISTORY),
        "long histories": users(SHORT_HISTORY, None),
        "new items": items(0, 0),
        "new or rare items": items(0, RARE_SESSIONS),
        "other items": items(RARE_SESSIONS + 1, None),
    }
    return {name: labels for name, labels in found.items() if labels}
