"""The files of /monitor: guarded by headers, of the version that is written down, and shipped with the package."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.online.toy import ROOT

PAGE = ROOT / "online" / "gateway" / "page"
UPLOT = PAGE / "static" / "uplot"


@pytest.fixture
def gateway(client, settings, start_gateway):
    return start_gateway(settings())


def test_page_and_files_come_with_a_strict_policy(gateway) -> None:
    for path in ("/monitor", "/monitor/main.js", "/monitor/theme.css", "/monitor/uplot/LICENSE"):
        answer = gateway.get(path)
        policy = answer.headers["Content-Security-Policy"]
        answer.close()

        assert answer.status_code == 200
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"


def test_a_file_that_did_not_change_is_not_sent_again(gateway) -> None:
    with gateway.get("/monitor/main.js") as first:
        tag = first.headers["ETag"]

    assert gateway.get("/monitor/main.js", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/monitor/../monitor_page.py", "/monitor/%2e%2e/monitor.html", "/monitor/none.js"])
def test_nothing_else_is_served(gateway, path) -> None:
    answer = gateway.get(path)

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_every_file_that_the_page_names_is_there_and_on_this_server(gateway) -> None:
    page = gateway.get("/monitor").text
    named = re.findall(r'(?:src|href)="([^"#]+)"', page)

    assert len(named) > 8
    for path in named:
        with gateway.get(f"/{path}") as answer:
            assert answer.status_code == 200, path


def test_there_is_no_inline_script_or_style(gateway) -> None:
    page = gateway.get("/monitor").text

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_the_library_is_the_version_that_is_written_down() -> None:
    sums = dict(re.findall(r"`(?:dist/)?([\w.]+)` \| `([0-9a-f]{64})`", (UPLOT / "README.md").read_text()))

    assert set(sums) == {"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"}
    for name, wanted in sums.items():
        assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == wanted, name


def test_every_file_is_in_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "online.gateway"
    ]
    shipped = {path for pattern in patterns for path in PAGE.parent.glob(pattern)}

    assert {path for path in PAGE.rglob("*") if path.is_file()} == {path for path in shipped if Path(path).is_file()}
