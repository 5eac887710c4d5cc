"""How a network is to be trained: everything that decides a run but its data, its loss and where it starts."""

from dataclasses import dataclass

from reranker.precision import Precision


@dataclass(frozen=True)
class TrainingPlan:
    """How to train. `candidates` of a query meet in one softmax; `frozen_layers` counts from the bottom.

    A step takes `batch_queries` times `accumulate` queries of every process. The embeddings stay as they are where
    `frozen_layers` is at least 0, and are trained where it is -1. `warm_up` is the share of steps in which the rates
    rise. `validate_steps` lie between two validations, 0 for none; after `patience` of them without a gain training
    ends. `device` is cpu, cuda or auto; `threads` are torch's, 0 leaves them.
    """

    epochs: int
    candidates: int
    batch_queries: int
    encoder_rate: float
    head_rate: float
    frozen_layers: int
    seed: int
    device: str = "auto"
    precision: Precision = "auto"
    threads: int = 0
    warm_up: float = 0.1
    weight_decay: float = 0.01
    accumulate: int = 1
    validate_steps: int = 0
    patience: int = 3
