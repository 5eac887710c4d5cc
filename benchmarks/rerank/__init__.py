"""Servers that re-rank texts, measured side by side over HTTP: the same weights, texts, threads and machine."""
