"""All that is computed of a teacher once, and what every student of it is measured by."""

from collections.abc import Sequence

from jobs.model.frontier import Losses
from jobs.model.losses import Judge, ScoreQuality, relative_loss
from reranker.cost import split_flops, unit_costs
from reranker.depth import LevelName, level_depths
from reranker.distillation import distillation_loss, recover, teacher_loss
from reranker.encoding import TextEncoder
from reranker.examples import Example, collate
from reranker.importance import LayerImportance, layers_by_depth, width_importance
from reranker.manifest import ItemStates
from reranker.network import CrossEncoder
from reranker.precision import pick_device, use_threads
from reranker.pruning import Cut, kept_units, pruned
from reranker.shape import head_size
from reranker.speed import Speed, served_speed
from reranker.split import SplitNetwork
from reranker.state_choice import choose_states
from reranker.states import StateKind
from reranker.training import TrainingPlan

# Queries that the importance of layers is measured on, 5 s of a core. Three samples of 8 named three different triples,
# and so did three of 16: where layers cost about the same, more queries do not settle it (docs/decisions/pruning.md).
LAYER_QUERIES = 8
# And that of heads and neurons: one 16 and another agree by a correlation of 0.89 or more in every layer.
WIDTH_QUERIES = 16
# And queries whose scores from int8 and from float16 states are compared.
STATE_QUERIES = 64


class Workshop:
    """Makes students of one teacher. `examples` are `reranker.distillation.taught`."""

    def __init__(
        self,
        teacher: CrossEncoder,
        encoder: TextEncoder,
        examples: Sequence[Example],
        judge: Judge,
        plan: TrainingPlan,
        state_weight: float,
    ) -> None:
        self.teacher = teacher
        self.judge = judge
        self.examples = examples
        self._encoder, self._plan, self._state_weight = encoder, plan, state_weight
        use_threads(plan.threads)
        self._device = pick_device(plan.device)
        teacher.to(self._device).eval()
        self._sample = [collate([example], encoder, self._device) for example in examples[:WIDTH_QUERIES]]
        self._quality: ScoreQuality | None = None

    @property
    def quality(self) -> ScoreQuality:
        """The teacher's, computed once."""
        if self._quality is None:
            self._quality = self.judge.quality(self.teacher, "teacher's validation")
        return self._quality

    def layers(self, keep: int) -> dict[int, tuple[int, ...]]:
        """Which layers stay for each depth down to `keep`, by the distance from the teacher's scores.

        Not by the label loss: a few queries that were trained on tell little of it. Raises BadInput for more layers
        than the teacher has.
        """
        found = layers_by_depth(self.teacher, keep, self._sample[:LAYER_QUERIES], teacher_loss)
        return {depth: tuple(kept) for depth, kept in found.items()}

    def importance(self, layers: Sequence[int]) -> list[LayerImportance]:
        """Of the heads and neurons of a student with these layers and all of their units.

        By the loss of recovery: the distance from the teacher alone has no slope where no layer is gone.
        """
        return width_importance(self.student(Cut(tuple(layers))), self._sample, distillation_loss)

    def cut(self, layers: Sequence[int], importance: Sequence[LayerImportance], width: float) -> Cut:
        """The layers with a share `width` of their operations at level `full`; Raises BadInput for a width out of
        range."""
        hidden, size = self.teacher.encoder.config.hidden_size, head_size(self.teacher.encoder)
        depth = level_depths(len(layers))["full"]
        costs = unit_costs(hidden, size, len(layers), depth, self.judge.lengths())
        return Cut(tuple(layers), kept_units(importance, width, costs))

    def student(self, cut: Cut) -> SplitNetwork:
        """The split network of `cut`, with the teacher's weights."""
        return SplitNetwork.of(pruned(self.teacher, cut))

    def recovered(self, cut: Cut, queries: int, label: str) -> tuple[SplitNetwork, dict[str, float]]:
        """The student of `cut`, distilled on the first `queries` examples, and its first and last loss."""
        student = self.student(cut)
        return student, recover(student, self.examples[:queries], self._encoder, self._plan, self._state_weight, label)

    def losses(self, student: SplitNetwork, label: str, level: LevelName = "full") -> Losses:
        with student.at_depth(level_depths(student.layers)[level]):
            own, seed = self.judge.quality(student, label), self._plan.seed
        return Losses(
            float(own.final.mean()),
            float(own.text.mean()),
            relative_loss(self.quality.final, own.final, seed),
            relative_loss(self.quality.text, own.text, seed),
        )

    def states(self, student: SplitNetwork, label: str) -> ItemStates:
        """How its item states are stored; it is calibrated then."""
        return choose_states(student, self._encoder, self.examples[:STATE_QUERIES], label)

    def speed(self, student: SplitNetwork, states: StateKind, label: str) -> Speed:
        """Measured on a validation query of typical length, the student as a loader would serve it here."""
        return served_speed(self.teacher, student, self.judge.typical(), self._encoder, states, label)

    def flops(self, student: SplitNetwork, level: LevelName = "full") -> float:
        """Operations a pair at `level`."""
        return split_flops(student, level_depths(student.layers)[level], self.judge.lengths())
