"""Grafana dashboards: objectives and their budgets, services (RED), resources (USE)."""
