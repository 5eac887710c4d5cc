"""A small slo.yaml for tests, of which any line may be another one."""

from pathlib import Path

import pytest

from contract.errors import BadInput
from contract.slo import read_slo

# The lines that cases replace are named by their number.
LINES = {
    1: "budget: 30d",
    2: "retention: 35d",
    3: "burn_rates:",
    4: "  - {severity: page, factor: 14.4, long: 1h, short: 5m}",
    5: "  - {severity: ticket, factor: 1, long: 3d, short: 6h}",
    6: "objectives:",
    7: "  - name: quick",
    8: "    kind: events",
    9: "    description: 99 % are quick",
    10: "    percent: 99",
    11: "    total: {metric: rec_stage_duration_seconds, where: {stage: total}}",
    12: "    good:",
    13: "      metric: rec_stage_duration_seconds",
    14: "      where: {stage: total}",
    15: "      within: 0.5",
    16: "  - name: fresh",
    17: "    kind: bound",
    18: "    description: A day at most",
    19: "    gauge: rec_candidates_age_seconds",
    20: "    at_most: 86400",
}


def written(folder: Path, **changed: str) -> Path:
    """The file with some lines replaced: written(tmp_path, l10="    percent: 100")."""
    lines = LINES | {int(name[1:]): line for name, line in changed.items()}
    path = folder / "slo.yaml"
    path.write_text("\n".join(lines.values()) + "\n")
    return path


def told(path: Path) -> list[str]:
    """What is said of a file that has to be refused, a mistake a line."""
    with pytest.raises(BadInput) as raised:
        read_slo(path)
    return str(raised.value).splitlines()
