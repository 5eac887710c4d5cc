"""/monitor for every reader: by light and in the dark, on a phone, by keyboard."""

import pytest

from tests.online.gateway.opened_page import LEVELS, PARTS, QUANTILES, opened

TAB, ENTER, RIGHT = ("Tab", 9, ""), ("Enter", 13, "\r"), ("ArrowRight", 39, "")

FOCUSED = """(() => { const at = document.activeElement, drawn = at.type === "radio" ? at.nextElementSibling : at;
  return [at.id || at.className || at.name || at.getAttribute("href") || at.tagName.toLowerCase(),
          getComputedStyle(drawn).outlineStyle]; })()"""
# How many pixels of a chart have a colour of the theme.
PIXELS = """((id, name) => {
  const canvas = document.querySelector(`#${id} canvas`), wanted = getComputedStyle(document.documentElement)
    .getPropertyValue(name).trim().match(/[0-9a-f]{2}/g).map((pair) => parseInt(pair, 16));
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) found += wanted.every((value, j) => data[i + j] === value);
  return found; })"""
# The widest texts that the tables are made for, in their cells; a page that is paused leaves them there.
WIDEST = """document.getElementById("pause").click();
  for (const [cells, text] of [["td[data-figure='bottleneck.stage']", "candidates"], ["td[data-as=ms]", "99.99"],
    ["td:is([data-as=share], [data-as=percent])", "100.0 %"], ["#objectives td:last-child", "UNKNOWN"]])
    for (const cell of document.querySelectorAll(cells)) cell.textContent = text;"""
# Cells whose text is wider than they are, or that leave their table.
TOO_WIDE = """[...document.querySelectorAll(".pair :is(th, td)")].filter((cell) => cell.scrollWidth > cell.clientWidth
    || cell.getBoundingClientRect().right > cell.closest("table").getBoundingClientRect().right + 0.5)
  .map((cell) => [cell.closest("table").className, cell.textContent, cell.scrollWidth, cell.clientWidth])"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(browser, stack, theme) -> None:
    page = opened(browser, stack, theme=theme)
    names = ["panel", "page", "window", "text", "quiet", "accent", "good", "warn", "bad"]
    marks = [f"part-{part}" for part in PARTS] + [f"level-{level}" for level in LEVELS]
    marks += [f"quantile-{quantile}" for quantile in QUANTILES]
    colour = {
        name: page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
        for name in [*names, *marks]
    }

    assert (luminance(colour["page"]) < 0.1) == (theme == "dark")
    for ground in ("panel", "page"):
        for name in ("text", "quiet", "accent", "good", "warn", "bad"):
            assert contrast(colour[name], colour[ground]) >= 4.5, (name, ground)
    assert contrast(colour["accent"], colour["window"]) >= 4.5
    for name in marks:
        for ground in ("panel", "window"):
            assert contrast(colour[name], colour[ground]) >= 3, (name, ground)
    page.until(f"{PIXELS}('levels', '--level-full') > 20", "the chart is drawn in the colours of the theme")


def test_a_theme_that_changes_is_followed(browser, stack) -> None:
    page = opened(browser, stack, theme="light")
    page.prefer("dark")

    page.until(f"{PIXELS}('levels', '--level-full') > 20", "the chart is drawn anew")


def test_a_phone_needs_no_sideways_scrolling(browser, stack) -> None:
    page = opened(browser, stack, width=360)
    page.evaluate("document.querySelector('summary').click()")
    page.until("document.querySelectorAll('#points tr').length > 0", "the table is there")

    assert page.evaluate("document.documentElement.scrollWidth") == 360
    beyond = """[...document.querySelectorAll("main *")].filter((one) => !one.closest(".scroll, .unseen, .u-wrap"))
      .filter((one) => one.getBoundingClientRect().right > 360).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond) == []


@pytest.mark.parametrize("width", [320, 368, 369, 390, 544, 768, 1088, 1089, 1200])
def test_no_text_of_a_table_runs_into_the_next(browser, stack, width) -> None:
    page = opened(browser, stack, width=width)
    assert page.evaluate("document.querySelectorAll('#objectives tr').length") > 0
    page.evaluate(WIDEST)

    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_keyboard_reaches_everything_and_sees_where_it_is(browser, stack) -> None:
    page = opened(browser, stack)
    seen = []
    for _ in range(5):
        page.press(*TAB)
        seen.append(page.evaluate(FOCUSED))

    assert [name for name, _ in seen] == ["skip", "window", "pause", "summary", "monitor.json"]
    assert all(outline == "solid" for _, outline in seen)


def test_a_keyboard_skips_to_the_figures_and_chooses_a_window(browser, stack) -> None:
    page = opened(browser, stack)
    page.press(*TAB)
    page.press(*ENTER)
    assert page.evaluate(FOCUSED)[0] == "figures"

    page = opened(browser, stack)
    page.press(*TAB)
    page.press(*TAB)
    page.press(*RIGHT)
    assert page.evaluate("document.querySelector('[name=window]:checked').value") == "15m"


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, by WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
