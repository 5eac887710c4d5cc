"""How far the stream of impressions has been read: `<lake>/_imports/impressions.json`."""

import msgspec

from contract.errors import BadInput
from contract.store.impressions import BEGINNING
from jobs.events.ledger import FOLDER
from jobs.lake import Lake

FILE = "impressions.json"


class Position(msgspec.Struct, frozen=True):
    """`after`: the id of the last entry that the lake has."""

    after: str


def read_position(lake: Lake) -> bytes:
    """The stream id to read on from. Raises BadInput for a file that does not decode."""
    path = lake.folder / FOLDER / FILE
    if not path.exists():
        return BEGINNING
    try:
        return msgspec.json.decode(path.read_bytes(), type=Position).after.encode()
    except msgspec.DecodeError as error:
        raise BadInput(
            f"{path}: damaged ({error}): delete it, and the stream is read from its beginning; what the lake has of it "
            "stays as it is"
        ) from error


def write_position(lake: Lake, after: bytes) -> None:
    """Keep it, whole or not at all."""
    folder = lake.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.draft"
    draft.write_bytes(msgspec.json.encode(Position(after.decode())))
    draft.fs.mv(draft.path, (folder / FILE).path)
