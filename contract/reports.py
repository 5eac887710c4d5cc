"""Files that a job leaves beside its report, for who started it."""

from pathlib import Path


def run_link(report: str | Path) -> Path:
    """The file with the address of the job's run in the model registry, there or not."""
    return Path(report).with_suffix(".run")
