"""Random ids, drawn many at a time: for one, the call of the system costs more than the id."""

import os

DIGITS = 32
# A draw of 4 KiB, which one request in 128 pays, as most take two ids.
AT_ONCE = 256


class RandomIds:
    """Each is 32 hexadecimal digits, nobody can guess it, and nobody else gets it. For any thread."""

    def __init__(self) -> None:
        self._drawn: list[str] = []
        os.register_at_fork(after_in_child=self._drawn.clear)

    def __call__(self) -> str:
        while True:
            try:
                return self._drawn.pop()
            except IndexError:
                digits = os.urandom(AT_ONCE * DIGITS // 2).hex()
                self._drawn += [digits[at : at + DIGITS] for at in range(0, len(digits), DIGITS)]


random_id = RandomIds()
