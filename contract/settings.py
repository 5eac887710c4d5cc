"""Every setting, once: a frozen tree read from the environment and `.env` (`PACE_REDIS__URL=...`).

`python -m contract.settings` prints `.env.example`; a test holds the committed file equal to it.
"""

import json
import os
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.errors import BadInput

# Facts of the dataset that were settings once: where the scenario's file has them now.
MOVED = {
    "PACE_NIGHT__SESSION_GAP_SECONDS": "sessions.gap_seconds",
    "PACE_NIGHT__RATING_POSITIVE_FROM": "positive.rating_from",
    "PACE_NIGHT__POSITIVE_TYPES": "positive.types",
    "PACE_TRAINING__TASK": "task",
}

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
    ranker_outstanding: int = Field(16, ge=1, description="Rank requests a worker has open at once; more fall back")
    impressions_waiting: int = Field(10_000, ge=1, description="Impressions held for the stream; more are dropped")
    refresh_seconds: Positive = Field(2.0, description="How often the fallback in memory is brought up to date")


class Ranker(Section):
    endpoint: str = Field("tcp://127.0.0.1:8001", description="ZeroMQ address (tcp:// or ipc://)")
    metrics_port: Port = Field(8002, description="Prometheus port of the ranker process, on host")
    host: str = Field("127.0.0.1", description="Interface of the ranker's metrics port")
    threads: int = Field(2, ge=1, description="Torch threads")
    batch_pairs: int = Field(64, ge=1, description="Pairs in one forward pass")
    known_items: int = Field(1_000_000, ge=1, description="Item records held in memory")
    device: str = Field("auto", description="cpu, cuda, or auto")
    poll_seconds: Positive = Field(1.0, description="How often the pointer is read for a new model")
    queue_length: int = Field(64, ge=1, description="Rank requests that may wait; more are refused at once")


class Source(Section):
    adapter: str = Field("online_retail", description="Built-in adapter of the night's import; empty: none")
    events: str = Field("", description="Parquet or JSON lines of events to import each night; empty: none")
    items: str = Field("", description="Parquet or JSON lines of items to import each night; empty: none")
    max_bad_share: float = Field(
        0.5, ge=0, le=1, description="A file with a larger share of bad rows is refused as a whole"
    )


class Night(Section):
    lake: str = Field("var/lake", description="Path or URL of the lake (file:, s3a:, hdfs:, ...)")
    models: str = Field("var/models", description="Directory of model artifacts")
    reports: str = Field("var/reports", description="Where a failed job leaves its reason for the failure mail")
    data_docs: str = Field("var/data_docs", description="Directory of the Great Expectations site")
    scenario: str = Field(
        "ops/scenario.yaml", description="What the dataset's events mean and what the model reads, edited by people"
    )
    date: str = Field("latest", description="Day the night is run for: YYYY-MM-DD, or latest (last day of events)")
    history_length: int = Field(50, ge=1, description="Items kept of a user's history")
    seed: int = Field(17, description="Seed of every random choice")


class Candidates(Section):
    list_length: int = Field(200, ge=1, description="Entries of a merged list")
    quotas: dict[str, float] = Field(
        default_factory=dict,
        description='What a source\'s scores count for in the merge, JSON: {"als": 0.5}; its own weight where unnamed',
    )
    half_life_days: Positive = Field(90.0, description="Age at which a co-visit counts half")
    window_days: int = Field(30, ge=1, description="Window of the popular lists")
    als_rank: int = Field(32, ge=1, description="Factors of implicit ALS")
    als_iterations: int = Field(6, ge=1, description="Sweeps of implicit ALS")


