"""Which pages of the runbook are still to be written. An alert names its page; here is where it would lie."""

from collections.abc import Iterator
from pathlib import Path

from contract.slo import Slo, alert_names
from ops.generate.conventions import RUNBOOK, page_of


def missing_pages(slo: Slo, project: Path) -> Iterator[str]:
    """A warning for each, no error: whoever has a runbook elsewhere needs none here. None where `runbook_url` says so:
    an address that ends as the path here is taken for these pages."""
    if slo.runbook_url is not None and not slo.runbook_url.endswith(f"/{RUNBOOK}"):
        return
    for objective in slo.objectives:
        for name in alert_names(objective.name, objective.kind):
            if not (project / page_of(name)).exists():
                lacks = f"{objective.name} has no page {page_of(name)}, which its alert names"
                yield f"{lacks}: write it, or say in `runbook_url` where your runbook is"
