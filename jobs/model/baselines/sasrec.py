"""SASRec (Kang, McAuley 2018): self-attention over the sequence of ids, as the library `cornac` (Apache-2.0) has it.

One model of the sessions completes baskets, one of the users' pasts ranks for next visits; each is fitted when the
first query asks for it.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from jobs.model.baselines.interactions import Interactions
from jobs.model.dataset import Query

LENGTH = 100
# Of longer sequences the newest items count. Every place of a sequence is an example of its own, 0.28 ms on one core:
# the bound keeps a fit to about a minute.
SEQUENCE = 20
EXAMPLES = 100_000
EPOCHS = 2
RATE = 0.001


class SasRec:
    """Fitted on what was chosen before the cut."""

    def __init__(self, past: Interactions, seed: int) -> None:
        self._past = past
        self._seed = seed

    def rankings(self, queries: Sequence[Query]) -> dict[str, tuple[str, ...]]:
        """The LENGTH best items that the context does not hold; nothing for a query that tells nothing known."""
        return {query.query_id: self._ranking(query) for query in queries}

    def _ranking(self, query: Query) -> tuple[str, ...]:
        context = [item.item_id for item in query.context]
        told = context or (self._past_of_user.get(query.user.user_id, []) if query.user else [])
        if not told:
            return ()
        model = self._of_sessions if context else self._of_users
        sequence = [model.train_set.iid_map[item] for item in told if item in model.train_set.iid_map]
        if not sequence:
            return ()
        scores = np.array(model.score(0, sequence[-SEQUENCE:]), np.float64).reshape(-1)  # of one item it is a number
        if context:
            scores[sequence] = -np.inf
        best = np.argsort(-scores, kind="stable")[:LENGTH]
        ids = model.train_set.item_ids
        return tuple(ids[place] for place in best if np.isfinite(scores[place]))

    @cached_property
    def _of_sessions(self) -> Any:
        return self._fitted(self._in_order("session_id"))

    @cached_property
    def _of_users(self) -> Any:
        return self._fitted(self._past_of_user)

    @cached_property
    def _past_of_user(self) -> dict[str, list[str]]:
        return {user: items for user, items in self._in_order("user_id").items() if user is not None}

    def _in_order(self, key: str) -> dict[str, list[str]]:
        """Each one's items in the order of time; who chose last comes last."""
        rows = self._past.rows.sort_by([("ts", "ascending"), ("position_in_session", "ascending")])
        items: dict[str, list[str]] = {}
        last: dict[str, int] = {}
        for place, (one, item) in enumerate(zip(rows[key].to_pylist(), rows["item_id"].to_pylist(), strict=True)):
            items.setdefault(one, []).append(item)
            last[one] = place
        return {one: items[one] for one in sorted(items, key=last.__getitem__)}

    def _fitted(self, sequences: dict[str, list[str]]) -> Any:
        from cornac.data import SequentialDataset
        from cornac.models import SASRec

        rows, examples = [], 0
        for one, items in reversed(sequences.items()):
            kept = list(dict.fromkeys(items))[-5 * SEQUENCE :]
            if examples + len(kept) > EXAMPLES:
                break
            examples += len(kept)
            rows += [(one, item, place) for place, item in enumerate(kept)]
        data = SequentialDataset.build(rows, fmt="SIT", seed=self._seed)
        model = SASRec(
            embedding_dim=64,
            loss="ce",
            batch_size=512,
            n_sample=2048,
            n_epochs=EPOCHS,
            learning_rate=RATE,
            max_len=SEQUENCE,
            seed=self._seed,
        )
        return model.fit(data)