class Checks(Section):
    window_days: int = Field(90, ge=0, description="Days of events whose rows are validated each night; 0: every day")
    oldest_event: date = Field(date(2000, 1, 1), description="An event before this day is taken for misdated")
    day_events_min: int = Field(1, ge=0, description="Least events of the night's day")
    day_events_share_min: float = Field(
        0.05, ge=0, description="Least events of the day, as a share of the median day of the four weeks before"
    )
    anonymous_share_max: float = Field(0.9, ge=0, le=1, description="Largest share of a day's events without a user")
    rating_min: float = Field(0.0, description="Lowest value of a rating")
    rating_max: float = Field(5.0, description="Highest value of a rating")
    items_min: int = Field(1, ge=1, description="Least items of the catalogue")
    quarantine_share_max: float = Field(
        0.05, ge=0, le=1, description="Largest share of a table's rows that imports of the last day set aside"
    )
    coverage_min: float = Field(0.5, ge=0, le=1, description="Least share of known users with a candidate list")
    kept_runs: int = Field(30, ge=1, description="Runs of a suite that Data Docs keep")


class Training(Section):
    base_model: str = Field("", description="Local Hugging Face directory; empty: the packaged MiniLM")
    sample_queries: int = Field(400, ge=1, description="Training queries drawn; the demo's night fits its time")
    validation_queries: int = Field(30, ge=1, description="Validation queries behind the manifest's metrics")
    test_queries: int = Field(200, ge=1, description="Test queries evaluated")
    test_days: int = Field(30, ge=1, description="Last days of the lake: the test period")
    train_days: int = Field(60, ge=1, description="Days before the test period: the training queries")
    cut_days: int = Field(
        0, ge=0, description="Days between the cuts that training queries know the past up to; 0: one cut for all"
    )
    query_tokens: int = Field(32, ge=8, description="Longest query, in tokens")
    item_tokens: int = Field(16, ge=4, description="Longest item, in tokens")
    candidates: int = Field(100, ge=2, description="Candidates of a query in the pairs and at evaluation")
    list_candidates: int = Field(
        12, ge=2, description="Candidates of a query in one training step; at most half are positives"
    )
    batch_queries: int = Field(8, ge=1, description="Queries in one forward pass of training")
    accumulate: int = Field(1, ge=1, description="Forward passes of a process whose gradients make one step")
    processes: int = Field(1, ge=1, description="Training processes, each on a GPU of its own where there are any")
    frozen_layers: int = Field(
        3, ge=-1, description="Lowest encoder layers that stay as they are, the embeddings too; -1 trains everything"
    )
    encoder_rate: Positive = Field(1e-4, description="Highest learning rate of the encoder")
    head_rate: Positive = Field(1e-3, description="Highest learning rate of the head")
    warm_up: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the learning rates rise")
    trees: int = Field(
        100,
        ge=0,
        description="Boosted trees of the dense features, a fold, whose score is one more feature; 0: none",
    )
    text_loss: float = Field(0.5, ge=0, description="Weight of the text score's own loss; at 0 texts teach nothing")
    validate_steps: int = Field(
        500, ge=0, description="Steps between two validations, of which the best one's weights are kept; 0: none"
    )
    patience: int = Field(3, ge=1, description="Validations without a gain in NDCG@10 that end training")
    checkpoint_steps: int = Field(200, ge=0, description="Steps between two checkpoints of training; 0: none")
    shuffle_queries: int = Field(4096, ge=64, description="Queries shuffled in memory at a time, 10 kB each")
    adapt_epochs: int = Field(
        0, ge=0, description="Passes of masked language modelling over the catalogue's texts before training; 0: none"
    )
    student_layers: int = Field(3, ge=1, description="Encoder layers kept by pruning")
    epochs: int = Field(1, ge=1, description="Passes of the teacher over the training queries")
    distil_epochs: int = Field(1, ge=1, description="Passes of the distillation that follows pruning")
    device: str = Field("auto", description="cpu, cuda, or auto")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Of the forward pass; auto: the half precision that is measured to be faster, else float32"
    )
    threads: int = Field(0, ge=0, description="Torch threads of training; 0: a thread a core")
    kept_models: int = Field(3, ge=1, description="Newest artifacts kept besides the live one and the one before")


