from collections.abc import Callable

import pytest
from anyreports import RATES
from drawn_reports import drawn_week
from example_reports import CHECKOUT_OPEN, EXAMPLES, FOUR, WEEK, full_week
from markdown_it import MarkdownIt

from vpemetrics.reports import words
from vpemetrics.reports.markdown import plain, render

READER = MarkdownIt("commonmark").enable("table")
STRANGE = "<b>x</b> | `c` *s* [l](http://x) _u_ $1$ #1 ~z~ \\ {k}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_reads_as_its_golden_file(
    name: str, same_as_golden: Callable[[str, bytes], None]
) -> None:
    same_as_golden(f"markdown/{name}.md", render(EXAMPLES[name]()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_row_of_a_table_has_as_many_cells_as_its_heading(name: str) -> None:
    tokens = READER.parse(render(EXAMPLES[name]()).decode())

    counts: list[int] = []
    for token in tokens:
        if token.type == "table_open":
            counts = []
        if token.type == "tr_open":
            counts.append(0)
        if token.type in ("th_open", "td_open"):
            counts[-1] += 1
        if token.type == "table_close":
            assert len(set(counts)) == 1


@pytest.mark.parametrize("text", [STRANGE, "1. one", "- a", "+ b", "2) c", "<script>", "|a|b|"])
def test_whatever_a_text_holds_is_read_as_it_stands(text: str) -> None:
    (inline,) = (token for token in READER.parse(plain(text)) if token.type == "inline")

    read = "".join(child.content for child in inline.children or [])
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    assert read == text


def test_names_are_no_markup() -> None:
    failure = CHECKOUT_OPEN.model_copy(update={"service": "a|b", "incidents": ("<i>",)})
    report = full_week().model_copy(update={"organisation": STRANGE, "failures": (failure,)})

    page = READER.render(render(report).decode())

    assert "<b>" not in page
    assert "<td>a|b</td>" in page
    assert "&lt;i&gt;" in page


def test_every_share_is_the_one_of_the_figures() -> None:
    report = drawn_week()
    text = render(report).decode()

    for window in (WEEK, FOUR):
        for metric in ("share_within_24h", *RATES):
            figure = report.figure(metric, window)
            assert figure is not None
            assert words.ratio(figure.k or 0, figure.n or 0) in text
