"""A mail's page twice: as text, and as HTML in which every value is escaped. Values come from files and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import NamedTuple

Table = tuple[Sequence[str], Sequence[Sequence[str]]]

CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"


class Row(NamedTuple):
    name: str
    value: str


@dataclass(frozen=True)
class Page:
    """A title, a sentence, facts, tables of headings and rows, and links; a link that is no web address is text."""

    title: str
    sentence: str
    facts: Sequence[Row]
    tables: Sequence[Table] = field(default=())
    links: Sequence[Row] = field(default=())


def one_line(text: str) -> str:
    """Without line breaks of any kind, which would begin another header, and without control characters."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def as_mail(page: Page, sender: str, to: str, now: datetime) -> EmailMessage:
    """Text and HTML, for a reader to choose."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, one_line(page.title)
    mail["Date"] = format_datetime(now)
    mail.set_content(as_text(page))
    mail.add_alternative(as_html(page), subtype="html")
    return mail


def as_text(page: Page) -> str:
    rows = [*page.facts, *page.links]
    width = max(len(row.name) for row in rows)
    parts = [one_line(page.title), page.sentence, "\n".join(_text_row(row, width) for row in page.facts)]
    parts += ["\n".join(_text_table(table)) for table in page.tables]
    parts.append("\n".join(_text_row(row, width) for row in page.links))
    return "\n\n".join(part for part in parts if part) + "\n"


def _text_row(row: Row, width: int) -> str:
    return f"{row.name:{width}}  {one_line(row.value)}"


def _text_table(table: Table) -> list[str]:
    lines = [[one_line(cell) for cell in line] for line in (table[0], *table[1])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def as_html(page: Page) -> str:
    facts = "".join(f"<tr>{_cell('th', row.name)}{_cell('td', row.value)}</tr>" for row in page.facts)
    links = "".join(f"<tr>{_cell('th', row.name)}{_cell('td', row.value, link=True)}</tr>" for row in page.links)
    return (
        f"<h2>{escape(one_line(page.title))}</h2>"
        + (f"<p>{escape(page.sentence)}</p>" if page.sentence else "")
        + f"<table>{facts}{links}</table>"
        + "".join(_html_table(table) for table in page.tables)
    )


def _html_table(table: Table) -> str:
    head = "".join(_cell("th", heading) for heading in table[0])
    rows = "".join(f"<tr>{''.join(_cell('td', cell) for cell in line)}</tr>" for line in table[1])
    return f"<br><table><tr>{head}</tr>{rows}</table>"


def _cell(tag: str, text: str, link: bool = False) -> str:
    shown = escape(one_line(text))
    if link and text.startswith(("http://", "https://")):
        shown = f'<a href="{shown}">{shown}</a>'
    return f'<{tag} style="{CELL}">{shown}</{tag}>'
