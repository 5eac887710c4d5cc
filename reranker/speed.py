"""How many times as fast as its teacher a student is, as each would be served."""

from statistics import median
from typing import NamedTuple

import torch

from reranker.conversion import admitted_type, with_encoder_in
from reranker.depth import level_depths
from reranker.encoding import TextEncoder
from reranker.examples import Example, collate
from reranker.layer_timing import ROUNDS, faster_types, timed
from reranker.network import CrossEncoder
from reranker.prepared import PreparedQuery
from reranker.split import SplitNetwork
from reranker.split_scoring import SplitScorer
from reranker.state_choice import UNREMEMBERED, answers
from reranker.states import StateKind


class Speed(NamedTuple):
    """How many times as fast as its teacher in float32 a student is at level `full`, its encoder in the format
    `kind`."""

    speedup: float
    kind: str


def served_speed(
    teacher: CrossEncoder,
    student: SplitNetwork,
    example: Example,
    encoder: TextEncoder,
    states: StateKind,
    model: str,
    rounds: int = ROUNDS,
) -> Speed:
    """The student's speed on `example`, in the format that a loader would take here. `teacher` is in float32.

    The items' states are there, the query is read every time: the median over rounds in which both run in turn.
    """
    device = student.state_scale.device
    exact = answers(student, encoder, states, [example], device)["full"]
    kind = admitted_type(
        faster_types(student.encoder.encoder.layer[0], device, split=True),
        exact,
        lambda one: answers(_in(student, one), encoder, states, [example], device)["full"],
        model,
    )
    levels = level_depths(student.layers)
    scorer = SplitScorer(_in(student, kind), encoder, states, levels, device, UNREMEMBERED)
    asked = [PreparedQuery(example.query, example.items, example.features)]
    batch = collate([example], encoder, device)
    found = timed(
        [
            lambda: teacher(batch.pairs, batch.features),
            lambda: scorer.scores(asked, "full"),
        ],
        rounds,
        device,
    )
    return Speed(median(first / second for first, second in found), str(kind or torch.float32).removeprefix("torch."))


def _in(student: SplitNetwork, kind: torch.dtype | None) -> SplitNetwork:
    converted = with_encoder_in(student, kind)
    assert isinstance(converted, SplitNetwork)
    return converted
