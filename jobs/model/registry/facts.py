"""What a model's files say, in MLflow's terms: parameters, metrics, tags, files."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.model.evaluation import Evaluation, read_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.gate.record import GateRecord, read_record
from reranker.manifest import MANIFEST, Manifest, read_manifest


@dataclass(frozen=True)
class Metric:
    """`at`: Unix seconds of the file that says so, so that a second logging adds nothing."""

    name: str
    value: float
    at: float


@dataclass(frozen=True)
class Facts:
    """One model. `files` are small ones: weights stay in the artifact's directory."""

    version: str
    role: str
    teacher: str
    created_at: float
    params: dict[str, str]
    metrics: list[Metric]
    tags: dict[str, str]
    manifest: Path
    files: list[Path]

    @property
    def refused(self) -> bool:
        return self.tags.get("gate") == "refused"


def facts_of(directory: Path, folders: ModelFolders) -> Facts:
    """All that is known of the model in `directory` by now. Raises ArtifactMismatch and BadInput."""
    manifest = read_manifest(directory)
    version = manifest.version
    metrics = [Metric(name, value, manifest.created_at) for name, value in manifest.metrics.items()]
    tags = {"version": version, "digest": manifest.digest, "role": manifest.role, "directory": str(directory.resolve())}
    if folders.evaluation(version).is_file():
        found = read_evaluation(folders.evaluation(version))
        metrics += [Metric(name, value, found.created_at) for name, value in evaluation_metrics(found)]
    if folders.gate_record(version).is_file():
        record = read_record(folders.gate_record(version))
        metrics += [Metric(name, value, record.created_at) for name, value in gate_metrics(record)]
        tags["gate"] = "admitted" if record.admitted else "refused"
        tags["gate_reasons"] = "; ".join(record.reasons)
    return Facts(
        version=version,
        role=manifest.role,
        teacher=manifest.teacher,
        created_at=manifest.created_at,
        params=params_of(manifest),
        metrics=[Metric(metric_name(one.name), one.value, one.at) for one in metrics if math.isfinite(one.value)],
        tags=tags,
        manifest=directory / MANIFEST,
        files=sorted(folders.evaluation(version).parent.glob(f"{version}.*")),
    )


def params_of(manifest: Manifest) -> dict[str, str]:
    given = {
        **manifest.training,
        **{name: getattr(manifest, name) for name in ("date", "base_model", "layers", "feature_view")},
    }
    return {metric_name(name): str(value) for name, value in given.items()}


def evaluation_metrics(found: Evaluation) -> Iterator[tuple[str, float]]:
    """ndcg10/<ranker> with its bounds, and its gain over the candidate order."""
    for ranker, row in found.rankers.items():
        yield f"ndcg10/{ranker}", row.ndcg10.mean
        yield f"mrr/{ranker}", row.mrr.mean
        yield f"gain/{ranker}", row.gain.mean
        if row.gain.low is not None and row.gain.high is not None:
            yield f"gain_low/{ranker}", row.gain.low
            yield f"gain_high/{ranker}", row.gain.high


def gate_metrics(record: GateRecord) -> Iterator[tuple[str, float]]:
    for comparison in record.comparisons:
        if comparison.bound is not None:
            yield f"gate/bound/{comparison.against}", comparison.bound
    yield "gate/admitted", float(record.admitted)
    yield "gate/latency_p50_ms", record.latency.p50_ms
    yield "gate/latency_p95_ms", record.latency.p95_ms
    yield "gate/latency_p99_ms", record.latency.p99_ms
    yield "gate/golden_difference", record.parity.difference


def metric_name(name: str) -> str:
    """As MLflow accepts it: letters, digits, and `_-. /`."""
    return re.sub(r"[^\w\-. /]", "", name, flags=re.ASCII)
