"""What the DAGs are made of: operators that run the verbs of `jobs` as commands, the SLO check, the failure mail."""
