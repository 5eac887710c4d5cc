"""What an evaluation found, and how it is kept: JSON beside a page for people."""

from pathlib import Path

import msgspec

from contract.errors import BadInput
from jobs.model.calibration import Calibration
from jobs.model.quality import Estimate
from jobs.model.variety import Variety

ORDER = "candidate order"
STUDENT = "student"
TEACHER = "teacher"


class Row(msgspec.Struct, frozen=True):
    """One ranker. `gain` is its NDCG@10 less the candidate order's, query by query."""

    ndcg10: Estimate
    mrr: Estimate
    hit10: Estimate
    recall100: Estimate
    gain: Estimate
    variety: Variety


class Segment(msgspec.Struct, frozen=True):
    """Some of the queries, or some of their labels: NDCG@10 of every ranker there."""

    queries: int
    ndcg10: dict[str, Estimate]


class Difference(msgspec.Struct, frozen=True):
    """Figures of ranker `of` less those of ranker `less`, query by query; `segments` are of NDCG@10."""

    of: str
    less: str
    ndcg10: Estimate
    mrr: Estimate
    hit10: Estimate
    segments: dict[str, Estimate]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was found on the queries of one task. `flat` is, of each scoring ranker, the share of queries whose
    candidates all got the same score; `calibration` is empty where the validation period has no query of the task.
    """

    task: str
    queries: int
    rankers: dict[str, Row]
    segments: dict[str, Segment]
    differences: tuple[Difference, ...] = ()
    calibration: dict[str, Calibration] = {}
    flat: dict[str, float] = {}


class Evaluation(Measured, frozen=True, kw_only=True):
    """What `evaluate` found on the task that the model was trained for, and in `others` on other tasks.

    `digest` ties it to one artifact. Latency is of one query, features and network.
    """

    version: str
    digest: str
    date: str
    created_at: float
    depth: int
    milliseconds_p50: float
    milliseconds_p99: float
    others: tuple[Measured, ...] = ()

    @property
    def tasks(self) -> tuple[Measured, ...]:
        return (self, *self.others)


def write_evaluation(path: Path, found: Evaluation) -> None:
    """Write it whole or not at all, with a page in Markdown and one in HTML beside it."""
    from jobs.model.report import html, markdown

    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".md", markdown(found)), (".html", html(found))):
        path.with_suffix(suffix).write_text(text)
    aside = path.with_suffix(".writing")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    aside.replace(path)


def read_evaluation(path: Path) -> Evaluation:
    """Raises BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except OSError as error:
        raise BadInput(f"{path}: the model has no evaluation; run `python -m jobs evaluate` first") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; run `python -m jobs evaluate` again") from error
