"""When a rank request would be done at each level: from the pairs ahead of it and what requests have cost so far."""

from collections.abc import Sequence

# Share of the estimate that a new request makes up: a few tens of requests follow a change of the machine's pace.
SMOOTHING = 0.1
# A refusal teaches nothing, so an estimate that refuses everything must fade: half of it is gone after 34 refusals.
FADING = 0.98


class CostModel:
    """A running estimate of a request's seconds, a line over its pairs: the query is read once, however many there are.

    Least squares in which older requests weigh less; through 0 as long as all had equally many pairs. 0 until the
    first request has been learnt. Of requests that were scored together only the share is kept that they took of what
    they would have taken alone: a request that nobody waits behind must not look as cheap as one of many.
    """

    def __init__(self) -> None:
        self._weight = self._pairs = self._pairs2 = self._seconds = self._product = 0.0
        self._faded = self._together = 1.0

    def learn(self, pairs: int, seconds: float, requests: int = 1) -> None:
        """So many `requests`, of `pairs` pairs together, were scored in `seconds`."""
        if pairs <= 0:
            return
        if self._faded < 1 and seconds < self.predicted_seconds(pairs, requests):  # it was right to fade
            self._seconds *= self._faded
            self._product *= self._faded
        self._faded = 1.0
        if requests > 1:
            if alone := self._alone(pairs, requests):
                self._together += SMOOTHING * (seconds / alone - self._together)
            return
        keep = 1 - SMOOTHING
        self._weight = keep * self._weight + 1
        self._pairs = keep * self._pairs + pairs
        self._pairs2 = keep * self._pairs2 + pairs * pairs
        self._seconds = keep * self._seconds + seconds
        self._product = keep * self._product + pairs * seconds

    def refused(self) -> None:
        """A request was refused, or scored at a lower level, because of the estimate.

        What was measured is not forgotten: if the next request takes as long again, the estimate is what it was.
        """
        self._faded *= FADING

    def predicted_seconds(self, pairs: int, requests: int = 1) -> float:
        """Of so many requests that have `pairs` pairs together."""
        return self._faded * self._alone(pairs, requests) * (self._together if requests > 1 else 1.0)

    def _alone(self, pairs: int, requests: int) -> float:
        """Of requests one after another."""
        if not self._weight:
            return 0.0
        spread = self._weight * self._pairs2 - self._pairs**2
        # Nearly equal counts say nothing of what a request costs by itself.
        if spread > 1e-3 * self._pairs**2:
            each = (self._weight * self._product - self._pairs * self._seconds) / spread
            fixed = (self._seconds - each * self._pairs) / self._weight
            if each >= 0 and fixed >= 0:
                return fixed * requests + each * pairs
        return pairs * self._seconds / self._pairs


class LevelCosts:
    """An estimate a level. `allowed` names the levels that may be served, the best first."""

    def __init__(self, allowed: Sequence[str] = ("full", "fast")) -> None:
        self._allowed = tuple(allowed)
        self._models: dict[str, CostModel] = {level: CostModel() for level in allowed}

    def served(self, levels: Sequence[str]) -> tuple[str, ...]:
        """Those of a model's `levels` that may be served; where that is none, its best."""
        return tuple(level for level in levels if level in self._allowed) or tuple(levels[:1])

    def learn(self, level: str, pairs: int, seconds: float, requests: int = 1) -> None:
        self._model(level).learn(pairs, seconds, requests)

    def seconds(self, level: str, pairs: int, requests: int) -> float:
        """Of so many requests that have `pairs` pairs together; 0 where nothing was learnt."""
        return self._model(level).predicted_seconds(pairs, requests)

    def least_seconds(self, levels: Sequence[str], pairs: int, requests: int = 1) -> float:
        """At the level that takes least."""
        return min(self._model(level).predicted_seconds(pairs, requests) for level in levels)

    def within(self, levels: Sequence[str], pairs: int, waiting_pairs: int, waiting: int, seconds: float) -> str | None:
        """The best level at which this request and all that wait would be done within `seconds`; else the last level
        if this request alone would be; else None.

        So the depth follows the load: what waits behind is not made to pay for this one's quality.
        """
        for level in levels:
            if self._model(level).predicted_seconds(pairs + waiting_pairs, 1 + waiting) < seconds:
                return level
        return levels[-1] if self._model(levels[-1]).predicted_seconds(pairs) < seconds else None

    def passed_over(self, levels: Sequence[str], chosen: str | None) -> None:
        """Every level before `chosen` was too slow; all were where it is None."""
        for level in levels:
            if level == chosen:
                return
            self._model(level).refused()

    def _model(self, level: str) -> CostModel:
        return self._models.setdefault(level, CostModel())


class Waiting:
    """A request's budget while it waits: what the gateway gave it, less the time since it arrived here."""

    def __init__(self, budget_ms: float, arrived: float) -> None:
        self._budget_seconds = budget_ms / 1000
        self.arrived = arrived

    def waited_seconds(self, now: float) -> float:
        return now - self.arrived

    def remaining_seconds(self, now: float) -> float:
        return self._budget_seconds - self.waited_seconds(now)
