"""The item states that a generation is published with: those of the model that is to be live with it."""

from collections.abc import Iterator

from contract.errors import ArtifactMismatch, BadInput
from contract.states import StateBlock
from jobs.lake import Lake
from jobs.model.folders import ModelFolders
from jobs.serving.encode_items import catalogue_texts
from jobs.serving.state_table import StateTable
from reranker.item_coding import ItemTexts


def published_states(lake: Lake, day: str, folders: ModelFolders, version: str) -> Iterator[StateBlock]:
    """The states of the texts of `day` that the model has read; none for no model, or one that has no states.

    What is missing costs an answer a reading on the spot, so nothing here stops a generation: it is told.
    """
    if not version:
        return
    try:
        reads = ItemTexts(folders.student(version))
    except (BadInput, ArtifactMismatch) as error:
        print(f"published without item states: {error}")
        return
    texts, found = catalogue_texts(lake, day, reads), 0
    try:
        for block in StateTable(lake, version).blocks(texts.keys(), reads.states):
            found += len(block.keys)
            yield block
    except BadInput as error:
        print(f"item states are published as far as they can be read: {error}")
    if found < len(texts):
        print(
            f"item states of {found} of {len(texts)} texts by model {version}: the ranker reads the others on the "
            "spot; run `python -m jobs encode_items` first"
        )
