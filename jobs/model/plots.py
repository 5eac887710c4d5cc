"""The figures of an evaluation's page, as SVG that stands in the page itself."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from jobs.model.evaluation import ORDER, STUDENT, TEACHER, Measured
from jobs.model.quality import Estimate

WIDTH = 8.0
OURS, THEIRS, ZERO = "#0b62a4", "#777777", "#b00020"
CURVES = ("#0b62a4", "#d1730c", "#2a8a3e", "#8a3ea0")


def ranking_plot(found: Measured) -> str:
    """NDCG@10 of each ranker with its interval, the best on top."""
    names = sorted(found.rankers, key=lambda name: found.rankers[name].ndcg10.mean)
    values = [found.rankers[name].ndcg10 for name in names]
    ours = [name.startswith((STUDENT, TEACHER)) for name in names]

    def draw(axes: Any) -> None:
        _intervals(axes, names, values, [OURS if own else THEIRS for own in ours])
        axes.axvline(found.rankers[ORDER].ndcg10.mean, color=THEIRS, lw=0.8, ls=":")
        axes.set_xlabel("NDCG@10 with its 95% interval; dotted: the candidate order")
        axes.set_xlim(left=0)

    return _svg(f"ranking {found.task}", 0.32 * len(names) + 0.9, draw)


def difference_plot(found: Measured) -> str:
    """The chosen differences with their intervals beside 0."""
    names = [difference_name(one.of, one.less) for one in found.differences][::-1]
    values = [one.ndcg10 for one in found.differences][::-1]

    def draw(axes: Any) -> None:
        _intervals(axes, names, values, [OURS] * len(names))
        axes.axvline(0, color=ZERO, lw=1)
        axes.set_xlabel("difference of NDCG@10, paired 95% interval")

    return _svg(f"differences {found.task}", 0.32 * len(names) + 0.9, draw)


def calibration_plot(found: Measured) -> str:
    """The share taken over the predicted probability; a ranker that tells the truth lies on the diagonal."""
    most = max(max(one.predicted, one.observed.mean) for curve in found.calibration.values() for one in curve.bins)

    def draw(axes: Any) -> None:
        axes.plot([0, most], [0, most], color=THEIRS, lw=0.8, ls=":")
        for colour, (name, curve) in zip(
            _cycled(CURVES, len(found.calibration)), found.calibration.items(), strict=True
        ):
            at = [one.predicted for one in curve.bins]
            below, above = _reach([one.observed for one in curve.bins])
            axes.errorbar(
                at,
                [one.observed.mean for one in curve.bins],
                yerr=[below, above],
                fmt="o-",
                ms=4,
                lw=1.2,
                elinewidth=0.8,
                color=colour,
                label=f"{name}: error {curve.error:.4f}",
            )
        axes.set_xlabel("predicted probability of a take, bins of equally many candidates")
        axes.set_ylabel("share taken, 95% interval")
        axes.set_xlim(0, most * 1.05)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)

    return _svg(f"calibration {found.task}", 4.5, draw)


def difference_name(of: str, less: str) -> str:
    return f"{of} less {less}"


def _intervals(axes: Any, names: Sequence[str], values: Sequence[Estimate], colours: Sequence[str]) -> None:
    below, above = _reach(values)
    for place, (value, colour) in enumerate(zip(values, colours, strict=True)):
        axes.errorbar(
            value.mean, place, xerr=[[below[place]], [above[place]]], fmt="o", ms=5, capsize=3, lw=1.2, color=colour
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", alpha=0.3)


def _reach(values: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    """How far each interval goes below and above its mean; 0 where there is no interval."""
    return (
        [max(value.mean - (value.mean if value.low is None else value.low), 0.0) for value in values],
        [max((value.mean if value.high is None else value.high) - value.mean, 0.0) for value in values],
    )


def _cycled(colours: Sequence[str], count: int) -> list[str]:
    return [colours[place % len(colours)] for place in range(count)]


def _svg(name: str, height: float, draw: Callable[[Any], None]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    # Text stays text: smaller, and the browser's own font. The salt keeps the ids of a page's figures apart.
    with matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "font.family": "sans-serif",
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
