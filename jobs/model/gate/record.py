"""What the gate decided on a model and all that it decided by, as JSON beside the evaluation."""

from pathlib import Path

import msgspec

from contract.errors import BadInput
from jobs.model.quality import Estimate
from reranker.manifest import Loss


class Comparison(msgspec.Struct, frozen=True):
    """NDCG@10 of the model and of another ranker on the same queries.

    `bound`: what the mean difference lies above, one-sided; None where there are too few queries for one. It holds
    where the bound is at least -`tolerance`. Where it is not `required`, not to hold is only a warning.
    """

    against: str
    queries: int
    ndcg10: float
    other_ndcg10: float
    difference: Estimate
    bound: float | None
    confidence: float
    tolerance: float
    holds: bool
    required: bool
    note: str = ""


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds of one query, features and network, as the ranker would run it here. p95 is held to the budget."""

    queries: int
    candidates: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    budget_ms: float
    device: str
    number_format: str
    threads: int
    machine: str
    holds: bool


class LevelLoss(msgspec.Struct, frozen=True):
    """What a level lost of the teacher's validation NDCG@10 by one of its scores, from the model's manifest.

    It holds unless the loss is surely larger than `allowed`: unless the whole interval is.
    """

    level: str
    score: str
    loss: Loss
    allowed: float
    holds: bool


class Parity(msgspec.Struct, frozen=True):
    """The largest difference between golden scores and this machine's, as a share of their spread."""

    difference: float
    allowed: float
    holds: bool


class Scores(msgspec.Struct, frozen=True):
    """Of the queries that the latency was measured with. `spread`: widest range of the scores of a query."""

    pairs: int
    not_finite: int
    spread: float
    holds: bool


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`live` is the model that the pointer named, `champion` the one that was compared with; both may be empty."""

    version: str
    digest: str
    date: str
    task: str
    created_at: float
    admitted: bool
    reasons: list[str]
    warnings: list[str]
    live: str
    champion: str
    champion_digest: str
    evaluation_sha256: str
    train_queries: int
    comparisons: list[Comparison]
    latency: Latency
    parity: Parity
    scores: Scores
    settings: dict[str, float | int | str | bool]
    code: dict[str, str]
    levels: list[LevelLoss] = []


def write_record(path: Path, record: GateRecord) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".writing")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    aside.replace(path)


def read_record(path: Path) -> GateRecord:
    """Raises BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=GateRecord)
    except OSError as error:
        raise BadInput(f"{path}: the gate has not judged this model; run `python -m jobs gate` first") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; run `python -m jobs gate` again") from error
