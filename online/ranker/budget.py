"""When a rank request would be done: from the pairs ahead of it and what pairs have cost so far."""

# Weight of the newest request: a few tens of requests follow a change of the machine's pace.
SMOOTHING = 0.1
# A refusal teaches nothing, so an estimate that refuses everything must fade: half of it is gone after 34 refusals.
FADING = 0.98


class CostModel:
    """A running estimate of seconds per pair; 0 until the first request has been learnt."""

    def __init__(self) -> None:
        self.seconds_per_pair = 0.0

    def learn(self, pairs: int, seconds: float) -> None:
        """`pairs` were scored in `seconds`."""
        if pairs <= 0:
            return
        seen = seconds / pairs
        if self.seconds_per_pair:
            self.seconds_per_pair += SMOOTHING * (seen - self.seconds_per_pair)
        else:
            self.seconds_per_pair = seen

    def refused(self) -> None:
        """A request was refused because of the estimate."""
        self.seconds_per_pair *= FADING

    def predicted_seconds(self, pairs: int) -> float:
        return pairs * self.seconds_per_pair


class Waiting:
    """A request's budget while it waits: what the gateway gave it, less the time since it arrived here."""

    def __init__(self, budget_ms: float, arrived: float) -> None:
        self._budget_seconds = budget_ms / 1000
        self.arrived = arrived

    def waited_seconds(self, now: float) -> float:
        return now - self.arrived

    def remaining_seconds(self, now: float) -> float:
        return self._budget_seconds - self.waited_seconds(now)
