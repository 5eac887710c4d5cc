"""What a promotion did, and what it demands of the gate's record."""

import getpass
import hashlib
import time
from pathlib import Path

import msgspec

from contract.errors import GateRefused
from contract.records import Pointer
from jobs.model.folders import ModelFolders
from jobs.model.gate.record import read_record
from reranker.manifest import Manifest


class Promoted(msgspec.Struct, frozen=True):
    """`forced`: the reason of a promotion without the gate's word; empty where the gate admitted the model."""

    version: str
    digest: str
    at: float
    by: str
    replaced: str
    generation: int
    serial: int
    forced: str


def demand_admission(folders: ModelFolders, manifest: Manifest, live: str) -> None:
    """That the gate admitted this very artifact, by the evaluation that is there, instead of the model `live`.

    Raises BadInput where the gate has not judged it, GateRefused.
    """
    version = manifest.version
    path = folders.gate_record(version)
    record = read_record(path)
    again = "run `python -m jobs gate` again"
    if record.digest != manifest.digest:
        raise GateRefused(f"{path} is of another artifact than {folders.students / version}: {again}")
    if not record.admitted:
        raise GateRefused(f"the gate refused model {version}: {'; '.join(record.reasons)} ({path})")
    if record.evaluation_sha256 != _sha256(folders.evaluation(version)):
        raise GateRefused(f"model {version} was evaluated anew after the gate judged it: {again}")
    if record.live != live:
        raise GateRefused(
            f"the gate compared model {version} with {record.live or 'the candidate order'}, but "
            f"{f'model {live}' if live else 'no model'} is live now: {again}"
        )


def keep_promotion(path: Path, manifest: Manifest, pointer: Pointer, forced: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = Promoted(
        version=manifest.version,
        digest=manifest.digest,
        at=time.time(),
        by=_user(),
        replaced=pointer.previous_model,
        generation=pointer.generation,
        serial=pointer.serial,
        forced=forced,
    )
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return "unknown"
