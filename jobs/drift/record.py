"""What a look at drift found and decided, kept as JSON with a page in Markdown and HTML beside it."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

import msgspec

from jobs.drift.decision import Decision
from jobs.drift.signals import Signal
from jobs.pages import PAGE, Table, html_table, pipes

# A year of nights.
KEPT = 366


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`model_date` is the day that the model `version` was trained for, `date` the one compared with it.

    `set_off_at`: when drift last set off a training, up to and with this record; Unix seconds.
    """

    version: str
    model_date: str
    date: str
    created_at: float
    signals: tuple[Signal, ...]
    decision: Decision
    set_off_at: float | None


def write_record(folder: Path, record: Record) -> Path:
    """Replaces what was found of that day, and removes the oldest records past KEPT; returns the JSON's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.date}.json"
    path.with_suffix(".md").write_text(markdown(record))
    path.with_suffix(".html").write_text(html(record))
    aside = path.with_suffix(".writing")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    aside.replace(path)
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        for kept in folder.glob(f"{old.stem}.*"):
            kept.unlink()
    return path


def last_set_off(folder: Path) -> float | None:
    """When drift last set off a training, by the records; one that does not decode is not looked at."""
    times = [record.set_off_at for record in _records(folder) if record.set_off_at is not None]
    return max(times, default=None)


def _records(folder: Path) -> Iterable[Record]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            print(f"drift: {path} is damaged ({error}) and counts as not there")


def markdown(record: Record) -> str:
    parts = [f"# {_title(record)}", "", _decided(record), "", *pipes(*signals_table(record))]
    for signal in record.signals:
        if signal.columns:
            parts += ["", f"## {signal.name}", "", *pipes(*columns_table(signal))]
    return "\n".join(parts) + "\n"


def html(record: Record) -> str:
    """A page that stands alone."""
    body = [html_table(*signals_table(record))]
    for signal in record.signals:
        if signal.columns:
            body += [f"<h2>{escape(signal.name)}</h2>", html_table(*columns_table(signal))]
    return PAGE.format(title=escape(_title(record)), summary=escape(_decided(record)), body="\n".join(body))


def signals_table(record: Record) -> Table:
    rows = [[one.name, one.verdict.value, _number(one.value), f"{one.most:g}", one.why] for one in record.signals]
    return ["signal", "verdict", "value", "at most", "why"], rows


def columns_table(signal: Signal) -> Table:
    rows = [[one.name, one.verdict.value, _number(one.psi), _number(one.ks), one.why] for one in signal.columns]
    return ["column", "verdict", "PSI", "KS", "why"], rows


def _title(record: Record) -> str:
    if not record.version:
        return f"Drift on {record.date}"
    return f"Drift from {record.model_date}, the day of model {record.version}, to {record.date}"


def _decided(record: Record) -> str:
    return f"{'Train again' if record.decision.retrain else 'No training'}: {record.decision.why}."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
