"""The whole tree of settings."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.settings.model import Drift, Gate, Prune, Registry, Training
from contract.settings.night import Candidates, Checks, Night, Slates, Source
from contract.settings.operation import Airflow, Demo, Log, Mail, Monitoring, Tracing
from contract.settings.serving import Events, Gateway, Ranker, Redis


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
    slates: Slates = Slates()
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
    tracing: Tracing = Tracing()
