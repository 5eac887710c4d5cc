"""Bounds that only broken numbers pass."""

COUNT_MAX = 2**31 - 1

# Above any price, age or score. NaN and infinity fail it: Spark sorts them above every number.
NUMBER_MAX = 1e12
