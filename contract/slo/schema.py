"""What ops/slo.yaml may say. Two kinds of objective: a share of events, and a bound on a gauge.

Lengths of time are texts such as `5m` in the file and seconds here. What only the whole file can tell (a window that
is longer than the retention, a metric that nobody exposes) is looked at in contract/slo/checks.py.
"""

import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contract.slo.addresses import FolderAddress, HostAndPort, Line, MailAddress, MailAddresses, WebAddress
from contract.slo.duration import Duration
from contract.slo.text import Description, Unit

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Severity = Literal["page", "ticket"]
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+")


def _number(given: Any) -> Any:
    """For YAML 1.1, which PyYAML reads, 1e6 is a text, and 1.0e+6 alone a number."""
    if isinstance(given, str) and _EXPONENT.fullmatch(given) and math.isfinite(float(given)):
        return float(given)
    return given


Number = Annotated[float, Field(strict=True, allow_inf_nan=False), BeforeValidator(_number)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


LabelValues = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Events(_Section):
    """Events that a counter or a histogram counted: those `where` its labels have these values, one or several.

    `within` seconds, the edge of a bucket, takes only a histogram's events up to it.
    """

    metric: str
    where: dict[str, LabelValues] = {}
    within: Number | None = None


class EventObjective(_Section):
    """`percent` of the `total` events are `good`, or not `bad`, over `window` seconds (none: the file's `budget`).

    `severity` is the worst that it asks for: a `ticket` never pages.
    """

    kind: Literal["events"]
    name: Name
    description: Description
    percent: Number
    total: Events
    good: Events | None = None
    bad: Events | None = None
    window: Duration | None = None
    severity: Severity = "page"

    @model_validator(mode="after")
    def _good_or_bad(self) -> Self:
        if (self.good is None) == (self.bad is None):
            raise ValueError("needs either `good` or `bad`, beside `total`: write one of them")
        return self


class BoundObjective(_Section):
    """A gauge is `at_most` or `at_least` so much; of several processes' values the `worst` counts (max, min).

    It has no budget: it is missed while it is past the bound, and alerts once that has lasted for `lasting` seconds.
    """

    kind: Literal["bound"]
    name: Name
    description: Description
    gauge: str
    where: dict[str, LabelValues] = {}
    at_most: Number | None = None
    at_least: Number | None = None
    unit: Unit = ""
    lasting: Duration = 300
    severity: Severity = "page"

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("needs either `at_most` or `at_least`: write one of them")
        return self


Objective = EventObjective | BoundObjective


class BurnRate(_Section):
    """Alert while bad events come `factor` times as fast as the budget allows, over both windows (seconds)."""

    severity: Severity
    factor: Number
    long: Duration
    short: Duration


# What the SRE Workbook recommends for a budget of 30 days: contract/slo/burn.py says why.
WORKBOOK = (
    BurnRate(severity="page", factor=14.4, long="1h", short="5m"),
    BurnRate(severity="page", factor=6.0, long="6h", short="30m"),
    BurnRate(severity="ticket", factor=1.0, long="3d", short="6h"),
)


class Patience(_Section):
    """How long something lasts before it alerts: an objective without data, a target that is down, no model."""

    unknown: Duration = 900
    target_down: Duration = 120
    targets_missing: Duration = 300
    ranker_not_ready: Duration = 900


class Targets(_Section):
    """How many of each Prometheus must reach; fewer page."""

    gateway: Count = 1
    ranker: Count = 1


class Notify(_Section):
    """Whom Alertmanager mails, through which server, and how often.

    `page` and `ticket` are one mail address or several. `password_file` is a path where Alertmanager runs, and comes
    with `username`. `heartbeat_url` is called as long as alerts get through: a
    service there tells you when it stops.
    """

    smarthost: HostAndPort = "mailpit:1025"
    require_tls: bool = False
    username: Line | None = None
    password_file: Line | None = None
    sender: MailAddress = "pacesetter@localhost"
    page: MailAddresses = "oncall@localhost"
    ticket: MailAddresses = "oncall@localhost"
    heartbeat_url: WebAddress | None = None
    group_wait: Duration = 30
    group_interval: Duration = 300
    repeat_page: Duration = 14_400
    repeat_ticket: Duration = 86_400

    @model_validator(mode="after")
    def _user_and_password(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("needs both `username` and `password_file`, or neither: add the other one")
        return self


class Slo(_Section):
    """The whole file.

    `budget` is the window of every objective that has none of its own; `judged` the window that sla_check and the
    dashboards look at; `evaluation` how often rules are evaluated; `retention` what Prometheus keeps. With fewer than
    `minimum_events` in the long window of a burn rate nothing alerts: one bad answer of two is no trend. `runbook_url`
    is where docs/runbook can be read, for the links of alerts.
    """

    service: Name = "pacesetter"
    budget: Duration = 2_592_000
    judged: Duration = 1_800
    evaluation: Duration = 30
    retention: Duration = 3_024_000
    minimum_events: Count = 30
    runbook_url: FolderAddress | None = None
    burn_rates: tuple[BurnRate, ...] = WORKBOOK
    patience: Patience = Patience()
    targets: Targets = Targets()
    notify: Notify = Notify()
    objectives: tuple[Annotated[Objective, Field(discriminator="kind")], ...]

    def window_of(self, objective: EventObjective) -> int:
        """Seconds over which its percentage is promised, and its budget spent."""
        return objective.window or self.budget

    def burn_rates_of(self, objective: EventObjective) -> list[BurnRate]:
        """Those that alert for it: all, or the tickets alone."""
        return [rate for rate in self.burn_rates if objective.severity == "page" or rate.severity == "ticket"]
