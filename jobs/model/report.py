"""An evaluation for people: a table on the screen, Markdown for a page of docs, HTML with plots for a browser."""

from html import escape

from rich.console import Console
from rich.table import Table as ScreenTable

from jobs.model.evaluation import STUDENT, Evaluation, Measured
from jobs.model.plots import calibration_plot, difference_name, difference_plot, ranking_plot
from jobs.pages import PAGE, Table, html_table, pipes


def show(found: Evaluation) -> None:
    """The rankers of every task on the screen."""
    console = Console(width=120)
    for part in found.tasks:
        asked = f"{part.queries} test queries of {part.task}, first {found.depth} candidates"
        table = ScreenTable(title=f"{found.version}: {asked}, 95% intervals")
        for heading in ("ranker", "NDCG@10", "MRR", "HR@10", "Recall@100", "NDCG@10 less the candidate order's"):
            table.add_column(heading)
        for name, row in part.rankers.items():
            means = (f"{one.mean:.4f}" for one in (row.mrr, row.hit10, row.recall100))
            table.add_row(name, str(row.ndcg10), *means, str(row.gain))
        console.print(table)
        for one in part.differences:
            console.print(f"{difference_name(one.of, one.less)}: NDCG@10 {one.ndcg10}")
        for name, curve in part.calibration.items():
            console.print(
                f"{name}: expected calibration error {curve.error:.4f}, Brier score {curve.brier:.4f} "
                f"({curve.constant_brier:.4f} for the mean rate)"
            )
    console.print(f"a query takes {found.milliseconds_p50:.0f} ms (p50), {found.milliseconds_p99:.0f} ms (p99)")


def markdown(found: Evaluation) -> str:
    """The tables of every task."""
    parts = [f"# {_title(found)}", "", _summary(found)]
    for part in found.tasks:
        parts += ["", f"## {_task(part)}", "", rankers_told(part), "", *pipes(*rankers_table(part))]
        for title, table in _further(part):
            parts += ["", f"### {title}", "", *pipes(*table)]
    return "\n".join(parts) + "\n"


def html(found: Evaluation) -> str:
    """A page that stands alone: no script, nothing from another host."""
    body: list[str] = []
    for part in found.tasks:
        plots = {"Differences": difference_plot, "Calibration": calibration_plot}
        body += [f"<h2>{escape(_task(part))}</h2>", f"<p>{escape(rankers_told(part))}</p>", ranking_plot(part)]
        body.append(html_table(*rankers_table(part)))
        for title, table in _further(part):
            body.append(f"<h3>{escape(title)}</h3>")
            body += [plots[word](part) for word in plots if title.startswith(word)]
            body.append(html_table(*table))
    return PAGE.format(title=escape(_title(found)), summary=escape(_summary(found)), body="\n".join(body))


def rankers_table(found: Measured) -> Table:
    """(headings, rows); intervals are 95%."""
    headings = ["ranker", "NDCG@10", "less the candidate order's", "MRR", "HR@10", "Recall@100", "coverage", "novelty"]
    rows = [
        [
            name,
            str(row.ndcg10),
            str(row.gain),
            *(f"{one.mean:.4f}" for one in (row.mrr, row.hit10, row.recall100)),
            f"{row.variety.coverage:.3f}",
            f"{row.variety.novelty:.2f}",
        ]
        for name, row in found.rankers.items()
    ]
    return headings, rows


def segments_table(found: Measured) -> Table:
    headings = ["ranker", *(f"{name} ({segment.queries})" for name, segment in found.segments.items())]
    rows = [
        [ranker, *(f"{segment.ndcg10[ranker].mean:.4f}" for segment in found.segments.values())]
        for ranker in found.rankers
    ]
    return headings, rows


def differences_table(found: Measured) -> Table:
    headings = ["difference", "NDCG@10", "MRR", "HR@10", *(f"NDCG@10, {name}" for name in found.segments)]
    rows = [
        [
            difference_name(one.of, one.less),
            *(str(value) for value in (one.ndcg10, one.mrr, one.hit10)),
            *(str(one.segments[name]) for name in found.segments),
        ]
        for one in found.differences
    ]
    return headings, rows


def calibration_table(found: Measured) -> Table:
    headings = [
        "ranker",
        "expected calibration error",
        "Brier score",
        "of the mean rate",
        "share taken",
        "slope",
        "offset",
    ]
    rows = [
        [
            name,
            f"{curve.error:.4f}",
            f"{curve.brier:.4f}",
            f"{curve.constant_brier:.4f}",
            f"{curve.taken:.4f}",
            f"{curve.slope:.3f}",
            f"{curve.offset:.3f}",
        ]
        for name, curve in found.calibration.items()
    ]
    return headings, rows


def _further(found: Measured) -> list[tuple[str, Table]]:
    """(title, table) of what an evaluation has beside its rankers."""
    tables = [
        ("Differences, query by query", differences_table(found)),
        ("NDCG@10 by segment (queries)", segments_table(found)),
        ("Calibration of the probability of a take", calibration_table(found)),
    ]
    return [(title, table) for title, table in tables if table[1] and len(table[0]) > 1]


def _title(found: Evaluation) -> str:
    return f"Model {found.version}"


def _task(found: Measured) -> str:
    return {"basket": "Basket completion", "next_visit": "Next visit"}.get(found.task, found.task)


def _summary(found: Evaluation) -> str:
    return (
        f"Test queries of {found.date}, the first {found.depth} candidates re-ranked; 95% bootstrap intervals, paired "
        f"where differences are shown. Trained for {_task(found).lower()}. A query takes {found.milliseconds_p50:.0f} "
        f"ms (p50), {found.milliseconds_p99:.0f} ms (p99)."
    )


def rankers_told(found: Measured) -> str:
    """How many queries there were, and in how many the student told no candidate from another."""
    flat = found.flat.get(STUDENT, 0.0)
    same = f" In {flat:.0%} of them the student gives all candidates one score." if flat else ""
    return f"{found.queries} queries.{same}"
