"""A DAG run, as Airflow's database has it."""

from dataclasses import dataclass
from datetime import datetime

from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select


@dataclass(frozen=True)
class Run:
    """`by` is whoever triggered it by hand, else ""."""

    dag_id: str
    run_id: str
    state: str
    kind: str
    by: str
    began: datetime | None
    ended: datetime | None

    def covers(self, time: datetime) -> bool:
        """Whether the run was going on then."""
        return self.began is not None and self.began <= time and (self.ended is None or time <= self.ended)


def read_run(dag_id: str, run_id: str) -> Run | None:
    with create_session() as session:
        found = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        if found is None:
            return None
        return Run(
            dag_id=found.dag_id,
            run_id=found.run_id,
            state=str(found.state),
            kind=str(found.run_type),
            by=found.triggering_user_name or "",
            began=found.start_date,
            ended=found.end_date,
        )
