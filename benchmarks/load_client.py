"""A load client: N connections, each with one request in flight, on raw sockets in one thread.

It costs about a twentieth of what a request costs the gateway, so on two cores it is not what is measured.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Load:
    """Latencies in seconds, in order of arrival; `refused` counts answers that were not a 200."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    client_cpu_seconds: float = 0.0
    refused: int = 0

    def quantile(self, q: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(q * len(ordered)), len(ordered) - 1)]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


class _Connection:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.began = 0.0

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The status line once the whole answer is there."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the gateway closed a connection")
        self.received += part
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return None
        at = self.received.lower().find(b"content-length:", 0, head)
        length = int(self.received[at + 15 : self.received.find(b"\r\n", at)])
        if len(self.received) < head + 4 + length:
            return None
        status = bytes(self.received[:12])
        self.received.clear()
        return status


def get(path: str, host: str, header: str = "") -> bytes:
    """`header`: more lines, each with its end."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n".encode()


def run(host: str, port: int, requests: Iterator[bytes], concurrency: int, count: int, most_seconds: float) -> Load:
    """Send `count` requests, or as many as go into `most_seconds`."""
    load = Load()
    selector = selectors.DefaultSelector()
    began, cpu = time.perf_counter(), time.process_time()
    connections = [_Connection(host, port) for _ in range(concurrency)]
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(requests))
    sent, open_requests = concurrency, concurrency
    while open_requests:
        for key, _ in selector.select():
            connection = key.data
            status = connection.receive()
            if status is None:
                continue
            now = time.perf_counter()
            load.latencies.append(now - connection.began)
            load.refused += not status.endswith(b"200")
            if sent < count and now - began < most_seconds:
                connection.send(next(requests))
                sent += 1
            else:
                open_requests -= 1
                selector.unregister(connection.socket)  # a server may close it now
    load.seconds, load.client_cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    for connection in connections:
        connection.socket.close()
    return load
