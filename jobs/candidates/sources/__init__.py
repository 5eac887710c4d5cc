"""The candidate sources. A new one is a file beside these and a line in SOURCES.

A source is a function from jobs.candidates.inputs.Inputs to a frame of jobs.candidates.lists.LISTS. The order
of SOURCES is the order of the score columns; a source is known by its name everywhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import DataFrame

from contract.errors import BadInput
from jobs.candidates.inputs import Inputs
from jobs.candidates.sources import als, content, covisitation, popularity, repeat

Kind = Literal["user", "item", "segment"]


@dataclass(frozen=True)
class Source:
    """`proposes`: the kinds of its lists. `weight`: what its scores count for in the merge, unless a quota says else.

    The weights below were found on the validation period of the sample (`python -m jobs candidate_recall --tune`).
    """

    name: str
    proposes: tuple[Kind, ...]
    weight: float
    lists: Callable[[Inputs], DataFrame]


REPEAT = "repeat"

SOURCES = (
    Source("covisitation", ("item",), 2.0, covisitation.lists),
    Source("als", ("user", "item"), 0.5, als.lists),
    Source("content", ("item",), 0.3, content.lists),
    Source(REPEAT, ("user",), 1.4, repeat.lists),
    Source("popularity", ("segment",), 0.2, popularity.lists),
)


def weighted_sources(quotas: dict[str, float], repeats: bool) -> list[tuple[Source, float]]:
    """The sources that take part, each with its weight; a weight of 0 leaves a source out.

    Without `repeats` (of the scenario) nothing is proposed to those who chose it: then `repeat` takes no part.

    Raises BadInput for a quota of an unknown source, for a negative one, or where none is left.
    """
    known = [source.name for source in SOURCES]
    for name, weight in quotas.items():
        if name not in known:
            raise BadInput(f"PACE_CANDIDATES__QUOTAS: no source {name!r}; the sources are {', '.join(known)}")
        if weight < 0:
            raise BadInput(f"PACE_CANDIDATES__QUOTAS: {name!r} has weight {weight}; give 0 to leave it out, or more")
    weighted = [(source, quotas.get(source.name, source.weight)) for source in SOURCES]
    chosen = [(source, weight) for source, weight in weighted if weight > 0 and (repeats or source.name != REPEAT)]
    if not chosen:
        raise BadInput("PACE_CANDIDATES__QUOTAS: every source has weight 0; leave at least one in")
    return chosen
