"""The verb: what it prints, what the failure mail says, and the site that it leaves."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import BadInput, ValidationFailed
from contract.settings import Settings
from jobs.__main__ import main as jobs
from jobs.checks import validate
from jobs.lake import Lake
from tests.jobs.checks.conftest import Write
from tests.jobs.checks.small_lake import DAY, entry, event, listed

Run = Callable[..., None]
EXTERNAL = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//""")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "data_docs"


@pytest.fixture
def run(lake: Lake, docs: Path) -> Run:
    """Run the verb on the lake for the night of DAY."""

    def run(*suites: str, day: str = DAY, **checks: float) -> None:
        settings = Settings(_env_file=None, checks=checks)
        arguments = ["--lake", lake.root, "--date", day, "--docs", str(docs)]
        for suite in suites:
            arguments += ["--suite", suite]
        validate.main(validate.arg_parser(settings).parse_args(arguments), settings)

    return run


def pages(docs: Path, suite: str) -> list[Path]:
    return sorted((docs / "validations" / suite).rglob("*.html"))


def test_every_suite_of_a_healthy_night_passes_in_one_run(
    run: Run, docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("events", "items", "features", "candidates", day="latest")
    printed = capsys.readouterr().out
    for check in ("events", "items", "user_features", "item_features", "candidates", "candidates_partition"):
        assert re.search(rf"^  {check}: (\d+) of \1 expectations hold$", printed, re.MULTILINE), check
    assert str(docs / "index.html") in printed


def test_the_failure_names_what_how_many_and_which(run: Run, write: Write) -> None:
    write(
        "events", DAY, [event("e3"), event("e4", type="buy"), event("e5", type="steal"), event("e6", item_id="kettle")]
    )
    with pytest.raises(ValidationFailed) as raised:
        run("events")
    text = str(raised.value)
    assert text.startswith(f"2 expectations do not hold on {DAY}")
    paragraph = text.split("\n\n")[1]
    assert paragraph.startswith("expect_column_values_to_be_in_set on type\n  suite events, table events\n")
    assert "bound: value_set ['impression', 'view', 'click'" in paragraph
    # Two of the day's four and the day before's two.
    assert "observed: 2 unexpected of 6 rows (33.33%)" in paragraph
    assert "event_id='e4', type='buy'" in paragraph
    assert "event_id='e5', type='steal'" in paragraph
    assert "used by no job" in paragraph
    assert "event_id='e6', unknown_item_id='kettle'" in text.split("\n\n")[2]


def test_samples_are_few(run: Run, write: Write) -> None:
    write("events", DAY, [event(f"e-{n}", type="buy") for n in range(40)])
    with pytest.raises(ValidationFailed) as raised:
        run("events")
    assert str(raised.value).count("event_id='e-") == 10
    assert "40 unexpected of 42 rows" in str(raised.value)


def test_all_suites_run_before_the_failure(run: Run, write: Write, docs: Path) -> None:
    write("events", DAY, [event("e3", type="buy")])
    write("candidates", DAY, [listed("segment", "all", entry("mug")), listed("user", "u1")])
    with pytest.raises(ValidationFailed, match=r"(?s)on type.*on entries"):
        run("events", "candidates")
    assert len(pages(docs, "candidates")) == 1


def test_a_warning_is_printed_and_does_not_fail(
    run: Run, write: Write, docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("user_features", DAY, [])
    run("user_features")
    assert "warning: expect_table_row_count_to_be_between on the whole table" in capsys.readouterr().out
    index = (docs / "index.html").read_text()
    assert "Success" in index
    assert "Failed" not in index


def test_the_failure_becomes_the_report_for_the_mail(
    lake: Lake, write: Write, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("events", DAY, [event("e3", type="buy")])
    monkeypatch.setenv("PACE_NIGHT__SCENARIO", str(Path("ops/scenario.yaml").absolute()))
    monkeypatch.chdir(tmp_path)  # no .env of the checkout
    report = tmp_path / "reports" / "validate.txt"
    status = jobs(["validate", "--lake", lake.root, "--suite", "events", "--docs", str(docs), "--report", str(report)])
    assert status == 1
    assert "event_id='e3', type='buy'" in report.read_text()


def test_a_bound_is_a_setting(run: Run, write: Write) -> None:
    write("events", DAY, [event("e3", type="rating", value=80.0)])
    run("events", rating_max=100.0)
    with pytest.raises(ValidationFailed, match="max_value 5"):
        run("events")


def test_a_table_that_is_missing_is_no_failed_suite(run: Run, lake: Lake) -> None:
    shutil.rmtree(lake.path("candidates"))
    with pytest.raises(BadInput, match="run the job that writes candidates"):
        run("candidates")


def test_an_unknown_suite_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("users")
    assert "user_features" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(run: Run, lake: Lake) -> None:
    (broken,) = Path(lake.path("item_features", DAY)).glob("*.parquet")
    broken.write_bytes(b"PAR1 not at all")
    with pytest.raises(ValidationFailed, match="could not be evaluated") as raised:
        run("item_features")
    assert broken.name in str(raised.value)


def test_the_site_needs_no_network_and_every_link_leads_somewhere(run: Run, write: Write, docs: Path) -> None:
    # What people put into ids must not become part of the page.
    write("events", DAY, [event("e3", type="<script>alert(1)</script>")])
    with pytest.raises(ValidationFailed):
        run("events", "items")
    site = sorted(docs.rglob("*.html"))
    assert {page.parent.name for page in site} >= {"data_docs", "expectations"}
    for page in site:
        html = page.read_text()
        assert not EXTERNAL.search(html), page
        assert "<script" not in html, page
        for link in re.findall(r'href="([^"#]+)"', html):
            assert (page.parent / link).exists(), (page, link)
    (result,) = pages(docs, "events")
    assert "&lt;script&gt;alert(1)" in result.read_text()
    assert "used by no job" in (docs / "expectations" / "events.html").read_text()
    assert "Failed" in (docs / "index.html").read_text()


def test_runs_accumulate_and_the_oldest_go(run: Run, docs: Path) -> None:
    run("user_features")
    (first,) = pages(docs, "user_features")
    run("item_features")
    for _ in range(2):
        run("user_features", kept_runs=2)
    kept = pages(docs, "user_features")
    assert len(kept) == 2
    assert first not in kept
    # The other suite's run is still there: the bound is a suite's own.
    assert len(pages(docs, "item_features")) == 1
    assert (docs / "index.html").read_text().count("validations/") == 3
