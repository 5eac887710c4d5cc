"""The servers compared with, each as its own documentation or the usual tutorial builds it.

Each runs with the interpreter of its own environment, reads PORT and RERANK_MODEL, and answers POST /rerank.
"""
