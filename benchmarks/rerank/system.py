"""What is compared: anything that can be started, and asked to rank n documents by an HTTP request."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import psutil

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Running:
    """A system that answers on HOST:`port`.

    `processes` are the roots of its process trees, none inside another's: their CPU is what a request costs, and they
    are all stopped (SIGSTOP) while another system is asked.
    """

    port: int
    processes: Sequence[psutil.Process]


class System(Protocol):
    """One contestant. Request k of `requests(n)` must be Workload.request(k, n), whatever form it takes."""

    @property
    def name(self) -> str: ...

    def start(self) -> AbstractContextManager[Running]:
        """Started, and answering with a 200; on leaving, nothing of it is left."""

    def requests(self, documents: int) -> Iterator[bytes]:
        """Raw HTTP requests without end, each to rank so many documents; always the same ones."""
