"""An evaluation for people: a table on the screen, Markdown for a page of docs, HTML with plots for a browser."""

from collections.abc import Iterable, Sequence
from html import escape

from rich.console import Console
from rich.table import Table as ScreenTable

from jobs.model.evaluation import STUDENT, Evaluation, Measured
from jobs.model.plots import calibration_plot, difference_name, difference_plot, ranking_plot

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
  h2 {{ margin-top: 2.5rem; border-bottom: 1px solid #8884; }}
  table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }}
  th, td {{ padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }}
  th {{ vertical-align: bottom; white-space: normal; }}
  th:first-child, td:first-child {{ text-align: left; white-space: nowrap; }}
  svg {{ max-width: 100%; height: auto; background: #fff; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
{body}
</body></html>
"""

Table = tuple[list[str], list[list[str]]]


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
                f"{name}: expected calibration error {curve.error:.4f}, of a constant {curve.constant_error:.4f}"
            )
    console.print(f"a query takes {found.milliseconds_p50:.0f} ms (p50), {found.milliseconds_p99:.0f} ms (p99)")


def markdown(found: Evaluation) -> str:
    """The tables of every task."""
    parts = [f"# {_title(found)}", "", _summary(found)]
    for part in found.tasks:
        parts += ["", f"## {_task(part)}", "", _asked(part), "", *_pipes(*rankers_table(part))]
        for title, table in _further(part):
            parts += ["", f"### {title}", "", *_pipes(*table)]
    return "\n".join(parts) + "\n"


def html(found: Evaluation) -> str:
    """A page that stands alone: no script, nothing from another host."""
    body: list[str] = []
    for part in found.tasks:
        plots = {"Differences": difference_plot, "Calibration": calibration_plot}
        body += [f"<h2>{escape(_task(part))}</h2>", f"<p>{escape(_asked(part))}</p>", ranking_plot(part)]
        body.append(_html_table(*rankers_table(part)))
        for title, table in _further(part):
            body.append(f"<h3>{escape(title)}</h3>")
            body += [plots[word](part) for word in plots if title.startswith(word)]
            body.append(_html_table(*table))
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
    headings = ["ranker", "expected calibration error", "of one probability for all", "share taken", "slope", "offset"]
    rows = [
        [
            name,
            f"{curve.error:.4f}",
            f"{curve.constant_error:.4f}",
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


def _asked(found: Measured) -> str:
    flat = found.flat.get(STUDENT, 0.0)
    same = f" In {flat:.0%} of them the student gives all candidates one score." if flat else ""
    return f"{found.queries} queries.{same}"


def _pipes(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _html_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
