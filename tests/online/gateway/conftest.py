"""Where there is no browser, the summary says what was not run."""

from typing import Any

from ops.embedded.servers import CHROMIUM

# `make test` installs Chromium where it can.
NEEDS_CHROMIUM = "test_monitor_page.py"
collect_ignore = [] if CHROMIUM.path() else [NEEDS_CHROMIUM]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"NOT RUN: tests/online/gateway/{NEEDS_CHROMIUM}: chromium is not on PATH")