class Gate(Section):
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Level of the one-sided bounds on a model's NDCG@10 less another ranker's"
    )
    tolerance: float = Field(
        0.01, ge=0, description="NDCG@10 by which such a bound may lie below zero: 200 test queries cannot show less"
    )
    baseline_from: int = Field(
        5000,
        ge=0,
        description="Training queries from which a model must hold out against LambdaMART without text; with fewer "
        "that it does not is a warning",
    )
    latency_budget_ms: Positive = Field(500.0, description="Longest p95 of scoring one query, features and network")
    latency_queries: int = Field(100, ge=1, description="Test queries that the latency is measured with")
    require_approval: bool = Field(False, description="reranker_weekly waits for a person before it promotes")


class Registry(Section):
    tracking_uri: str = Field(
        "sqlite:///var/mlflow/mlflow.db", description="MLflow: a SQLite file or a server's URL; empty: no registry"
    )
    experiment: str = Field("reranker", description="MLflow experiment of the runs")
    model: str = Field("reranker", description="Name of the registered model")
    ui_url: str = Field(
        "http://127.0.0.1:5000", description="MLflow's pages, for links; make demo serves a SQLite registry there"
    )
    timeout_seconds: int = Field(10, ge=1, description="Longest wait for one answer of an MLflow server")


class Prune(Section):
    frontier: bool = Field(
        False,
        description="Compare students of all these layers and widths, instead of making one of student_layers",
    )
    layers: tuple[Count, ...] = Field((6, 4, 3, 2), min_length=1, description="Encoder layers of the students compared")
    widths: tuple[Share, ...] = Field(
        (1.0, 0.75, 0.5), min_length=1, description="Shares of their operations that heads and neurons may cost"
    )
    max_loss: float = Field(
        0.01, ge=0, description="Share of the teacher's NDCG@10, by either score, that the fastest student may lose"
    )
    min_speedup: float = Field(
        0.0, ge=0, description="Pick the least loss among students so many times as fast instead; 0: by max_loss"
    )
    recovery_queries: int = Field(1000, ge=1, description="Training queries of the recovery that each is judged after")
    validation_queries: int = Field(300, ge=1, description="Validation queries that each is judged on")
    state_weight: float = Field(
        0.1, ge=0, description="Of the distance to the teacher's [CLS] in any distillation; 0: scores alone"
    )


class Drift(Section):
    sample_queries: int = Field(100, ge=2, description="Requests of a day whose features and scores are compared")
    rows_min: int = Field(100, ge=1, description="A column with fewer values is not judged")
    psi_max: Positive = Field(0.25, description="Largest population stability index of a column, and of the scores")
    ks_max: Positive = Field(0.25, description="Largest Kolmogorov-Smirnov distance of a column, and of the scores")
    columns_share_max: float = Field(0.3, ge=0, le=1, description="Largest share of a table's columns that moved")
    new_items_max: float = Field(0.2, ge=0, le=1, description="Largest share of the catalogue that is new")
    gone_items_max: float = Field(0.2, ge=0, le=1, description="Largest share of the model's catalogue that is gone")
    unknown_events_max: float = Field(
        0.1, ge=0, le=1, description="Largest share of events since then on items that training did not know"
    )
    min_days_between: float = Field(
        7.0, ge=0, description="Drift sets off no training within so many days of the last one"
    )


class Mail(Section):
    host: str = Field("127.0.0.1", description="SMTP server for failure and SLA mails")
    port: Port = 1025
    web_port: Port = Field(1080, description="Web page of the embedded mail catcher")
    sender: str = "pacesetter@localhost"
    to: str = Field("oncall@localhost", description="Who is told of failures and SLA misses")


class Airflow(Section):
    port: Port = 8080
    password: str = Field("pacesetter", description="Password of `admin` in the embedded Airflow (loopback only)")
    retries: int = Field(2, ge=0, description="Further attempts at a task whose failure may pass by itself")
    retry_delay_seconds: Positive = Field(30.0, description="Wait before the next attempt")
    spark_driver_memory: str = Field("2g", description="Heap of a Spark driver; on local[*] it does all the work")
    spark_java_options: str = Field(
        "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
        description="Java options of a Spark driver; the last two suit jobs of a minute: drop them for long ones",
    )


