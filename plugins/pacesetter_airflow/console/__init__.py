"""The page in Airflow's navigation and the tab on a DAG run: objectives, verdicts, what is live, and where to look."""
