"""Tables for people, in Markdown and in an HTML page that stands alone: no script, nothing from another host."""

from collections.abc import Iterable, Sequence
from html import escape

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }}
  h2 {{ margin-top: 2.5rem; border-bottom: 1px solid #8884; }}
  table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; font-size: 13px; }}
  th, td {{ padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }}
  th {{ vertical-align: bottom; white-space: normal; }}
  th:first-child, td:first-child {{ text-align: left; white-space: nowrap; }}
  svg {{ max-width: min(100%, 50rem); height: auto; background: #fff; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
{body}
</body></html>
"""

Table = tuple[list[str], list[list[str]]]


def pipes(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table; all but the first column stand right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
