"""Lead time in blocks of four weeks, and the share in production within a day (rule L1).

A week's median says next to nothing at real volumes, so weeks are dots and get no words.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import cells, words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BAR, GRID, INK, QUIET, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas, Panel

NAME = "lead_time"
METRIC, SHARE = "change_lead_time", "share_within_24h"
SUBTITLE = "Median lead time in blocks of 4 weeks, with 95% intervals; below, share within 24 h"
_LEFT = 3.2
_HALF_A_TEXT = 9
"""Days that half the text of a median takes."""


def picture(report: Report) -> ChartPicture:
    """Medians with intervals and n, weekly medians as dots, and shares within a day."""
    medians, shares = series.blocks(report, METRIC), series.blocks(report, SHARE)
    weeks = [week for week in series.weeks(report, METRIC) if _inside(week, medians)]
    footnote = series.small_print(report, [METRIC], *_facts(medians, weeks))
    if not any(block.n for block in medians):
        return nothing(NAME, SUBTITLE, "No change was shipped in these weeks.", footnote)
    return ChartPicture(
        name=NAME,
        title=_title(report, medians),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=_alt(medians, shares),
        height=19,
        draw=lambda canvas: _draw(canvas, medians, shares, weeks),
    )


def _inside(week: Figure, blocks: Sequence[Figure]) -> bool:
    return bool(blocks) and week.window.start >= blocks[0].window.start


def _title(report: Report, medians: Sequence[Figure]) -> str:
    """The median of the last block, or of the last whole one where that has none, being cut."""
    last, whole = medians[-1], [block for block in medians if not block.partial]
    if last.value is None and last.partial and whole:
        last = whole[-1]
    if last.value is None:
        return f"Too few changes for a median: {words.count(last.n or 0)} in 4 weeks"
    taken = f"{words.duration(last.value)} {cells.cell(last).interval}".rstrip()
    return f"Half of all changes take at most {taken}{series.block_dates(report, last)}"


def _alt(medians: Sequence[Figure], shares: Sequence[Figure]) -> str:
    blocks = "; ".join(_block_in_words(block) for block in medians)
    within = "; ".join(f"{words.dates(share.window)} {_share(share)}" for share in shares)
    return f"Median lead time by 4 weeks: {blocks}. In production within 24 h: {within}."


def _block_in_words(block: Figure) -> str:
    said = cells.cell(block)
    parts = (said.value, said.interval, said.base, said.text, _in_part(block))
    return f"{words.dates(block.window)} {' '.join(part for part in parts if part)}"


def _in_part(block: Figure) -> str:
    return "(not collected whole)" if block.partial else ""


def _facts(medians: Sequence[Figure], weeks: Sequence[Figure]) -> Iterator[str]:
    if not medians:
        return
    start, end = medians[0].window.start, medians[-1].window.end
    yield f"{words.quantity(len(medians), 'block')} of 4 weeks, {series.dates(start, end)}"
    if any(week.value is not None for week in weeks):
        yield "Dots are medians of single weeks with 6 changes or more"


def _draw(
    canvas: "Canvas", medians: Sequence[Figure], shares: Sequence[Figure], weeks: Sequence[Figure]
) -> None:
    _draw_medians(canvas, medians, weeks)
    _draw_shares(canvas, shares)


def _draw_medians(canvas: "Canvas", medians: Sequence[Figure], weeks: Sequence[Figure]) -> None:
    dots = [week for week in weeks if week.value is not None]
    edges, marks = series.log_scale(_durations([*medians, *dots]))
    panel = canvas.panel(
        x=series.span(medians), y=edges, rows=(0, 0.66), top=0.8, bottom=1.9, left=_LEFT
    )
    for block in medians:
        _draw_interval(panel, block)
    panel.scale(marks, zero=None)
    panel.dots(
        [_middle(week) for week in dots],
        [series.log_position(week.value or 0) for week in dots],
        color=USUAL,
        size=0.28,
    )
    for block in medians:
        _draw_median(panel, block, dots)


def _durations(figures: Sequence[Figure]) -> list[float]:
    limits = [f.interval.low for f in figures if f.interval]
    limits += [f.interval.high for f in figures if f.interval]
    values = [f.value for f in figures]
    listed = [value for f in figures for value in f.values]
    return [seconds for seconds in (*limits, *values, *listed) if seconds is not None] or [
        series.DAY
    ]


def _middle(figure: Figure) -> float:
    return sum(series.ordinals(figure.window)) / 2


def _inner(block: Figure) -> tuple[float, float]:
    """The block's dates, a little less at both ends so that neighbours do not touch."""
    start, end = series.ordinals(block.window)
    return start + 1.2, end - 1.2


def _draw_interval(panel: "Panel", block: Figure) -> None:
    if block.interval is None:
        return
    low, high = block.interval.low, block.interval.high
    bottom = panel.y[0] if low is None else series.log_position(low)
    top = panel.y[1] if high is None else series.log_position(high)
    panel.box(*_inner(block), bottom, top, GRID)


def _draw_median(panel: "Panel", block: Figure, dots: Sequence[Figure]) -> None:
    x, at = _inner(block), _middle(block)
    if block.value is not None:
        y = series.log_position(block.value)
        panel.line(x, (y, y), color=INK, width=0.24)
        top = block.interval.high if block.interval and block.interval.high else block.value
        above = _clear(panel, at, series.log_position(top), dots)
        panel.text(at, above, words.duration(block.value), dy=0.35, bold=True)
    for value in block.values:
        panel.dots([at], [series.log_position(value)], color=INK, size=0.4, hollow=block.partial)
    n = f"n={words.count(block.n)}" if block.n is not None else words.NO_DATA
    panel.text(at, panel.y[0], n, dy=-1.1, size=0.85, color=QUIET)
    if block.partial:
        panel.text(at, panel.y[0], "not whole", dy=0.1, size=0.85, color=QUIET)


def _clear(panel: "Panel", at: float, above: float, dots: Sequence[Figure]) -> float:
    """Above what a text has to stand, so that it covers none of the dots around it."""
    near = [
        series.log_position(dot.value or 0) for dot in dots if abs(_middle(dot) - at) < _HALF_A_TEXT
    ]
    for dot in sorted(near):
        if above - panel.height_of(0.1) <= dot <= above + panel.height_of(1.3):
            above = dot
    return above


def _draw_shares(canvas: "Canvas", shares: Sequence[Figure]) -> None:
    panel = canvas.panel(
        x=series.span(shares), y=(0, 1), rows=(0.66, 1), top=1.6, bottom=2.7, left=_LEFT
    )
    panel.text(panel.x[0], 1, "Within 24 h", dx=-_LEFT, dy=0.7, size=0.9, color=QUIET, ha="left")
    panel.scale([(0, "0"), (1, "100%")])
    panel.months()
    for share in shares:
        if share.value is not None:
            panel.box(*_inner(share), 0, share.value, BAR)
            panel.text(_middle(share), share.value, _share(share), dy=0.25, size=0.9)


def _share(share: Figure) -> str:
    """`53%`, `2/13` where there are too few, `–` of none and of what was not collected whole."""
    if share.value is None or not share.n or share.k is None:
        return words.NO_VALUE
    return words.percentage_of(share.k, share.n) or words.ratio(share.k, share.n)
