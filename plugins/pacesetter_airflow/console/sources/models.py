"""The models folder: what manifests say, and what the gate decided. Only names and figures are read, no weights.

A manifest of an older format lacks fields; a damaged one is told with its model.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

# A model's folder, and the stem of its evaluation: no path, nothing hidden.
VERSION = re.compile(r"\w[\w.-]*")
# Of manifests and records; a larger file is something else.
MOST_BYTES = 4_000_000

_NEVER = datetime.min.replace(tzinfo=UTC)
_File = TypeVar("_File")


# Seconds since 1970 that a datetime can be of.
_Moment = Annotated[float, msgspec.Meta(ge=0, le=2e11)]


class _Loss(msgspec.Struct):
    mean: float


class _Level(msgspec.Struct):
    name: str
    loss_final: _Loss
    loss_text: _Loss


class _Manifest(msgspec.Struct):
    created_at: _Moment
    date: str = ""
    metrics: dict[str, float] = {}
    levels: list[_Level] = []


class _Gate(msgspec.Struct):
    admitted: bool
    created_at: _Moment
    reasons: list[str] = []
    warnings: list[str] = []


@dataclass(frozen=True)
class LevelLoss:
    """Shares of the teacher's validation NDCG@10 that a level loses, by the final and by the text score alone."""

    level: str
    final: float
    text: float


@dataclass(frozen=True)
class Gate:
    admitted: bool
    at: datetime
    why: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A student. `ndcg10` was measured on the validation period; `broken` names the files that could not be read."""

    version: str
    made_at: datetime | None
    date: str
    ndcg10: float | None
    levels: tuple[LevelLoss, ...]
    gate: Gate | None
    evaluated: bool
    broken: str = ""


def read_models(folder: Path) -> list[Model]:
    """The newest first, damaged ones last; none where there is no folder yet. Raises OSError."""
    if not folder.exists():
        return []
    evaluations = folder / "evaluations"
    found = [_model(place, evaluations) for place in folder.iterdir() if _is_model(place)]
    return sorted(found, key=lambda model: model.made_at or _NEVER, reverse=True)


def _is_model(place: Path) -> bool:
    return VERSION.fullmatch(place.name) is not None and (place / "manifest.json").is_file()


def _model(place: Path, evaluations: Path) -> Model:
    version, problems = place.name, []
    manifest = _read(place / "manifest.json", _Manifest, problems)
    gate = _read(evaluations / f"{version}.gate.json", _Gate, problems)
    evaluated, broken = (evaluations / f"{version}.html").is_file(), "; ".join(problems)
    if manifest is None:
        return Model(version, None, "", None, (), _decided(gate), evaluated, broken)
    return Model(
        version=version,
        made_at=datetime.fromtimestamp(manifest.created_at, UTC),
        date=manifest.date,
        ndcg10=manifest.metrics.get("validation_ndcg10"),
        levels=tuple(LevelLoss(one.name, one.loss_final.mean, one.loss_text.mean) for one in manifest.levels),
        gate=_decided(gate),
        evaluated=evaluated,
        broken=broken,
    )


def _decided(gate: _Gate | None) -> Gate | None:
    return gate and Gate(gate.admitted, datetime.fromtimestamp(gate.created_at, UTC), (*gate.reasons, *gate.warnings))


def _read(path: Path, kind: type[_File], problems: list[str]) -> _File | None:
    """None where there is no such file, and with a line in `problems` where it cannot be read."""
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES} bytes")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        problems.append(f"{path}: {error}")
        return None