class Monitoring(Section):
    prometheus_url: str = Field("http://127.0.0.1:9090", description="Where sla_check asks")
    alertmanager_url: str = "http://127.0.0.1:9093"
    objectives: str = Field("ops/slo.yaml", description="The objectives, edited by people")


class Demo(Section):
    user: str = Field("17850", description="User of the demo's recommend call; where unknown, one is picked")
    item: str = Field("85123A", description="Context item of the demo's recommend call; where unknown, one is picked")


class Log(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(BaseSettings):
    """The whole tree. Built once, in a `main`, and handed on; nothing reads it at import time."""

    model_config = SettingsConfigDict(
        env_prefix="PACE_", env_nested_delimiter="__", env_file=".env", frozen=True, extra="ignore"
    )

    redis: Redis = Redis()
    events: Events = Events()
    gateway: Gateway = Gateway()
    ranker: Ranker = Ranker()
    source: Source = Source()
    night: Night = Night()
    candidates: Candidates = Candidates()
    checks: Checks = Checks()
    training: Training = Training()
    prune: Prune = Prune()
    gate: Gate = Gate()
    registry: Registry = Registry()
    drift: Drift = Drift()
    mail: Mail = Mail()
    airflow: Airflow = Airflow()
    monitoring: Monitoring = Monitoring()
    demo: Demo = Demo()
    log: Log = Log()


def read_settings(env_file: str | Path | None = ".env") -> Settings:
    """Settings from the environment and `env_file`.

    Raises BadInput that names each variable that does not hold, and each PACE_ variable that is no setting.
    """
    given = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
    _refuse_unknown(set(given))
    _refuse_broken_json(given)
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        lines = [
            f"{_variable(problem['loc'])}: {problem['msg']} (is {problem['input']!r})" for problem in error.errors()
        ]
        raise BadInput("settings: " + "; ".join(lines)) from error


def variables() -> set[str]:
    """The name of every environment variable that is a setting."""
    return {
        _variable((name, field))
        for name, section in Settings.model_fields.items()
        for field in section.annotation.model_fields  # type: ignore[union-attr]
    }


def _variable(path: Sequence[object]) -> str:
    return "PACE_" + "__".join(str(part) for part in path).upper()


def _refuse_unknown(names: set[str]) -> None:
    known = variables()
    for name in sorted(name for name in names if name.upper().startswith("PACE_") and name.upper() not in known):
        if field := MOVED.get(name.upper()):
            raise BadInput(
                f"settings: {name} is no setting any more: it is `{field}` in the file that PACE_NIGHT__SCENARIO names "
                "(ops/scenario.yaml)"
            )
        near = get_close_matches(name.upper(), known, 1)
        raise BadInput(f"settings: {name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))


def _refuse_broken_json(given: dict[str, str | None]) -> None:
    """Lists and maps are read as JSON; pydantic-settings would name their section alone."""
    values = {name.upper(): value for name, value in given.items()}
    for name, section in Settings.model_fields.items():
        for field, info in section.annotation.model_fields.items():  # type: ignore[union-attr]
            default = info.get_default(call_default_factory=True)
            value = values.get(_variable((name, field)))
            if not isinstance(default, tuple | dict) or value is None:
                continue
            wanted, called = (dict, "map") if isinstance(default, dict) else (list, "list")
            try:
                given_kind = isinstance(json.loads(value), wanted)
            except ValueError:
                given_kind = False
            if not given_kind:
                written = json.dumps(default)
                raise BadInput(
                    f"settings: {_variable((name, field))}: no JSON {called} (is {value!r}); its default is written "
                    f"{written}"
                )


def example() -> str:
    """The text of `.env.example`: every setting with its default, commented out."""
    lines = ["# Every setting and its default. Copy to .env and uncomment what you change.", ""]
    for name, section in Settings.model_fields.items():
        lines.append(f"# --- {name}")
        for field, info in section.annotation.model_fields.items():  # type: ignore[union-attr]
            default = info.get_default(call_default_factory=True)
            if isinstance(default, tuple | dict):
                default = json.dumps(default)
            if info.description:
                lines.append(f"# {info.description}")
            lines.append(f"#{_variable((name, field))}={default}")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(example(), end="")
