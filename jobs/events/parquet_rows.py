"""Rows of a Parquet file, in batches of bounded memory."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from contract.errors import BadInput
from jobs.events.checks import COLUMNS, Batch, Rejected, check_schema
from jobs.events.files import InputFile

_BATCH_ROWS = 65_536
_BATCH_BYTES = 32_000_000


def read_parquet(file: InputFile) -> Iterator[tuple[Batch, list[Rejected]]]:
    """Batches of the columns that the table knows; rows are numbered from 1.

    Raises BadInput for a file that is truncated or no Parquet, and for columns missing or of a wrong type.
    """
    read = 0
    try:
        with file.path.open("rb") as stream, pq.ParquetFile(stream) as parquet:
            check_schema(file.table, parquet.schema_arrow, file.name)
            wanted = [name for name in COLUMNS[file.table] if name in parquet.schema_arrow.names]
            for batch in parquet.iter_batches(_rows_per_batch(parquet.metadata), columns=wanted):
                numbers = pa.array(range(read + 1, read + len(batch) + 1), pa.int64())
                read += len(batch)
                yield Batch(numbers, dict(zip(batch.schema.names, batch.columns, strict=True))), []
    except (pa.ArrowException, OSError) as error:
        raise BadInput(
            f"{file.name}: unreadable after row {read}, truncated or no Parquet ({error}); nothing was imported: "
            "write the file again"
        ) from error


def _rows_per_batch(metadata: pq.FileMetaData) -> int:
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    return max(64, min(_BATCH_ROWS, _BATCH_BYTES * metadata.num_rows // max(size, 1)))
