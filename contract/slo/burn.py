"""Error budgets and how fast they burn. The arithmetic alone, after the SRE Workbook, chapter 5 (Alerting on SLOs).

An objective of 99.9 % leaves a budget of 0.1 %: so many of the events in its window may be bad. The burn rate is the
share of bad events over that budget. At 1 the budget is gone exactly when the window ends; at 10, after a tenth of it.

How fast is too fast follows from how much of the budget may go before someone looks:

    factor = share of the budget x budget window / alert window

    14.4   2 % of a 30-day budget in 1 hour    0.02 x 720 h / 1 h      look now: it lasts two days more
     6     5 %                    in 6 hours   0.05 x 720 h / 6 h      look now: it lasts five days
     1    10 %                    in 3 days    0.10 x 720 h / 72 h     look today: it just lasts

Each long window is asked together with a short one of about a twelfth: the long one says that it is worth waking
someone, the short one that it is still going on, so that the alert ends soon after the cause does.
"""

from decimal import Decimal


def target_share(percent: float) -> float:
    """The share of good events that is promised: 99.9 is 0.999, not 0.9990000000000001."""
    return float(Decimal(str(percent)) / 100)


def error_budget(percent: float) -> float:
    """The share of bad events that is allowed: 99.9 is 0.001."""
    return float(1 - Decimal(str(percent)) / 100)


def burn_rate(error_ratio: float, percent: float) -> float:
    """How many times faster than allowed bad events come."""
    return error_ratio / error_budget(percent)


def remaining_budget(error_ratio: float, percent: float) -> float:
    """The share of the budget that is left, `error_ratio` being that of the whole window; negative once overspent."""
    return 1 - burn_rate(error_ratio, percent)


def threshold(factor: float, percent: float) -> float:
    """The share of bad events from which the burn rate is above `factor`. From 1 on nothing can reach it."""
    return float(Decimal(str(factor)) * (1 - Decimal(str(percent)) / 100))


def spent_share(factor: float, alert_seconds: int, budget_seconds: int) -> float:
    """The share of the budget that goes in an alert window at that burn rate."""
    return factor * alert_seconds / budget_seconds
