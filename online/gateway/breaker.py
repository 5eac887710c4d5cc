"""Stops asking a server that does not answer, so that its silence costs a few requests and not all of them."""


class Breaker:
    """Opens after `threshold` failures in a row; `succeeded` closes it.

    While it is open nobody asks but the pulse, so recovery costs no request. Plain attribute writes: a lost
    update between threads only shifts the count by one.
    """

    def __init__(self, threshold: int = 3) -> None:
        self._threshold = threshold
        self._failures = 0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._threshold

    def failed(self) -> None:
        self._failures += 1

    def succeeded(self) -> None:
        self._failures = 0
