"""What serving knows of a user and of an item: written by the night, read by gateway and ranker.

Fields are only ever added at the end, with a default: the encoding is positional.
"""

import msgspec


class ItemRecord(msgspec.Struct, frozen=True, array_like=True):
    """One item of the catalogue as of a generation. Counts are positive events, ages are days.

    `vector` is its text's (contract.vectors).
    """

    item_id: str
    title: str
    text: str | None = None
    categories: tuple[str, ...] = ()
    price: float | None = None
    available: bool = True
    segment: str = "all"
    popularity_7d: int = 0
    popularity_30d: int = 0
    buyers_30d: int = 0
    age_days: float = 0.0
    attributes: dict[str, str] = {}
    vector: bytes = b""


class UserRecord(msgspec.Struct, frozen=True, array_like=True):
    """One user as of a generation; `history` holds distinct item ids, most recent first."""

    user_id: str
    segment: str = "all"
    history: tuple[str, ...] = ()
    sessions: int = 0
    positives: int = 0
    mean_price: float | None = None
    days_since_last: float | None = None


# The events that slates are to lead to: fields of Through, labels of a metric.
FOLLOWED_BY = ("click", "purchase")


class Through(msgspec.Struct, frozen=True):
    """What became of the slates of the days before a generation: how many there were, and the shares of them after
    which a shown item was clicked, or bought. None where nothing can be said.
    """

    slates: int = 0
    click: float | None = None
    purchase: float | None = None


class GenerationMeta(msgspec.Struct, frozen=True):
    """What was published as one generation; stored as JSON under the generation's `meta` key.

    `sources` names the columns of every candidate list's scores, in order; `weights` are what each counts for
    where lists are merged; `repeats` says whether a user may be offered what they chose before. `counts` holds the
    number of keys by kind. `vector_space` is that of the items' vectors (contract.schemas.ITEM_FEATURES).
    `checksum` is `contract.codec.checksum` over every (key, value). `states_model` is the model whose item states the
    generation carries, "" for none: so many texts, tokens of them, and blocks. `through` tells of
    slates that generations before it made.
    """

    generation: int
    created_at: float
    date: str
    sources: tuple[str, ...]
    weights: tuple[float, ...]
    counts: dict[str, int]
    checksum: str
    feature_view: str
    repeats: bool = True
    vector_space: str = ""
    states_model: str = ""
    states_texts: int = 0
    states_tokens: int = 0
    states_blocks: int = 0
    through: Through = Through()


class Pointer(msgspec.Struct, frozen=True):
    """Which generation and model are live; read once a request, moved only by compare-and-set.

    0 and "" stand for "none". `serial` counts the moves.
    """

    serial: int = 0
    generation: int = 0
    previous: int = 0
    model: str = ""
    previous_model: str = ""
    moved_at: float = 0.0
