"""A model directory: FP16 safetensors, tokenizer, encoder config, golden pairs, and a manifest that vouches for all.

    manifest.json       what the model is; size and sha256 of every other file; a digest of itself
    model.safetensors   every weight, float16
    config.json         the encoder, as Hugging Face describes it, before heads and neurons were pruned
    tokenizer.json      the tokenizer
    golden.json         queries with the scores they got (reranker.golden)
    trees.json          boosted trees, where their score is a feature (reranker.boosting)

An artifact never changes: its version holds the manifest's digest. It is written aside and renamed into place.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contract.errors import ArtifactMismatch
from contract.features import VERSION as FEATURE_VIEW
from reranker.boosting import BOOSTED
from reranker.golden import GoldenQuery
from reranker.manifest import MANIFEST, FileEntry, Manifest, canonical, read_manifest, seal
from reranker.texts import TEMPLATE_VERSION

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
GOLDEN = "golden.json"
TREES = "trees.json"
# Starts the name of a directory that is being written.
UNFINISHED = ".writing-"
CONTENT = (WEIGHTS, CONFIG, TOKENIZER, GOLDEN)


@dataclass(frozen=True, eq=False)
class Artifact:
    """A verified manifest and the bytes it vouches for, read once: what was hashed is what is used."""

    manifest: Manifest
    content: Mapping[str, bytes]

    def golden(self) -> list[GoldenQuery]:
        """Raises ArtifactMismatch."""
        golden: list[GoldenQuery] = self._json(GOLDEN, list[GoldenQuery])
        return golden

    def config(self) -> dict[str, Any]:
        """Raises ArtifactMismatch."""
        config: dict[str, Any] = self._json(CONFIG, dict[str, Any])
        return config

    def _json(self, name: str, kind: Any) -> Any:
        try:
            return msgspec.json.decode(self.content[name], type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ArtifactMismatch(f"{name} of model {self.manifest.version}: {error}; export it again") from error


def write_artifact(parent: Path, manifest: Manifest, content: Mapping[str, bytes]) -> Path:
    """Write `content` and its sealed manifest to `parent`/<version>; returns that directory.

    Killed at any point, it leaves no directory of that name, or the whole of it. Raises ArtifactMismatch where
    a directory of that version is there and is damaged.
    """
    files = {name: FileEntry(len(raw), hashlib.sha256(raw).hexdigest()) for name, raw in sorted(content.items())}
    sealed = seal(msgspec.structs.replace(manifest, files=files))
    place = parent / sealed.version
    if place.exists():
        read_artifact(place)
        return place
    parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
    try:
        for name, raw in {**content, MANIFEST: canonical(sealed)}.items():
            _write_through(aside / name, raw)
        aside.chmod(0o755)
        aside.rename(place)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return place


def read_artifact(directory: Path) -> Artifact:
    """Read and verify a model directory: its files and no others, their sizes and hashes, and that this code has
    the text template, the feature view and the tokenizer it was trained with.

    Raises ArtifactMismatch that names what differs. Nothing is parsed before its hash is known to be right.
    """
    manifest = read_manifest(directory)
    if unknown := sorted({entry.name for entry in directory.iterdir()} - {MANIFEST, *manifest.files}):
        raise ArtifactMismatch(f"{directory}: unknown file {unknown[0]}; a model has only {', '.join(CONTENT)}")
    wanted = sorted((*CONTENT, TREES) if BOOSTED in manifest.feature_names else CONTENT)
    if sorted(manifest.files) != wanted:
        raise ArtifactMismatch(f"{directory / MANIFEST}: it names {sorted(manifest.files)}, not {wanted}")
    content = {name: _verified(directory / name, entry) for name, entry in manifest.files.items()}
    for what, theirs, ours in (
        ("text template version", manifest.template_version, TEMPLATE_VERSION),
        ("feature view", manifest.feature_view, FEATURE_VIEW),
        ("tokenizer hash", manifest.tokenizer_sha256, hashlib.sha256(content[TOKENIZER]).hexdigest()),
    ):
        if theirs != ours:
            raise ArtifactMismatch(f"{directory}: {what} is {theirs}, but here it is {ours}; train a new model")
    _ = manifest.text_template
    lengths = {len(manifest.feature_names), len(manifest.feature_mean), len(manifest.feature_std)}
    if len(lengths) != 1 or min(manifest.feature_std, default=0.0) <= 0:
        raise ArtifactMismatch(f"{directory / MANIFEST}: feature names, means and deviations do not belong together")
    return Artifact(manifest, content)


def _verified(path: Path, entry: FileEntry) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ArtifactMismatch(f"{path}: missing, or no plain file; copy or export the model again")
    raw = path.read_bytes()
    if len(raw) != entry.bytes:
        raise ArtifactMismatch(f"{path}: {len(raw)} bytes instead of {entry.bytes}; copy or export the model again")
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        raise ArtifactMismatch(f"{path}: its sha256 is not the manifest's; copy or export the model again")
    return raw


def _write_through(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
