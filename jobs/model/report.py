"""An evaluation for people: Markdown for a page of docs, HTML with a plot for a browser."""

import io
from collections.abc import Iterable, Sequence
from html import escape

from jobs.model.evaluation import Evaluation

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
  table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }}
  th, td {{ padding: .3rem .7rem; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }}
  th:first-child, td:first-child {{ text-align: left; }}
  svg {{ max-width: 100%; height: auto; background: #fff; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
{body}
</body></html>
"""


def markdown(found: Evaluation) -> str:
    """One table of the rankers, one of the segments."""
    parts = [f"# {_title(found)}", "", _summary(found), "", *_pipes(*rankers_table(found))]
    if found.segments:
        parts += ["", "## NDCG@10 by segment", "", *_pipes(*segments_table(found))]
    return "\n".join(parts) + "\n"


def html(found: Evaluation) -> str:
    """A page that stands alone: no script, nothing from another host."""
    body = [_plot(found), _html_table(*rankers_table(found))]
    if found.segments:
        body += ["<h2>NDCG@10 by segment</h2>", _html_table(*segments_table(found))]
    return PAGE.format(title=escape(_title(found)), summary=escape(_summary(found)), body="\n".join(body))


Table = tuple[list[str], list[list[str]]]


def rankers_table(found: Evaluation) -> Table:
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


def segments_table(found: Evaluation) -> Table:
    headings = ["ranker", *(f"{name} ({segment.queries})" for name, segment in found.segments.items())]
    rows = [
        [ranker, *(f"{segment.ndcg10[ranker].mean:.4f}" for segment in found.segments.values())]
        for ranker in found.rankers
    ]
    return headings, rows


def _title(found: Evaluation) -> str:
    return f"Model {found.version} on {found.task.replace('_', ' ')}"


def _summary(found: Evaluation) -> str:
    return (
        f"{found.queries} test queries of {found.date}, the first {found.depth} candidates re-ranked; 95% bootstrap "
        f"intervals, paired where differences are shown. A query takes {found.milliseconds_p50:.0f} ms (p50), "
        f"{found.milliseconds_p99:.0f} ms (p99)."
    )


def _plot(found: Evaluation) -> str:
    """NDCG@10 of each ranker with its interval, as SVG."""
    from matplotlib.figure import Figure

    names = list(found.rankers)[::-1]
    values = [found.rankers[name].ndcg10 for name in names]
    figure = Figure(figsize=(8, 0.4 * len(names) + 1))
    axes = figure.subplots()
    below = [value.mean - (value.mean if value.low is None else value.low) for value in values]
    above = [(value.mean if value.high is None else value.high) - value.mean for value in values]
    axes.errorbar([value.mean for value in values], range(len(names)), xerr=[below, above], fmt="o", capsize=3)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("NDCG@10, 95% interval")
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _pipes(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _html_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
