"""Sections of what runs and watches: mails, Airflow, Prometheus, the demo, logs."""

from typing import Literal

from pydantic import Field

from contract.settings.section import Port, Positive, Section


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
    late_after_minutes: Positive = Field(
        240.0, description="A run of features_daily or candidates_daily that has not ended by then is mailed as late"
    )
    spark_driver_memory: str = Field("2g", description="Heap of a Spark driver; on local[*] it does all the work")
    spark_java_options: str = Field(
        "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
        description="Java options of a Spark driver; the last two suit jobs of a minute: drop them for long ones",
    )


class Monitoring(Section):
    prometheus_url: str = Field("http://127.0.0.1:9090", description="Where sla_check asks")
    alertmanager_url: str = "http://127.0.0.1:9093"
    objectives: str = Field("ops/slo.yaml", description="The objectives, edited by people")
    patience_seconds: Positive = Field(
        30.0, description="How long sla_check asks again where Prometheus does not answer, for one objective"
    )
    stale_after_seconds: Positive = Field(
        120.0, description="Age of the newest sample from which an objective is UNKNOWN; some scrape intervals"
    )
    gateway_url: str = Field("http://127.0.0.1:8000", description="The gateway as readers of mails reach it: /monitor")
    runbook_url: str = Field(
        "docs/runbook",
        description="Where readers of mails find the runbook: a path or an address (alerts: runbook_url in slo.yaml)",
    )
    retrain_after_misses: int = Field(
        0, ge=0, description="Misses in a row of a latency or quality objective that set off a training; 0: none do"
    )
    retrain_min_days: Positive = Field(7.0, description="Days between trainings that misses set off")


class Demo(Section):
    user: str = Field("17850", description="User of the demo's recommend call; where unknown, one is picked")
    item: str = Field("85123A", description="Context item of the demo's recommend call; where unknown, one is picked")


class Log(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = Field("text", description="How gateway and ranker log: for people, or machines")
    requests: Literal["all", "degraded", "none"] = Field(
        "all",
        description="Requests that leave a line of JSON; degraded: those that failed, or were below the best level",
    )


class Tracing(Section):
    endpoint: str = Field(
        "", description="OTLP address for spans of requests, http://127.0.0.1:4318/v1/traces; empty: none are made"
    )
    sampled: float = Field(
        0.01, ge=0, le=1, description="Share of requests that are traced; a caller's traceparent decides for its own"
    )
