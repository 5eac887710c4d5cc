"""Sections that the servers read: Redis, the gateway, the ranker."""

from typing import Literal

from pydantic import Field

from contract.settings.section import Port, Positive, Section


class Redis(Section):
    url: str = Field("redis://127.0.0.1:6379/0", description="Serving data: generations, pointer, cached answers")
    cluster: bool = Field(False, description="The URL names a node of a Redis Cluster")
    prefix: str = Field("pace", description="First part of every key")
    timeout_seconds: Positive = Field(0.03, description="Longest wait for one read on the request path")
    publish_timeout_seconds: Positive = Field(10.0, description="Longest wait for one batch while publishing")
    staging_ttl_seconds: int = Field(21600, ge=60, description="Life of a generation that is never flipped live")
    retired_ttl_seconds: int = Field(3600, ge=1, description="How long generation N-2 stays after a flip")


class Events(Section):
    url: str = Field("redis://127.0.0.1:6380/0", description="Event stream (its own instance: AOF, noeviction)")
    stream_max_length: int = Field(1_000_000, ge=1, description="Impressions kept in the stream, about")


class Gateway(Section):
    host: str = "127.0.0.1"
    port: Port = 8000
    workers: int = Field(1, ge=1, description="Server processes; each holds its own connections")
    threads: int = Field(16, ge=1, description="Requests in flight in one worker")
    one_core: bool = Field(True, description="A worker keeps to one core that no other worker has")
    timeout_ms: Positive = Field(1000.0, description="Answer budget of a request that names none")
    min_timeout_ms: Positive = Field(50.0, description="Smallest budget; must exceed redis.timeout_seconds")
    max_timeout_ms: Positive = Field(10_000.0, description="Largest budget a request may ask for")
    default_n: int = Field(10, ge=1, description="Length of the slate where a request names none")
    max_n: int = Field(100, ge=1, description="Largest slate a request may ask for")
    max_context_items: int = Field(50, ge=1, description="Most context items of a request")
    max_exclude: int = Field(1000, ge=0, description="Most excluded items of a request")
    max_body_bytes: int = Field(65_536, ge=1, description="Larger request bodies are answered with 413")
    rerank_depth: int = Field(50, ge=1, description="Candidates the model scores; those behind keep their order")
    merged_candidates: int = Field(200, ge=1, description="Candidates kept after merging a query's lists")
    cache_ttl_seconds: int = Field(3600, ge=0, description="Life of a cached answer; 0 caches nothing")
    known_items: int = Field(200_000, ge=1, description="Item records held in a worker's memory")
    rankers: tuple[str, ...] = Field(
        (), description='Addresses of several rankers, JSON: ["tcp://10.0.0.5:8001", ...]; empty: ranker.endpoint'
    )
    ranker_outstanding: int = Field(
        16, ge=1, description="Rank requests a worker has open at once with a ranker; more fall back"
    )
    impressions_waiting: int = Field(10_000, ge=1, description="Impressions held for the stream; more are dropped")
    refresh_seconds: Positive = Field(2.0, description="How often the fallback in memory is brought up to date")


class Ranker(Section):
    endpoint: str = Field("tcp://127.0.0.1:8001", description="ZeroMQ address (tcp:// or ipc://)")
    metrics_port: Port = Field(8002, description="Prometheus port of the ranker process, on host")
    host: str = Field("127.0.0.1", description="Interface of the ranker's metrics port")
    threads: int = Field(2, ge=1, description="Torch threads")
    batch_pairs: int = Field(0, ge=0, description="Pairs in one forward pass; 0: 64 on a CPU, 1024 on a GPU")
    batch_ms: float = Field(
        50.0, ge=0, description="Requests that wait are scored together if all would be done within it; 0: one by one"
    )
    known_items: int = Field(1_000_000, ge=1, description="Item records held in memory")
    levels: tuple[Literal["full", "fast"], ...] = Field(
        ("full", "fast"),
        min_length=1,
        description="Levels that the model may be asked for, the best first; states of others are not held",
    )
    unseen_tokens: int = Field(
        400_000, ge=1, description="Tokens of items' texts, not in the generation's states, whose states are kept"
    )
    known_queries: int = Field(256, ge=0, description="Queries whose keys and values are kept; 0: none")
    query_ttl_seconds: int = Field(
        0, ge=0, description="Life of a query's keys and values in Redis, where rankers share them; 0: none are there"
    )
    device: str = Field("auto", description="cpu, cuda, or auto")
    poll_seconds: Positive = Field(1.0, description="How often the pointer is read for a new model")
    queue_length: int = Field(64, ge=1, description="Rank requests that may wait; more are refused at once")
