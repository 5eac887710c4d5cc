"""Golden pairs: literal records and the scores they got at export, so that a loader can see whether it scores alike."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.errors import ArtifactMismatch
from contract.records import ItemRecord, UserRecord
from reranker.depth import LevelName

# Largest difference of a score, as a share of the spread of all golden scores (at least 1). Measured in bf16 on
# trained networks: below 0.02; a changed template or a wrong tokenizer moves text scores by more than 0.1.
TOLERANCE_FLOAT32 = 1e-3
TOLERANCE_HALF = 0.05
# Least correlation of scores in another number format with those in float32.
CORRELATION = 0.999

# (final, text) of a query, float32[n] each.
Answers = Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]


class GoldenQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One query as serving would meet it, answered at `level` by `final` and `text`.

    An entry: item id, source column, scores.
    """

    user: UserRecord | None
    context: tuple[ItemRecord, ...]
    items: tuple[ItemRecord, ...]
    sources: tuple[str, ...]
    entries: tuple[tuple[str, int, tuple[float, ...]], ...]
    final: tuple[float, ...] = ()
    text: tuple[float, ...] = ()
    level: LevelName = "full"

    @property
    def candidates(self) -> CandidateList:
        return CandidateList.of(self.entries, len(self.sources))

    @property
    def known_items(self) -> dict[str, ItemRecord]:
        return {item.item_id: item for item in self.items}

    def answered(self, final: NDArray[np.float32], text: NDArray[np.float32]) -> "GoldenQuery":
        return msgspec.structs.replace(self, final=tuple(final.tolist()), text=tuple(text.tolist()))

    @staticmethod
    def of(
        user: UserRecord | None,
        context: Sequence[ItemRecord],
        candidates: CandidateList,
        items: Mapping[str, ItemRecord],
        sources: Sequence[str],
    ) -> "GoldenQuery":
        """Without answers; `items` is cut to those that the query names."""
        named = {*candidates.item_ids, *(user.history if user else ())}
        entries = zip(candidates.item_ids, candidates.source.tolist(), candidates.scores.tolist(), strict=True)
        return GoldenQuery(
            user,
            tuple(context),
            tuple(items[item_id] for item_id in sorted(named) if item_id in items),
            tuple(sources),
            tuple((item_id, source, tuple(scores)) for item_id, source, scores in entries),
        )


def golden_tolerance(half: torch.dtype | None) -> float:
    """The largest difference at which a model in this number format is served; None for float32."""
    return TOLERANCE_FLOAT32 if half is None else TOLERANCE_HALF


def correlation(exact: Answers, found: Answers) -> float:
    """The lower of the two Pearson correlations, of final and of text scores, over all pairs.

    0 where a score is no finite number, or where scores are constant: nothing can be said then.
    """
    lowest = 1.0
    for place in range(2):
        one, other = (np.concatenate([scores[place] for scores in answers]).astype(float) for answers in (exact, found))
        if not (np.isfinite(one).all() and np.isfinite(other).all()) or one.std() == 0 or other.std() == 0:
            return 0.0
        lowest = min(lowest, float(np.corrcoef(one, other)[0, 1]))
    return lowest


def difference(exact: Answers, found: Answers) -> float:
    """The largest difference of a final or text score, as a share of the spread of the exact ones."""
    parts = [[np.concatenate([scores[place] for scores in one]) for one in (exact, found)] for place in range(2)]
    return max(_of_spread(wanted, got) for wanted, got in parts)


def _of_spread(wanted: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    return float(np.abs(wanted - got).max(initial=0.0) / max(1.0, float(wanted.std())))


def compare(golden: Sequence[GoldenQuery], found: Answers, tolerance: float) -> float:
    """The largest difference between golden and found (final, text) scores, as a share of the golden spread.

    Raises ArtifactMismatch where it is above `tolerance`, or where a score is no finite number.
    """
    worst = 0.0
    for place, name in enumerate(("final", "text")):
        wanted = np.concatenate([np.array(getattr(query, name), np.float32) for query in golden])
        got = np.concatenate([scores[place] for scores in found])
        if wanted.shape != got.shape or not np.isfinite(got).all() or not np.isfinite(wanted).all():
            raise ArtifactMismatch(f"golden pairs: {len(wanted)} {name} scores wanted, {np.isfinite(got).sum()} found")
        difference = _of_spread(wanted, got)
        worst = max(worst, difference)
        if difference > tolerance:
            raise ArtifactMismatch(
                f"golden pairs: the {name} scores differ by {difference:.4f} of their spread (at most {tolerance} is "
                "allowed): this code or this machine scores otherwise than where the model was exported; export again"
            )
    return worst
