"""The shapes of an answer: on the wire, and as kept in the answer cache."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from contract.levels import Level, Reason
from contract.records import Pointer
from online.gateway.levels import LASTING
from online.gateway.query import RecommendRequest
from online.gateway.slate import SlateItem
from online.gateway.stages import TimingMs

# Change it with any change of `Slate`: answers cached by another version are then not found.
FORMAT = 1


class Explanation(msgspec.Struct, frozen=True):
    """How many candidates there were, how many passed the filter as far as it was asked, how many the model scored."""

    candidates: int
    kept: int
    scored: int


class Untimed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer but for its times, which are known once this has been written.

    `degraded` says why `level` is not the first; `model_version` is null where none is live; `trace_id` is what logs
    and traces know the request by.
    """

    recommendation_id: str
    trace_id: str
    generation: int
    model_version: str | None
    level: Level
    degraded: Reason | None
    cached: bool
    items: Sequence[SlateItem] | msgspec.Raw
    explanation: Explanation | UnsetType = UNSET


class Times(msgspec.Struct, frozen=True, gc=False):
    """The end of an answer. `took_ms` is the total of `timing_ms`."""

    took_ms: float
    timing_ms: TimingMs


class RecommendAnswer(Untimed, frozen=True, kw_only=True):
    """The body of a 200: an `Untimed` and its `Times`."""

    took_ms: float
    timing_ms: TimingMs


class Slate(msgspec.Struct, frozen=True, array_like=True):
    """Everything of an answer that another request may be given: `items` is their JSON, `item_ids` their order."""

    generation: int
    model_version: str
    level: Level
    degraded: Reason | None
    item_ids: tuple[str, ...]
    items: bytes
    explanation: Explanation | None = None

    def may_be_cached(self, pointer: Pointer) -> bool:
        """Whether the same generation and model would answer so again; a model still loading would not."""
        return (
            self.degraded in LASTING and self.generation == pointer.generation and self.model_version == pointer.model
        )

    @staticmethod
    def of(
        pointer: Pointer,
        model_version: str,
        level: Level,
        degraded: Reason | None,
        items: Sequence[SlateItem],
        explanation: Explanation | None = None,
    ) -> "Slate":
        return Slate(
            pointer.generation,
            model_version,
            level,
            degraded,
            tuple(item.item_id for item in items),
            _json.encode(items),
            explanation,
        )


_json = msgspec.json.Encoder()
_pack = msgspec.msgpack.Encoder()
_unpack_slate = msgspec.msgpack.Decoder(Slate)


def encode_slate(slate: Slate) -> bytes:
    return _pack.encode(slate)


def decode_slate(raw: bytes) -> Slate | None:
    """None for what is no Slate of this format: it is then computed anew."""
    try:
        return _unpack_slate.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def untimed_body(slate: Slate, recommendation_id: str, trace_id: str, cached: bool) -> bytes:
    """JSON of an Untimed."""
    return _json.encode(
        Untimed(
            recommendation_id=recommendation_id,
            trace_id=trace_id,
            generation=slate.generation,
            model_version=slate.model_version or None,
            level=slate.level,
            degraded=slate.degraded,
            cached=cached,
            items=msgspec.Raw(slate.items),
            explanation=UNSET if slate.explanation is None else slate.explanation,
        )
    )


def answer_body(untimed: bytes, timing: TimingMs) -> bytes:
    """JSON of a RecommendAnswer."""
    return untimed[:-1] + b"," + _json.encode(Times(timing.total, timing))[1:]


def material(pointer: Pointer, request: RecommendRequest) -> bytes:
    """Everything that changes an answer; what only names the visit or bounds the time is left out."""
    wanted = request.filter
    return _pack.encode(
        (
            FORMAT,
            pointer.generation,
            pointer.model,
            request.user_id,
            request.context,
            request.n,
            sorted(set(wanted.categories)),
            wanted.price_min,
            wanted.price_max,
            wanted.available,
            sorted(set(request.exclude)),
            request.explain,
        )
    )
