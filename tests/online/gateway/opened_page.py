"""/monitor as a browser has opened it, and what it draws."""

from tests.browser import Browser, Page
from tests.online.stack import Stack

PARTS = ("parse", "candidates", "rules", "transfer", "queue", "features", "encode", "score", "serialize")
LEVELS = ("full", "fast", "precomputed", "popular")
QUANTILES = ("p50", "p95", "p99")


def opened(browser: Browser, stack: Stack, width: int = 1280, theme: str = "light") -> Page:
    page = browser.page()
    page.size(width, 900)
    page.prefer(theme)
    page.open(f"http://127.0.0.1:{stack.port}/monitor")
    page.until("document.body?.dataset.state === 'live'", "the page is live")
    return page
