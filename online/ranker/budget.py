"""When a rank request would be done at each level: from the pairs ahead of it and what requests have cost so far."""

from collections.abc import Sequence

# Share of the estimate that a new request makes up: a few tens of requests follow a change of the machine's pace.
SMOOTHING = 0.1
# A refusal teaches nothing, so an estimate that refuses everything must fade: half of it is gone after 34 refusals.
FADING = 0.98


class CostModel:
    """A running estimate of a batch's seconds: so much a request, whose query is read once, and so much a pair.

    Least squares in which older batches weigh less; by pairs alone as long as all requests had equally many. 0 until
    the first batch has been learnt.
    """

    def __init__(self) -> None:
        # Sums over batches of products of their requests, pairs and seconds.
        self._requests2 = self._requests_pairs = self._pairs2 = self._requests_seconds = self._pairs_seconds = 0.0
        self._faded = 1.0

    def learn(self, pairs: int, seconds: float, requests: int = 1) -> None:
        """So many `requests` of `pairs` pairs together were scored in `seconds`."""
        if pairs <= 0:
            return
        if self._faded < 1 and seconds < self.predicted_seconds(pairs, requests):  # it was right to fade
            self._requests_seconds *= self._faded
            self._pairs_seconds *= self._faded
        self._faded = 1.0
        keep = 1 - SMOOTHING
        self._requests2 = keep * self._requests2 + requests * requests
        self._requests_pairs = keep * self._requests_pairs + requests * pairs
        self._pairs2 = keep * self._pairs2 + pairs * pairs
        self._requests_seconds = keep * self._requests_seconds + requests * seconds
        self._pairs_seconds = keep * self._pairs_seconds + pairs * seconds

    def refused(self) -> None:
        """A request was refused, or scored at a lower level, because of the estimate.

        What was measured is not forgotten: if the next request takes as long again, the estimate is what it was.
        """
        self._faded *= FADING

    def predicted_seconds(self, pairs: int, requests: int = 1) -> float:
        """Of so many requests that have `pairs` pairs together."""
        if not self._requests2:
            return 0.0
        spread = self._requests2 * self._pairs2 - self._requests_pairs**2
        # Nearly equal counts say nothing of what a request costs by itself.
        if spread > 1e-3 * self._requests_pairs**2:
            each = (self._requests2 * self._pairs_seconds - self._requests_pairs * self._requests_seconds) / spread
            fixed = (self._requests_seconds - each * self._requests_pairs) / self._requests2
            if each >= 0 and fixed >= 0:
                return self._faded * (fixed * requests + each * pairs)
        return self._faded * pairs * self._requests_seconds / self._requests_pairs


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
