"""The Redis key grammar: `keys` writes them, `parse` reads them back; docs/redis-layout.md is made from GRAMMAR.

    <prefix>:pointer                         which generation and model are live (hash)
    <prefix>:counter                         the last generation number given out
    <prefix>:g<generation>:<kind>[:<id>]     one value of a generation, whose number is of contract.store.numbers
    <prefix>:answer:<digest>                 a cached answer
    <prefix>:query:<digest>                  a query's keys and values, as rankers share them
    <prefix>:impressions                     the stream of what was shown (events instance)

Ids are the users' own and stand last, so that any character but NUL may occur in them. No key needs
another one in the same slot: every grammar works on a Redis Cluster.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from contract.errors import BadInput

Kind = Literal["meta", "user", "item", "candidates-user", "candidates-item", "candidates-segment", "states"]

MAX_ID_BYTES = 512

GRAMMAR: dict[str, tuple[str, str]] = {
    "meta": ("m", "JSON of contract.records.GenerationMeta"),
    "user": ("u", "MessagePack of contract.records.UserRecord"),
    "item": ("i", "MessagePack of contract.records.ItemRecord"),
    "candidates-user": ("cu", "contract.codec.CandidateList for a user"),
    "candidates-item": ("ci", "contract.codec.CandidateList for a context item"),
    "states": ("st", "contract.states.StateBlock: what a model makes of items' texts; its id is the block's number"),
    "candidates-segment": ("cs", "contract.codec.CandidateList: the popular items of a segment"),
}
_KIND_OF_TAG = {tag: kind for kind, (tag, _) in GRAMMAR.items()}
_VALUE_KEY = re.compile(rb"(?s)g(0|[1-9]\d{0,17}):([a-z]+)(?::(.+))?")


@dataclass(frozen=True)
class ValueKey:
    """A key of one generation, taken apart. `id` is empty for `meta`."""

    generation: int
    kind: str
    id: str


class Keys:
    """Every key under one prefix.

    Raises BadInput for an id that is empty or longer than MAX_ID_BYTES in UTF-8.
    """

    def __init__(self, prefix: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", prefix):
            raise BadInput(
                f"redis.prefix {prefix!r}: use 1 to 64 letters, digits, '.', '_' or '-' (PACE_REDIS__PREFIX)"
            )
        self.prefix = prefix
        self._start = f"{prefix}:".encode()
        self.pointer = self._start + b"pointer"
        self.counter = self._start + b"counter"
        self.impressions = self._start + b"impressions"

    def meta(self, generation: int) -> bytes:
        return self._start + b"g%d:m" % generation

    def value(self, generation: int, kind: Kind, id: str) -> bytes:
        raw = id.encode("utf-8", "strict") if id.isascii() else _utf8(id)
        if not 0 < len(raw) <= MAX_ID_BYTES:
            raise BadInput(
                f"{kind} id of {len(raw)} bytes: ids have 1 to {MAX_ID_BYTES}; shorten it where events are made"
            )
        return self._start + b"g%d:%s:%s" % (generation, GRAMMAR[kind][0].encode(), raw)

    def answer(self, material: bytes) -> bytes:
        """The key of a cached answer: `material` is everything that changes the answer."""
        return self._start + b"answer:" + hashlib.blake2b(material, digest_size=16).hexdigest().encode()

    def query(self, digest: bytes) -> bytes:
        """The key of a query's keys and values: `digest` is over the model, the number format and the token ids."""
        return self._start + b"query:" + digest.hex().encode()

    def generation_pattern(self) -> bytes:
        """A SCAN pattern that matches every key of every generation under this prefix."""
        return self._start.replace(b"[", b"\\[") + b"g[0-9]*:*"

    def parse(self, key: bytes) -> ValueKey:
        """Take a generation's key apart; raises BadInput for any other key."""
        match = _VALUE_KEY.fullmatch(key[len(self._start) :]) if key.startswith(self._start) else None
        kind = _KIND_OF_TAG.get(match[2].decode()) if match else None
        if match is None or kind is None or (match[3] is None) != (kind == "meta"):
            raise BadInput(f"{key!r} is no key of a generation under prefix {self.prefix!r}")
        try:
            return ValueKey(int(match[1]), kind, (match[3] or b"").decode())
        except UnicodeDecodeError as error:
            raise BadInput(f"{key!r}: its id is not UTF-8, so it was not written as a key of this grammar") from error


def _utf8(id: str) -> bytes:
    try:
        return id.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"id {id!r} is not valid Unicode (a lone surrogate): repair it at its source") from error
