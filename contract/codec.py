"""Binary values in Redis and on the ranker's socket: small, typed, and checked on the way in.

A candidate list of n entries from s sources is
    u8 version | u8 s | u16 n | u8[n] source | f16[n,s] scores | the ids' UTF-8, a NUL after each
all little-endian: 20 bytes an entry for 8-byte ids and five sources. Text that is cut at a character, all of it in one
call, takes well under half the time of ids that are cut out by their lengths, and a query has hundreds.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64

from contract.errors import CorruptValue
from contract.records import ItemRecord, UserRecord

VERSION = 2
MAX_ENTRIES = 65535
END = "\0"
_HEAD = struct.Struct("<BBH")


@dataclass(frozen=True, eq=False)
class CandidateList:
    """Candidates in order, best first.

    `item_ids`: n ids. `source`: uint8[n], the column of the source that won the entry its place.
    `scores`: float32[n, s], each source's own score (0 where it did not propose the item).
    """

    item_ids: tuple[str, ...]
    source: NDArray[np.uint8]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.item_ids)

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> "CandidateList":
        """The entries at `positions`, in that order."""
        index = np.asarray(positions, dtype=np.intp)
        return CandidateList(tuple([self.item_ids[i] for i in index.tolist()]), self.source[index], self.scores[index])

    @staticmethod
    def empty(sources: int) -> "CandidateList":
        return CandidateList((), np.zeros(0, np.uint8), np.zeros((0, sources), np.float32))

    @staticmethod
    def of(entries: Iterable[tuple[str, int, Sequence[float]]], sources: int) -> "CandidateList":
        """From (item id, source column, scores) triples."""
        rows = list(entries)
        return CandidateList(
            tuple(row[0] for row in rows),
            np.array([row[1] for row in rows], np.uint8),
            np.array([row[2] for row in rows], np.float32).reshape(len(rows), sources),
        )


def encode_candidates(candidates: CandidateList) -> bytes:
    """Scores are clipped to what float16 holds (±65504). Raises ValueError past MAX_ENTRIES entries, and for an id
    with a NUL."""
    ids = END.join((*candidates.item_ids, ""))
    return pack_candidates(candidates.source, candidates.scores, ids.encode())


def pack_candidates(source: NDArray[np.uint8], scores: NDArray[np.float32], ids: bytes) -> bytes:
    """encode_candidates for columns that lie in buffers already: `ids` is the ids' UTF-8, each with its END."""
    n, s = scores.shape
    if n > MAX_ENTRIES or s > 255:
        raise ValueError(f"{n} entries of {s} sources: at most {MAX_ENTRIES} and 255 fit")
    if ids.count(END.encode()) != n:
        raise ValueError(f"{n} entries: an item id has a NUL, which ends ids in a candidate list")
    return b"".join(
        (
            _HEAD.pack(VERSION, s, n),
            source.astype(np.uint8).tobytes(),
            np.clip(scores, -65504, 65504).astype("<f2").tobytes(),
            ids,
        )
    )


def decode_candidates(raw: bytes) -> CandidateList:
    """The inverse of encode_candidates, but for float16 rounding. Raises CorruptValue."""
    if len(raw) < _HEAD.size or raw[0] != VERSION:
        raise CorruptValue(f"candidate list of {len(raw)} bytes: not format version {VERSION}; publish again")
    _, s, n = _HEAD.unpack_from(raw)
    scores_at = _HEAD.size + n
    ids_at = scores_at + 2 * n * s
    if len(raw) < ids_at:
        raise CorruptValue(f"candidate list of {n} entries is cut off at {len(raw)} bytes; publish again")
    unknown = raw[_HEAD.size : scores_at].translate(None, bytes(range(s)))  # a third of what numpy's max takes
    if unknown:
        raise CorruptValue(f"candidate list of {n} entries: an entry is of source {max(unknown)} of {s}; publish again")
    source = np.frombuffer(raw, np.uint8, n, _HEAD.size)
    scores = np.frombuffer(raw, "<f2", n * s, scores_at).reshape(n, s).astype(np.float32)
    try:
        ids = raw[ids_at:].decode().split(END)
    except UnicodeDecodeError as error:
        raise CorruptValue(f"candidate list of {n} entries: an id is not UTF-8; publish again") from error
    rest = ids.pop()
    if len(ids) != n or rest:
        raise CorruptValue(f"candidate list of {n} entries has the ends of {len(ids)} ids; publish again")
    return CandidateList(tuple(ids), source, scores)


_encoder = msgspec.msgpack.Encoder()
_item_decoder = msgspec.msgpack.Decoder(ItemRecord)
_user_decoder = msgspec.msgpack.Decoder(UserRecord)


def encode_record(record: ItemRecord | UserRecord) -> bytes:
    return _encoder.encode(record)


def decode_item(raw: bytes) -> ItemRecord:
    """Raises CorruptValue."""
    try:
        return _item_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptValue(f"item record of {len(raw)} bytes: {error}; publish again") from error


def decode_user(raw: bytes) -> UserRecord:
    """Raises CorruptValue."""
    try:
        return _user_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptValue(f"user record of {len(raw)} bytes: {error}; publish again") from error


class Checksum:
    """An order-independent sum over (key, value) pairs: equal for equal sets, whoever wrote first."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, key: bytes, value: bytes) -> None:
        digest = xxh3_64(struct.pack("<I", len(key)) + key)
        digest.update(value)
        self._sum = (self._sum + digest.intdigest()) % 2**64

    def hexdigest(self) -> str:
        return f"{self._sum:016x}"
