"""Who may see what: the rights are Airflow's, by whichever auth manager it has; anonymous callers get a 401."""

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from fastapi import Depends

# The right with which Airflow's own page learns of its plugins: who has it not sees no entry in the navigation.
MAY_SEE = Depends(requires_access_view(AccessView.PLUGINS))
# Of the DAG that the query parameter `dag_id` names.
MAY_SEE_RUN = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
