"""The peers: which environment and command each one is, and what it is sent."""

import itertools
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.recommend import free_port
from benchmarks.rerank.environments import ENVIRONMENTS, FOLDER, MODEL, OPENVINO_MODEL
from benchmarks.rerank.servers import server
from benchmarks.rerank.system import HOST, Running
from benchmarks.rerank.work import workload

THREADS = 2
TOP_N = 10
# Of this project and of the environment that runs the benchmark: no peer inherits them.
OURS = ("PACE_", "VIRTUAL_ENV", "PYTHONPATH")
# Threads 4 so that a peer can hold more than one request; no timeout, because a peer is paused between its turns.
GUNICORN = (
    "python", "-m", "gunicorn", "--bind", f"{HOST}:{{port}}", "--worker-class", "gthread", "--threads", "4",
    "--timeout", "0", "--log-level", "warning", "--no-control-socket",
)  # fmt: skip
INFINITY = (
    "infinity_emb", "v2", "--model-id", "{model}", "--engine", "torch", "--device", "cpu", "--no-bettertransformer",
    "--host", HOST, "--port", "{port}", "--log-level", "warning",
)  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """A System. `command` begins with a program of its environment; {port} and {model} in it are filled in."""

    name: str
    environment: str
    command: tuple[str, ...]

    def start(self) -> AbstractContextManager[Running]:
        """Raises SystemExit where its environment or the models are missing."""
        program = ENVIRONMENTS[self.environment].folder / "bin" / self.command[0]
        if not (program.is_file() and MODEL.is_dir() and OPENVINO_MODEL.is_dir()):
            raise SystemExit(f"{self.name} is not installed: run `python -m benchmarks.rerank.environments`")
        port = free_port()
        arguments = [part.format(port=port, model=MODEL) for part in self.command[1:]]
        probe = urllib.request.Request(
            f"http://{HOST}:{port}/rerank", body("one", ["two", "three"], 2), {"Content-Type": "application/json"}
        )
        return server([str(program), *arguments], variables(port), port, probe, FOLDER / f"{self.name}.log")

    def requests(self, documents: int) -> Iterator[bytes]:
        work = workload()
        for number in itertools.count():
            asked = work.request(number, documents)
            texts = [work.documents[place] for place in asked.candidates]
            yield post("/rerank", body(work.queries[asked.query], texts, TOP_N))


PEERS = (
    Peer("naive", "serving", (*GUNICORN, "benchmarks.rerank.peers.naive:create_app()")),
    Peer("cross_encoder", "serving", (*GUNICORN, "benchmarks.rerank.peers.cross_encoder:create_app()")),
    Peer("litserve", "serving", ("python", "-m", "benchmarks.rerank.peers.litserve_app")),
    Peer("infinity", "infinity", INFINITY),
    # Not its default on a CPU, but what who knows the machine would set.
    Peer("infinity_bf16", "infinity", (*INFINITY, "--dtype", "bfloat16")),
    Peer("openvino", "serving", (*GUNICORN, "benchmarks.rerank.peers.openvino_bf16:create_app()")),
)


def variables(port: int) -> dict[str, str]:
    """The environment of a peer: two threads for all that reads it, no network, no telemetry."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {
        **inherited,
        "PORT": str(port),
        "RERANK_MODEL": str(MODEL),
        "RERANK_OPENVINO": str(OPENVINO_MODEL),
        "OMP_NUM_THREADS": str(THREADS),
        "MKL_NUM_THREADS": str(THREADS),
        "RAYON_NUM_THREADS": str(THREADS),
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "CI": "true",  # so OpenVINO sends nothing
    }


def body(query: str, documents: list[str], top_n: int) -> bytes:
    return json.dumps({"query": query, "documents": documents, "top_n": top_n}).encode()


def post(path: str, content: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return f"{head}\r\n\r\n".encode() + content
