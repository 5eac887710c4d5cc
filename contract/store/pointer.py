"""The one value that decides what is live. Readers read it once a request; writers move it by compare-and-set."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from contract.errors import PublishRefused
from contract.keys import Keys
from contract.records import Pointer
from contract.store.connection import unreachable_is_typed

FIELDS = ("serial", "generation", "previous", "model", "previous_model", "moved_at")

# One key, so it works on a Redis Cluster; Redis runs a script whole or not at all.
_COMPARE_AND_SET = """
local serial = tonumber(redis.call('HGET', KEYS[1], 'serial') or '0')
if serial ~= tonumber(ARGV[1]) then return serial end
redis.call('HSET', KEYS[1], 'serial', serial + 1, 'generation', ARGV[2], 'previous', ARGV[3],
           'model', ARGV[4], 'previous_model', ARGV[5], 'moved_at', ARGV[6])
return -1
"""


def read_pointer(client: Any, keys: Keys) -> Pointer:
    """The pointer as it stands; all zero before the first publish. Raises StoreUnreachable."""
    with unreachable_is_typed("reading the pointer"):
        return pointer_of(client.hmget(keys.pointer, FIELDS))


def pointer_of(values: Sequence[bytes | None]) -> Pointer:
    """From the values of FIELDS, None where there are none yet."""
    serial, generation, previous, model, previous_model, moved_at = values
    return Pointer(
        int(serial or 0),
        int(generation or 0),
        int(previous or 0),
        (model or b"").decode(),
        (previous_model or b"").decode(),
        float(moved_at or 0.0),
    )


def move_pointer(client: Any, keys: Keys, seen: Pointer, wanted: Pointer) -> Pointer:
    """Replace `seen` by `wanted` (its serial and time are set here); returns the pointer as moved.

    Raises PublishRefused if another writer moved it since `seen` was read, StoreUnreachable.
    """
    now = time.time()
    with unreachable_is_typed("moving the pointer"):
        found = client.eval(
            _COMPARE_AND_SET,
            1,
            keys.pointer,
            seen.serial,
            wanted.generation,
            wanted.previous,
            wanted.model,
            wanted.previous_model,
            repr(now),
        )
    if int(found) != -1:
        raise PublishRefused(
            f"the pointer was moved by someone else (serial {found}, expected {seen.serial}): run the step again"
        )
    return Pointer(seen.serial + 1, wanted.generation, wanted.previous, wanted.model, wanted.previous_model, now)


@dataclass(frozen=True)
class Promotion:
    """`model` is to be live instead of the model `replacing`, or instead of whichever it is for None."""

    model: str
    replacing: str | None = None

    def applied(self, seen: Pointer) -> Pointer:
        """Raises PublishRefused. Where `model` is live already, the model before it stays the one before."""
        if seen.model == self.model:
            return seen
        if self.replacing not in (None, seen.model):
            raise PublishRefused(
                f"model {seen.model or 'none'} went live meanwhile, and {self.model} was to replace "
                f"{self.replacing or 'none'}: it stays; run `python -m jobs gate`, then promote again"
            )
        return msgspec.structs.replace(seen, model=self.model, previous_model=seen.model)
