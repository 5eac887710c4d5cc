"""The sample: UCI Online Retail (invoice lines of a gift shop), mapped to `items` and `events`.

All that is particular to this dataset is known here and nowhere else. A sold line is a purchase, an
invoice a session, and the order of its rows the order of the basket.
"""

import tarfile
import tempfile
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from upath import UPath

from contract.errors import BadInput
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.events.files import InputFile, Table, content_digest
from jobs.events.ledger import open_files
from jobs.events.load import import_files
from jobs.events.values import ATTRIBUTES, LABELS
from jobs.lake import Lake

ARCHIVE = Path(__file__).parents[2] / "data" / "online_retail" / "online_retail_by_day.tar.xz"
# Change it with any change of the mapping below: the archive is then read anew.
VERSION = "1"

_COLUMNS = {
    "InvoiceNo": pa.string(),
    "StockCode": pa.string(),
    "Description": pa.string(),
    "Quantity": pa.int64(),
    "InvoiceDate": pa.timestamp("s"),
    "UnitPrice": pa.float64(),
    "CustomerID": pa.string(),
}
# Products have five digits and up to two letters for the variant, or a DCGS number. All else is postage
# (POST, DOT, C2), fees, manual corrections, samples, discounts and vouchers; so are these three.
_PRODUCT = r"\d{5}[A-Z]{0,2}|DCGS\w+"
_NO_PRODUCTS = {"22016": "gift voucher", "23444": "next day carriage", "23702": "high resolution image"}


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("import_online_retail", __doc__ or "", settings)
    parser.add_argument("--archive", default=str(ARCHIVE), help="tar.xz of one CSV a day (%(default)s)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    lines = run(Lake(args.lake), datetime.now(UTC), settings.source.max_bad_share, args.archive)
    print("\n".join(lines))


def run(lake: Lake, now: datetime, max_bad_share: float, archive: str = str(ARCHIVE)) -> list[str]:
    """Import the archive unless it was before; what to tell. Raises BadInput as `import_files` does."""
    source = UPath(archive)
    if not source.is_file():
        raise BadInput(f"{source}: there is no such archive; the sample lies in data/online_retail of the repository")
    digest = content_digest(source, salt=f"online_retail {VERSION}")
    tables: tuple[Table, ...] = ("items", "events")
    told = []
    with tempfile.TemporaryDirectory() as folder:
        files = [
            InputFile(table, UPath(folder) / f"{table}.parquet", f"{source.name}!{table}", digest) for table in tables
        ]
        if open_files(lake, files):
            lines = read_lines(source)
            sold = purchases(lines)
            told.append(f"{source.name}: {len(lines)} invoice lines, {len(sold)} of them sold products")
            pq.write_table(items(sold), files[0].path.path)
            pq.write_table(events(sold), files[1].path.path)
        return told + import_files(lake, files, now, max_bad_share)


def read_lines(archive: UPath) -> pd.DataFrame:
    """Every invoice line, day by day in the order of the files, with `line`: its number in its invoice, from 1.

    Raises BadInput that names the member of the archive that does not read.
    """
    days: dict[str, pa.Table] = {}
    options = csv.ConvertOptions(column_types=_COLUMNS, include_columns=list(_COLUMNS), strings_can_be_null=False)
    name = "its index"
    try:
        with archive.open("rb") as stream, tarfile.open(fileobj=stream, mode="r|xz") as members:
            for member in members:
                name = member.name
                content = members.extractfile(member) if name.endswith(".csv") else None
                if content is not None:
                    days[name] = csv.read_csv(BytesIO(content.read()), convert_options=options)
    except (tarfile.TarError, EOFError, OSError, pa.ArrowException) as error:
        raise BadInput(
            f"{archive}: {name} does not read ({error}): take the archive from the repository again"
        ) from error
    if not days:
        raise BadInput(f"{archive}: no CSV file in it")
    lines = pa.concat_tables(days[name] for name in sorted(days)).to_pandas()
    lines["StockCode"] = lines["StockCode"].str.strip().str.upper()
    lines["line"] = lines.groupby("InvoiceNo").cumcount() + 1
    return lines


def purchases(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that sold a product: no cancellation, correction or fee, nothing given or taken back."""
    code = lines["StockCode"]
    is_product = code.str.fullmatch(_PRODUCT) & ~code.isin(list(_NO_PRODUCTS))
    is_sale = lines["InvoiceNo"].str.fullmatch(r"\d+") & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)
    return lines[is_product & is_sale]


def events(sold: pd.DataFrame) -> pa.Table:
    """A purchase a line. Lines of an invoice share a minute: a millisecond a line keeps their order."""
    ts = sold["InvoiceDate"].astype("datetime64[us]") + pd.to_timedelta(sold["line"] - 1, unit="ms")
    users = sold["CustomerID"].str.removesuffix(".0")
    count = len(sold)
    return pa.table(
        {
            "event_id": pa.array(sold["InvoiceNo"] + "-" + sold["line"].astype(str), pa.string()),
            "ts": pa.array(ts.dt.tz_localize("UTC"), pa.timestamp("us", "UTC")),
            "type": pa.repeat(pa.scalar("purchase"), count),
            "user_id": pa.array(users.where(users != "", None), pa.string()),
            "session_id": pa.array(sold["InvoiceNo"], pa.string()),
            "item_id": pa.array(sold["StockCode"], pa.string()),
            "position": pa.nulls(count, pa.int32()),
            "recommendation_id": pa.nulls(count, pa.string()),
            "value": pa.nulls(count, pa.float64()),
        }
    )


def items(sold: pd.DataFrame) -> pa.Table:
    """An item a stock code, as of its first sale: its most frequent description and its median price."""
    counts = sold.groupby(["StockCode", "Description"], sort=False).size().reset_index(name="count")
    counts["title"] = counts["Description"].str.split().str.join(" ")
    named = counts[counts["title"] != ""].groupby(["StockCode", "title"], sort=False)["count"].sum().reset_index()
    common = named.sort_values("count", ascending=False, kind="stable").drop_duplicates("StockCode")
    per_item = sold.groupby("StockCode").agg(price=("UnitPrice", "median"), first=("InvoiceDate", "min"))
    table = per_item.join(common.set_index("StockCode")["title"], how="inner").sort_values(["first", "title"])
    count = len(table)
    return pa.table(
        {
            "item_id": pa.array(table.index, pa.string()),
            "title": pa.array(table["title"], pa.string()),
            "text": pa.nulls(count, pa.string()),
            "categories": pa.array([[]] * count, LABELS),
            "price": pa.array(table["price"], pa.float64()),
            "attributes": pa.array([[]] * count, ATTRIBUTES),
            "available": pa.repeat(pa.scalar(True), count),
            "updated_at": pa.array(table["first"].dt.tz_localize("UTC"), pa.timestamp("us", "UTC")),
        }
    )
