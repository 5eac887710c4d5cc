"""The gate: whether a model may serve instead of the one that does. `verb` measures, `rules` decide, `record` keeps."""
