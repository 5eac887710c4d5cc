"""Generation numbers: the time in UTC when one was taken, and at least one more than the last.

    20261130021503    taken on 30 November 2026 at 02:15:03, or the first free one after it

Gateways and rankers keep what they read under its generation's number, so a number must never come again, also not in a
store that was lost, or that came back from an older backup: what is counted in the store alone would go back with it.
Numbers have 14 digits, which a double holds exactly: Lua, JavaScript and Prometheus count in doubles.
"""

import time
from typing import Any

from contract.keys import Keys
from contract.store.connection import unreachable_is_typed

# One key, so it works on a Redis Cluster; two at once get two numbers, since Redis runs a script whole.
_TAKE = """
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local number = math.max(last + 1, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', number))
return number
"""


def number_of(seconds: float) -> int:
    """The number of a time in Unix seconds."""
    return int(time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds)))


def number_by_clock() -> int:
    return number_of(time.time())


def take_number(client: Any, keys: Keys, least: int) -> int:
    """A number that this store has never given out; `least` or more. Raises StoreUnreachable."""
    with unreachable_is_typed("taking a generation number"):
        return int(client.eval(_TAKE, 1, keys.counter, least))
