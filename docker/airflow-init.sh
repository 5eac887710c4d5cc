#!/usr/bin/env bash
# Runs once before the other parts of Airflow: the database's schema, and the password of `admin`.
set -euo pipefail
: "${AIRFLOW_ADMIN_PASSWORD:?set it in .env}"

airflow db migrate
umask 077
python -c 'import json, os; print(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))' \
  > "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
