"""The page says what the report says, asks for nothing, and takes names for nothing but names."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from anyreports import RATES, reports
from drawn_reports import drawn_week, hardly_anything, history
from example_reports import (
    CHECKOUT_OPEN,
    FOUR,
    WEEK,
    empty_store,
    long_names,
    no_incident_source,
    quarter_of_a_service,
    quiet_week,
)
from hypothesis import given
from tiers import law

from vpemetrics.metrics.charts import ChartKind, Side
from vpemetrics.reports import jsonreport, words
from vpemetrics.reports.charts import palette
from vpemetrics.reports.model import NewLevel, Problem, Report
from vpemetrics.reports.page import IN_THE_DARK, render

STRANGE = "<script>alert('x')</script> & \"quoted\" {{ 7 * 7 }}"
EXAMPLES = (
    drawn_week, hardly_anything, quiet_week, no_incident_source, empty_store, long_names,
    quarter_of_a_service,
)  # fmt: skip


class Page(HTMLParser):
    """A page as a reader meets it: its texts, tags and attributes."""

    def __init__(self, rendered: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(rendered.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.texts))


@pytest.mark.parametrize("made", EXAMPLES)
def test_the_page_is_well_formed_with_headings_in_order(made: Callable[[], Report]) -> None:
    page = Page(render(made()))

    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert page.open == []
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_reads_as_its_golden_file(same_as_golden: Callable[[str, bytes], None]) -> None:
    rendered = render(drawn_week())

    same_as_golden("html/drawn-week.html", rendered)
    assert rendered == render(drawn_week())


@pytest.mark.parametrize("made", EXAMPLES)
def test_the_page_asks_for_nothing(made: Callable[[], Report]) -> None:
    rendered = render(made())
    page = Page(rendered)

    asked = [
        value or ""
        for name, value in page.attributes
        if name in ("src", "srcset", "data", "xlink:href") or name == "href"
    ]
    assert all(one.startswith(("#", "data:,", "https://ci.example")) for one in asked)
    assert not {"script", "iframe", "object", "img", "form"} & set(page.tags)
    assert b"@import" not in rendered
    assert not re.search(rb"url\((?!#)", rendered)


def test_names_are_texts_and_nothing_else() -> None:
    failure = CHECKOUT_OPEN.model_copy(
        update={"service": STRANGE, "incidents": (STRANGE,), "url": "javascript:alert(1)"}
    )
    report = drawn_week().model_copy(
        update={
            "organisation": STRANGE,
            "summary": STRANGE,
            "failures": (failure,),
            "notes": (STRANGE,),
            "reliability": STRANGE,
            "history": history((STRANGE,)),
        }
    )

    page = Page(render(report))

    assert "script" not in page.tags
    assert STRANGE in page.text
    assert "49" not in page.text.partition("{{ 7 * 7 }}")[0][-3:]
    assert not any("javascript" in (value or "") for name, value in page.attributes if name != "d")


def test_an_address_of_the_web_is_linked() -> None:
    failure = CHECKOUT_OPEN.model_copy(update={"url": "https://ci.example/7?a=1&b=2"})

    page = Page(render(drawn_week().model_copy(update={"failures": (failure,)})))

    assert ("href", "https://ci.example/7?a=1&b=2") in page.attributes


def test_charts_are_said_in_words() -> None:
    page = Page(render(drawn_week()))

    labels = [value or "" for name, value in page.attributes if name == "aria-label"]
    assert page.tags.count("svg") == len(labels)
    assert any("better in 2026-W35" in label for label in labels)
    assert any("23 Aug" in label or "10 Aug" in label for label in labels)


def test_every_id_is_used_once() -> None:
    page = Page(render(drawn_week()))

    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_every_colour_of_the_charts_has_another_in_the_dark() -> None:
    colors = {value for name, value in vars(palette).items() if name.isupper()}

    assert set(IN_THE_DARK) == colors
    assert len(set(IN_THE_DARK.values())) == len(colors)


def test_a_run_that_goes_on_can_be_declared() -> None:
    level = NewLevel(
        metric="deployment_frequency", kind=ChartKind.XMR, side=Side.ABOVE,
        since=WEEK.start, points=9,
        center=41.5, step='[[step]]\nmetric = "deployment_frequency"',
    )  # fmt: skip
    rendered = render(drawn_week().model_copy(update={"new_levels": (level,)})).decode()

    assert "<pre>[[step]]\nmetric = &#34;deployment_frequency&#34;</pre>" in rendered


def test_the_open_failures_come_first() -> None:
    over = CHECKOUT_OPEN.model_copy(update={"open": False, "service": "search"})
    both = drawn_week().model_copy(update={"failures": (over, CHECKOUT_OPEN)})

    page = Page(render(both))

    rows = [text for text in page.texts if text in ("search", "checkout")]
    assert rows[:2] == ["checkout", "search"]


def test_suspected_failures_stand_apart_from_the_failed_deployments() -> None:
    suspected = [
        CHECKOUT_OPEN.model_copy(update={"service": name, "grade": "D", "open": False})
        for name in ("search", "cart", "depot", "shop")
    ]
    both = drawn_week().model_copy(update={"failures": (*suspected, CHECKOUT_OPEN)})

    page = Page(render(both)).text
    alone = Page(render(drawn_week().model_copy(update={"failures": (*suspected,)}))).text

    assert "more in 4 weeks" not in page
    assert "Suspected only: 4 deployments (search 4f2c9e1 of 6 Sep 11:10, cart" in page
    assert "depot 4f2c9e1 of 6 Sep 11:10, …)." in page
    assert "None confirmed." in alone


def test_no_figure_stands_under_the_heading_of_another_window() -> None:
    """On a phone every cell carries the heading of its column."""
    rendered = render(drawn_week()).decode()

    row = rendered.partition('"rowheader">over 13 weeks</th>')[2].partition("</tr>")[0]
    assert "[31 min–1.4 h]" in row
    assert "4 weeks" not in row


@pytest.mark.parametrize("made", EXAMPLES)
def test_every_column_has_a_heading(made: Callable[[], Report]) -> None:
    assert not re.search(r"<th [^>]*></th>", render(made()).decode())


def test_there_is_no_column_for_lines_that_nobody_drew() -> None:
    assert ">1 week</th>" not in render(long_names()).decode()
    assert ">26 weeks</th>" in render(drawn_week()).decode()


def test_the_lines_of_a_quarter_are_as_long_as_it_is() -> None:
    quarter = render(quarter_of_a_service()).decode()

    assert '"columnheader">15 weeks</th>' in quarter
    assert '<path d="M0.0 ' in quarter


def test_an_option_of_a_command_is_not_broken() -> None:
    problem = Problem(reason="not_covered", count=1, remedy="import with --covers FROM..TO & <b>")

    rendered = render(drawn_week().model_copy(update={"problems": (problem,)})).decode()

    said = "1 service not collected over the whole window → import with"
    assert f'{said} <span class="whole">--covers</span> FROM..TO &amp; &lt;b&gt;' in rendered


some = law(12, soak=500)


@some
@given(reports())
def test_every_share_and_median_shown_is_the_one_in_the_json(generated: Report) -> None:
    text = Page(render(generated)).text
    figures = jsonreport.read(jsonreport.render(generated))

    for window in (WEEK, FOUR):
        for metric in ("share_within_24h", *RATES):
            shown = figures.figure(metric, window)
            if shown is not None and shown.n:
                assert words.ratio(shown.k or 0, shown.n) in text
        lead = figures.figure("change_lead_time", window)
        if lead is not None and lead.value is not None and lead.note != words.NO_INCIDENT_SOURCE:
            assert words.duration(lead.value) in text
