"""The sample's adapter, on invoice lines written out here."""

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from upath import UPath

from contract.errors import BadInput
from contract.schemas import EVENTS
from jobs.events import online_retail
from jobs.lake import Lake

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FIRST = """\
536365,85123A,WHITE  HANGING HEART ,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,85123a,WHITE HANGING HEART,1,2010-12-01 08:26:00,2.95,17850.0,United Kingdom
536365,POST,POSTAGE,3,2010-12-01 08:26:00,18.0,17850.0,United Kingdom
536365,71053,"LANTERN, METAL",6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom
C536379,85123A,WHITE HANGING HEART,-1,2010-12-01 09:41:00,2.55,17850.0,United Kingdom
536380,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom
536381,22139,amazon,-2,2010-12-01 12:00:00,4.25,,United Kingdom
A563185,B,Adjust bad debt,1,2010-12-01 14:50:00,11062.06,,United Kingdom
"""
SECOND = """\
536400,85123A,HEART (damaged),1,2010-12-02 10:00:00,9.95,,France
536400,gift_0001_20,Dotcomgiftshop Gift Voucher,1,2010-12-02 10:00:00,16.67,,France
536400,DCGSSBOY,BOYS PARTY BAG,1,2010-12-02 10:00:00,3.29,,France
536400,23444,Next Day Carriage,1,2010-12-02 10:00:00,15.0,,France
"""


def archive(path: Path, **days: str) -> UPath:
    with tarfile.open(path, "w:xz") as out:
        for name, text in days.items():
            content = (HEAD + text).encode()
            entry = tarfile.TarInfo(f"{name}.csv")
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    return UPath(path)


@pytest.fixture
def small(tmp_path: Path) -> UPath:
    return archive(tmp_path / "small.tar.xz", second=SECOND, first=FIRST)  # read in the order of the names


def test_sold_lines_are_purchases_and_keep_the_order_of_the_basket(small: UPath) -> None:
    events = online_retail.events(online_retail.purchases(online_retail.read_lines(small))).to_pylist()
    minute = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    told = [(e["event_id"], e["item_id"], e["session_id"], e["user_id"], e["type"]) for e in events]
    assert told == [
        ("536365-1", "85123A", "536365", "17850", "purchase"),
        ("536365-2", "85123A", "536365", "17850", "purchase"),  # codes differ in case only by mistake
        ("536365-4", "71053", "536365", "17850", "purchase"),  # line 3 was the postage
        ("536400-1", "85123A", "536400", None, "purchase"),
        ("536400-3", "DCGSSBOY", "536400", None, "purchase"),
    ]
    assert [e["ts"] - minute for e in events[:3]] == [type(events[0]["ts"] - minute)(milliseconds=n) for n in (0, 1, 3)]


def test_items_are_known_from_their_first_sale(small: UPath) -> None:
    items = online_retail.items(online_retail.purchases(online_retail.read_lines(small))).to_pylist()
    told: dict[str, Any] = {i["item_id"]: (i["title"], i["price"], i["updated_at"].isoformat()) for i in items}
    assert told == {
        "85123A": ("WHITE HANGING HEART", 2.95, "2010-12-01T08:26:00+00:00"),
        "71053": ("LANTERN, METAL", 3.39, "2010-12-01T08:26:00+00:00"),
        "DCGSSBOY": ("BOYS PARTY BAG", 3.29, "2010-12-02T10:00:00+00:00"),
    }


def test_it_enters_the_lake_once(
    spark: SparkSession, lake: Lake, small: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2024, 5, 10, tzinfo=UTC)
    told = online_retail.run(lake, now, 0.5, str(small))
    assert told[0] == "small.tar.xz: 12 invoice lines, 5 of them sold products"
    assert lake.days("events") == ["2010-12-01", "2010-12-02"]
    assert lake.read_day(spark, "events", "2010-12-01", EVENTS).count() == 3
    monkeypatch.delattr(online_retail, "read_lines")  # the second time the archive is not even unpacked
    assert [line.split(": ")[1] for line in online_retail.run(lake, now, 0.5, str(small))] == [
        "imported before, nothing to do"
    ] * 2


def test_a_damaged_archive_names_the_day_that_does_not_read(tmp_path: Path) -> None:
    wrong = archive(tmp_path / "wrong.tar.xz", first=FIRST, second=SECOND.replace(",9.95,", ",cheap,"))
    with pytest.raises(BadInput, match=r"wrong.tar.xz: second.csv does not read .*cheap"):
        online_retail.read_lines(wrong)
    cut = tmp_path / "cut.tar.xz"
    cut.write_bytes(Path(wrong.path).read_bytes()[:-40])
    with pytest.raises(BadInput, match=r"cut.tar.xz: .* does not read"):
        online_retail.read_lines(UPath(cut))


def test_the_committed_archive_is_whole() -> None:
    lines = online_retail.read_lines(UPath(online_retail.ARCHIVE))
    sold = online_retail.purchases(lines)
    assert (len(lines), len(sold)) == (541_909, 527_675)
    assert (sold["StockCode"].nunique(), sold["InvoiceNo"].nunique()) == (3_795, 19_770)
