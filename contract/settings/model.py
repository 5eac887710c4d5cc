"""Sections of a model's life: training, pruning, the gate, the registry, drift."""

from typing import Literal

from pydantic import Field

from contract.settings.section import Count, Positive, Section, Share


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
    patience: int = Field(3, ge=1, description="Validations without a gain in NDCG@10 of both scores that end training")
    checkpoint_steps: int = Field(200, ge=0, description="Steps between two checkpoints of training; 0: none")
    shuffle_queries: int = Field(4096, ge=64, description="Queries shuffled in memory at a time, 10 kB each")
    adapt_epochs: int = Field(
        0, ge=0, description="Passes of masked language modelling over the catalogue's texts before training; 0: none"
    )
    student_layers: int = Field(0, ge=0, description="Encoder layers kept by pruning; 0: all")
    epochs: int = Field(1, ge=1, description="Passes of the teacher over the training queries")
    distil_epochs: int = Field(1, ge=1, description="Passes of the distillation that follows pruning")
    device: str = Field("auto", description="cpu, cuda, or auto")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Of the forward pass; auto: the half precision that is measured to be faster, else float32"
    )
    threads: int = Field(0, ge=0, description="Torch threads of training; 0: a thread a core")
    kept_models: int = Field(3, ge=1, description="Newest artifacts kept besides the live one and the one before")


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
    level_loss_final: dict[Literal["full", "fast"], float] = Field(
        {"full": 0.01, "fast": 0.02},
        description="Share of the teacher's NDCG@10 that a level may lose; surely more, by its interval, is refused",
    )
    level_loss_text: dict[Literal["full", "fast"], float] = Field(
        {"full": 0.01, "fast": 0.1}, description="The same of the text score alone"
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
