"""The frontier for people: a table in Markdown, a plot in SVG."""

import io
from collections.abc import Sequence

from jobs.model.frontier import Frontier, Losses, Point
from reranker.manifest import Loss

HEADINGS = (
    "layers", "width", "heads a layer", "neurons a layer", "parameters", "operations a pair",
    "speed-up", "NDCG@10", "text alone", "loss before recovery", "loss", "of text before", "of text",
)  # fmt: skip


def markdown(found: Frontier, plot_name: str) -> str:
    """One row a student; the picked one in bold."""
    rows = [_row(point, picked=place == found.picked) for place, point in enumerate(found.points)]
    teacher = [
        "teacher", "", "", "", _millions(found.teacher_parameters), _millions(found.teacher_flops), "1",
        f"{found.teacher_ndcg10:.4f}", f"{found.teacher_ndcg10_text:.4f}", "", "", "", "",
    ]  # fmt: skip
    lines = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)], teacher, *rows]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(
        (f"# Students of {found.teacher}", "", _summary(found), "", f"![frontier]({plot_name})", "", *table, "")
    )


def plot(found: Frontier) -> str:
    """Relative loss of both scores over the speed-up, with 95% intervals, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    speed = [point.speedup for point in found.points]
    for shift, (label, marker, colour) in enumerate((("final score", "o", "C0"), ("text alone", "s", "C1"))):
        losses = [point.losses.text if shift else point.losses.final for point in found.points]
        axes.errorbar(
            speed, [100 * loss.mean for loss in losses], yerr=_errors(losses), fmt=marker, color=colour, capsize=3,
            label=label, alpha=0.8,
        )  # fmt: skip
    for place, point in enumerate(found.points):
        text = f"{len(point.layers)} x {point.width:g}" + (" (picked)" if place == found.picked else "")
        axes.annotate(text, (point.speedup, 100 * point.losses.worst), (4, 6), textcoords="offset points", fontsize=8)
    axes.axhline(100 * found.max_loss, color="C3", linestyle="--", linewidth=1, label="largest loss allowed")
    axes.set_xlabel("speed-up over the teacher in float32")
    axes.set_ylabel("relative loss of NDCG@10, %")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _summary(found: Frontier) -> str:
    picked = found.points[found.picked]
    rule = (
        f"the least loss at a speed-up of at least {found.min_speedup:g}"
        if found.min_speedup > 0
        else f"the largest speed-up that loses at most {found.max_loss:.1%} of both scores"
    )
    kinds = ", ".join(sorted({point.measured_in for point in found.points}))
    return (
        f"{found.validation_queries} validation queries of {found.date} ({found.task.replace('_', ' ')}), the first "
        f"{found.depth} candidates re-ranked, {found.tokens:.0f} tokens a pair. Losses are relative to the teacher, "
        f"with 95% intervals over queries in pairs, after a recovery on {found.recovery_queries} queries. Speed-ups "
        f"are over the teacher in float32, students in {kinds}, run in turn. Picked by {rule}: {picked.name}"
        + ("." if found.met else "; no student holds that bound, this one comes nearest.")
        + _caution(found)
    )


def _caution(found: Frontier) -> str:
    """What the means that the pick goes by do not say."""
    losses = found.points[found.picked].losses
    reach = max(loss.high if loss.high is not None else loss.mean for loss in (losses.final, losses.text))
    told = ""
    if found.met and found.min_speedup <= 0 and reach > found.max_loss:
        told += (
            f" The bound holds on the means; the intervals reach to {reach:.1%}: more validation queries narrow them."
        )
    cut = [point for point in found.points if point.parameters < found.teacher_parameters]
    if cut and all(point.before.final.mean == 0 for point in cut):
        told += (
            " No cut changed a ranking by the final score: this teacher orders by its features alone (its training "
            "kept its start), so that only the losses of the text score tell the students apart."
        )
    return told


def _row(point: Point, picked: bool) -> list[str]:
    before, after = point.before, point.after
    cells = [
        ", ".join(map(str, point.layers)),
        f"{point.width:g}",
        _each([shape.heads for shape in point.shape]),
        _each([shape.neurons for shape in point.shape]),
        _millions(point.parameters),
        _millions(point.flops),
        f"{point.speedup:.2f}",
        f"{point.losses.ndcg10:.4f}",
        f"{point.losses.ndcg10_text:.4f}",
        _percent(before.final),
        _after(after, "final"),
        _percent(before.text),
        _after(after, "text"),
    ]
    return [f"**{cell}**" for cell in cells] if picked else cells


def _each(counts: Sequence[int]) -> str:
    return f"{counts[0]} each" if len(set(counts)) == 1 else " ".join(map(str, counts))


def _after(losses: Losses | None, score: str) -> str:
    return "not recovered" if losses is None else _percent(getattr(losses, score))


def _percent(loss: Loss) -> str:
    interval = "" if loss.low is None or loss.high is None else f" [{loss.low:.1%}, {loss.high:.1%}]"
    return f"{loss.mean:.1%}{interval}"


def _millions(count: float) -> str:
    return f"{count / 1e6:.1f} M"


def _errors(losses: list[Loss]) -> list[list[float]]:
    below = [100 * (loss.mean - (loss.mean if loss.low is None else loss.low)) for loss in losses]
    above = [100 * ((loss.mean if loss.high is None else loss.high) - loss.mean) for loss in losses]
    return [[max(0.0, value) for value in side] for side in (below, above)]
