"""What a generation tells of the slates before it: the day's row of `slate_through`."""

from contract.records import Through
from jobs.lake import Lake
from jobs.parquet import open_day

TABLE = "slate_through"


def published_through(lake: Lake, day: str) -> Through:
    """Unknown where the day has no row: a lake of before has no such table."""
    if day not in lake.days(TABLE):
        return Through()
    return Through(**open_day(lake, TABLE, day).to_table(list(Through.__struct_fields__)).to_pylist()[0])
