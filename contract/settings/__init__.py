"""Every setting, once: a frozen tree read from the environment and `.env` (`PACE_REDIS__URL=...`).

`python -m contract.settings` prints `.env.example`; a test holds the committed file equal to it.
"""

from contract.settings.model import Drift, Gate, Prune, Registry, Training
from contract.settings.night import Candidates, Checks, Night, Slates, Source
from contract.settings.operation import Airflow, Demo, Log, Mail, Monitoring
from contract.settings.reading import example, read_settings, variables
from contract.settings.section import Section
from contract.settings.serving import Events, Gateway, Ranker, Redis
from contract.settings.tree import Settings

__all__ = [
    "Airflow",
    "Candidates",
    "Checks",
    "Demo",
    "Drift",
    "Events",
    "Gate",
    "Gateway",
    "Log",
    "Mail",
    "Monitoring",
    "Night",
    "Prune",
    "Ranker",
    "Redis",
    "Registry",
    "Section",
    "Settings",
    "Slates",
    "Source",
    "Training",
    "example",
    "read_settings",
    "variables",
]
