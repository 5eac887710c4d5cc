"""Keys and values of queries, as rankers share them: bytes under the model, the number format and the token ids."""

from typing import Any

from contract.keys import Keys
from contract.store.connection import unreachable_is_typed


class QueryStates:
    """Raises StoreUnreachable. Every value lives `ttl_seconds` from when it was written."""

    def __init__(self, client: Any, keys: Keys, ttl_seconds: int) -> None:
        self._client = client
        self._keys = keys
        self._ttl = ttl_seconds

    def get(self, key: bytes) -> bytes | None:
        with unreachable_is_typed("reading a query's states"):
            found: bytes | None = self._client.get(self._keys.query(key))
        return found

    def put(self, key: bytes, value: bytes) -> None:
        with unreachable_is_typed("writing a query's states"):
            self._client.set(self._keys.query(key), value, ex=self._ttl)
