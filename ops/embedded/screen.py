"""What the demo shows: the night while it runs, the slate, and where everything is."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contract.metrics import PARTS
from ops.embedded.airflow_api import Task

STYLES = {"success": "green", "running": "yellow", "failed": "bold red", "upstream_failed": "red"}
STYLES |= {"up_for_retry": "magenta", "skipped": "cyan"}
# Stages of an answer that are named.
LONGEST = 3
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class NightScreen:
    """A live table of the night's tasks; where the console is no terminal, one line a task that has ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._told: set[tuple[str, str, str]] = set()
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        else:
            self._console.print("the night runs; each task is told when it ends")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, tasks: Sequence[Task]) -> None:
        elapsed = time.monotonic() - self._begun
        if self._live:
            self._live.update(night_table(tasks, elapsed), refresh=True)
            return
        for task in tasks:
            told = (task.dag, task.id, task.state)
            if task.state in STYLES and task.state != "running" and told not in self._told:
                self._told.add(told)
                self._console.print(
                    f"{elapsed:6.0f} s  {task.dag}.{task.id}: {task.state} after {task.seconds or 0:.1f} s"
                )


def night_table(tasks: Sequence[Task], elapsed: float) -> Table:
    table = Table(
        title=f"The night · {elapsed:.0f} s", title_justify="left", title_style="bold", box=None, padding=(0, 2)
    )
    table.add_column("DAG", style="dim")
    table.add_column("task")
    table.add_column("state")
    table.add_column("seconds", justify="right")
    dag = ""
    for task in tasks:
        mark = SPINNER[int(elapsed * 8) % len(SPINNER)] if task.state == "running" else " "
        table.add_row(
            task.dag if task.dag != dag else "",
            task.id + (f" (attempt {task.attempt})" if task.attempt > 1 else ""),
            Text(f"{mark} {task.state}", STYLES.get(task.state, "dim")),
            "" if task.seconds is None else f"{task.seconds:.1f}",
        )
        dag = task.dag
    return table


def slate_panel(answer: Mapping[str, Any], asked: str) -> Panel:
    """The items of an answer with its level, versions and stage timings. Titles come from outside: never markup."""
    table = Table(box=None, padding=(0, 2))
    for name, justify in (("#", "right"), ("item", "left"), ("title", "left"), ("score", "right"), ("source", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for item in answer["items"]:
        score = item.get("score")
        table.add_row(
            str(item["rank"]),
            Text(str(item["item_id"])),
            Text(str(item["title"] or "")),
            "" if score is None else f"{score:.4f}",
            Text(str(item.get("source") or "")),
        )
    facts = Text.assemble(
        ("level ", "dim"), (str(answer["level"]), "bold green" if not answer.get("degraded") else "bold yellow"),
        ("   generation ", "dim"), str(answer["generation"]),
        ("   model ", "dim"), str(answer["model_version"] or "none"),
        ("\nms ", "dim"), timing_text(answer["timing_ms"]),
    )  # fmt: skip
    if answer.get("cached"):
        facts.append("   from the answer cache", "dim")
    if answer.get("degraded"):
        facts.append(f"\ndegraded: {answer['degraded']}", "yellow")
    return Panel(Group(table, Text(), facts), title=f"[bold]{escape(asked)}[/]", title_align="left", expand=False)


def timing_text(ms: Mapping[str, float]) -> Text:
    """What an answer took, and its longest stages."""
    longest = sorted(PARTS, key=lambda stage: -ms[stage])[:LONGEST]
    return Text.assemble(
        f"{ms['total']:.1f} = model {ms['model']:.1f} + system {ms['system']:.1f}",
        ("   longest: ", "dim"), "  ".join(f"{stage} {ms[stage]:.1f}" for stage in longest),
    )  # fmt: skip


def places_table(places: Mapping[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2), show_header=False)
    for name, place in places.items():
        table.add_row(Text(name, "dim"), Text(place))
    return table
