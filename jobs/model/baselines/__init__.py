"""Rankers that a model is compared with on the same queries. A new one is a function and a line in BASELINES."""
