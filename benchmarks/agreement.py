"""Whether two frames hold the same rows: strings, lists and counts exactly, doubles to a part in a thousand million."""

import polars as pl
from polars.testing import assert_frame_equal


def difference(left: pl.DataFrame, right: pl.DataFrame, key: list[str]) -> str | None:
    """What differs between two frames with the same key columns, in words; None where nothing does."""
    if set(left.columns) != set(right.columns):
        return f"columns {sorted(left.columns)} and {sorted(right.columns)}"
    try:
        assert_frame_equal(
            left.sort(key), right.select(left.columns).sort(key), check_dtypes=False, rel_tol=1e-9, abs_tol=1e-9
        )
    except AssertionError as error:
        return str(error)
    return None
