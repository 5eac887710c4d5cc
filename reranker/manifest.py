"""What a model directory says of itself, in one canonical form that a digest covers."""

import hashlib
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from pydantic import ValidationError

from contract.errors import ArtifactMismatch
from contract.features import VERSION as FEATURE_VIEW
from contract.scenario import TextTemplate, problems
from reranker.texts import TEMPLATE_VERSION

FORMAT = 5
MANIFEST = "manifest.json"

_VERSION = re.compile(r"\d{8}-[0-9a-f]{12}")


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes: int
    sha256: str


class LayerShape(NamedTuple):
    """Attention heads of an encoder layer, and neurons of its feed-forward part."""

    heads: int
    neurons: int


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a student lost of its teacher's validation NDCG@10, as a share of it, with its 95% interval."""

    mean: float
    low: float | None
    high: float | None


class Pruning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a teacher stayed, and what that gained and cost.

    `layers` are the teacher's layers that stayed; `heads` which of their heads, a tuple a layer; `teacher` the
    shape they had. `flops` is the student's share of the teacher's operations a pair. `speedup` is over the teacher
    in float32, measured where the student was made, with its encoder in the number format `measured_in`.
    """

    layers: tuple[int, ...]
    heads: tuple[tuple[int, ...], ...]
    teacher: tuple[LayerShape, ...]
    flops: float
    speedup: float
    measured_in: str
    loss_final: Loss
    loss_text: Loss


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A depth that a split network is served at (reranker.depth), and what it costs and loses.

    `flops` is its share of the teacher's operations a pair, the items' states there and the query's own reading shared
    by all of its candidates. Losses are against the teacher, on the validation period.
    """

    name: str
    depth: int
    flops: float
    loss_final: Loss
    loss_text: Loss


class ItemStates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the states of items are stored: int8 or float16, one after another for each of the levels' `depths`, `width`
    numbers a token in all. `correlation` is the lowest of scores from int8 states with those from exact ones."""

    kind: Literal["int8", "float16"]
    depths: tuple[int, ...]
    width: int
    correlation: float


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a model is. `digest` is the sha256 of the manifest with an empty digest and version.

    `role` is teacher or student, `teacher` the version a student was distilled from. `date` is the day of the
    lake it was trained for, `created_at` Unix seconds. `shape` is (heads, neurons) of each layer, which config.json
    cannot tell. `template` is a contract.scenario.TextTemplate: the texts it was trained on, and that it is to be
    given. `vector_space` is that of the items' vectors it learned from (contract.schemas.ITEM_FEATURES), "" for
    unknown. `metrics` were measured on the validation period; `pruning`, `levels` (the best
    first) and `states` are a student's, which is a split network.
    """

    format: int = FORMAT
    version: str = ""
    digest: str = ""
    role: str
    teacher: str = ""
    date: str
    created_at: float
    base_model: str
    layers: int
    shape: tuple[LayerShape, ...] = ()
    template_version: str = TEMPLATE_VERSION
    template: dict[str, Any]
    tokenizer_sha256: str
    special_tokens: tuple[int, int, int]
    query_tokens: int
    item_tokens: int
    feature_view: str = FEATURE_VIEW
    vector_space: str = ""
    feature_names: tuple[str, ...]
    feature_mean: tuple[float, ...]
    feature_std: tuple[float, ...]
    training: dict[str, int | float | str]
    metrics: dict[str, float]
    pruning: Pruning | None = None
    levels: tuple[Level, ...] = ()
    states: ItemStates | None = None
    files: dict[str, FileEntry] = {}

    @property
    def text_template(self) -> TextTemplate:
        """Raises ArtifactMismatch."""
        try:
            return TextTemplate.model_validate(self.template)
        except ValidationError as error:
            what = f"model {self.version}: its text template: {problems(error)}"
            raise ArtifactMismatch(f"{what}; export it again") from error


class _Format(msgspec.Struct):
    """What a manifest of any format has."""

    format: int


def seal(manifest: Manifest) -> Manifest:
    """The manifest with its digest, and with the version that follows from it: date and the digest's start."""
    bare = msgspec.structs.replace(manifest, version="", digest="")
    digest = hashlib.sha256(canonical(bare)).hexdigest()
    return msgspec.structs.replace(bare, version=f"{manifest.date.replace('-', '')}-{digest[:12]}", digest=digest)


def canonical(manifest: Manifest) -> bytes:
    """The one way to write a manifest: other bytes that say the same are not accepted."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"


def is_version(name: str) -> bool:
    """Whether `name` looks like an artifact's version."""
    return _VERSION.fullmatch(name) is not None


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a model directory, checked against its own digest and the directory's name.

    Raises ArtifactMismatch.
    """
    path = directory / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ArtifactMismatch(f"{path} cannot be read ({error.strerror}); export the model again") from error
    try:
        found = msgspec.json.decode(raw, type=_Format).format
        if found != FORMAT:
            raise ArtifactMismatch(f"{path}: format {found}, but this code reads {FORMAT}; train a new model")
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtifactMismatch(f"{path}: {error}; export the model again") from error
    if seal(manifest) != manifest or canonical(manifest) != raw:
        raise ArtifactMismatch(f"{path}: it is not what its own digest says; copy or export the model again")
    if directory.name != manifest.version:
        raise ArtifactMismatch(f"{directory}: the model in it is {manifest.version}; a directory bears its version")
    return manifest
