"""Change fail rate and rework rate in blocks of four weeks, with Wilson intervals and k/n."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import cells, words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BAR, INK, QUIET
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas, Panel

NAME = "failures_and_rework"
FAILED, REWORK = "change_fail_rate", "deployment_rework_rate"
SUBTITLE = "Change fail rate and rework rate in blocks of 4 weeks, with 95% intervals"


def picture(report: Report) -> ChartPicture:
    """Both rates with their intervals; where n is too small for a percentage, k/n alone."""
    failed, rework = series.blocks(report, FAILED), series.blocks(report, REWORK)
    blocks = [*failed, *rework]
    footnote = series.small_print(report, [FAILED, REWORK], *_facts(failed, blocks))
    if not any(block.n for block in blocks):
        return nothing(NAME, SUBTITLE, "Nothing was deployed in these weeks.", footnote)
    return ChartPicture(
        name=NAME,
        title=_title(report, failed, rework),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=f"Change fail rate by 4 weeks: {_in_words(failed)}. Rework rate: {_in_words(rework)}.",
        height=24,
        draw=lambda canvas: _draw(canvas, failed, rework),
    )


def _title(report: Report, failed: Sequence[Figure], rework: Sequence[Figure]) -> str:
    unplanned = f"{_of(rework[-1])} were unplanned{series.block_dates(report, rework[-1])}"
    if failed[-1].note != words.NO_INCIDENT_SOURCE:
        return f"{_of(failed[-1])} forward deployments failed, {unplanned}"
    if failed[-1].k:
        return f"At least {_of(failed[-1])} forward deployments failed, {unplanned}"
    if rework[-1].k and rework[-1].note == words.NO_INCIDENT_SOURCE:
        unplanned = f"at least {_of(rework[-1])} deployments were unplanned"
        return f"No incident source tells of failures; {unplanned}"
    return "No incident source tells of failures and rework"


def _of(block: Figure) -> str:
    return f"{words.count(block.k or 0)} of {words.count(block.n or 0)}"


def _in_words(blocks: Sequence[Figure]) -> str:
    return "; ".join(_block_in_words(block) for block in blocks)


def _block_in_words(block: Figure) -> str:
    if block.partial:
        ratio = words.ratio(block.k or 0, block.n or 0)
        return f"{words.dates(block.window)} {ratio} (not collected whole)"
    said = cells.cell(block)
    parts = (said.text, said.value, said.interval, said.base)
    return f"{words.dates(block.window)} {' '.join(part for part in parts if part)}"


def _facts(failed: Sequence[Figure], blocks: Sequence[Figure]) -> Iterator[str]:
    if not failed:
        return
    start, end = failed[0].window.start, failed[-1].window.end
    yield f"{words.quantity(len(failed), 'block')} of 4 weeks, {series.dates(start, end)}"
    yield "Wilson intervals"
    if any(block.provisional or block.partial for block in blocks):
        yield "Hollow: provisional (p), may still rise, or not collected whole"


def _draw(canvas: "Canvas", failed: Sequence[Figure], rework: Sequence[Figure]) -> None:
    highest = max(map(_top, (*failed, *rework)))
    scale = series.round_scale(min(highest, 1.0), whole=False)
    _draw_rate(canvas, "Change fail rate", failed, scale, (0, 0.48))
    _draw_rate(canvas, "Rework rate", rework, scale, (0.48, 1), months=True)


def _top(block: Figure) -> float:
    """The highest value that is drawn of a block."""
    if not _is_drawn(block):
        return 0.0
    limit = block.interval.high if block.interval else None
    return limit if limit is not None else block.value or 0.0


def _is_drawn(block: Figure) -> bool:
    enough = (block.n or 0) >= words.ENOUGH_FOR_A_PERCENTAGE
    return block.value is not None and enough and block.note != words.NO_INCIDENT_SOURCE


def _draw_rate(
    canvas: "Canvas",
    title: str,
    blocks: Sequence[Figure],
    scale: Sequence[float],
    rows: tuple[float, float],
    *,
    months: bool = False,
) -> None:
    panel = canvas.panel(
        x=series.span(blocks), y=(0, scale[-1]), rows=rows, top=2.0, left=3.4,
        bottom=4.0 if months else 1.4,
    )  # fmt: skip
    panel.text(panel.x[0], scale[-1], title, dx=-3.4, dy=0.8, bold=True, ha="left")
    drawn = any(map(_is_drawn, blocks))
    marks = scale if drawn else scale[:1]
    panel.scale([(value, words.percent(value, _places(scale))) for value in marks])
    if not drawn:
        middle = sum(panel.x) / 2, scale[-1] / 2
        panel.text(*middle, _why_not(blocks), size=0.95, color=QUIET)
    for block in blocks:
        _draw_block(panel, block)
    if months:
        panel.months(below=1.2)


def _why_not(blocks: Sequence[Figure]) -> str:
    if any(block.note == words.NO_INCIDENT_SOURCE for block in blocks):
        return f"no percentage: {words.NO_INCIDENT_SOURCE}"
    return f"no percentage: fewer than {words.ENOUGH_FOR_A_PERCENTAGE} deployments in each"


def _places(scale: Sequence[float]) -> int:
    return 0 if all(round(value * 100, 6).is_integer() for value in scale) else 1


def _draw_block(panel: "Panel", block: Figure) -> None:
    at = sum(series.ordinals(block.window)) / 2
    if block.n:
        text = words.ratio(block.k or 0, block.n)
        if block.note == words.NO_INCIDENT_SOURCE:
            text = f"≥ {text}"
        if block.provisional:
            text += " p"
        panel.text(at, 0, text, dy=-1.15, size=0.85, color=QUIET)
    if block.partial:
        panel.text(at, 0, "not whole", dy=0.4, size=0.85, color=QUIET)
    if not _is_drawn(block) or block.value is None:
        return
    if block.interval:
        low, high = block.interval.low or 0.0, block.interval.high
        top = panel.y[1] if high is None else high
        panel.line((at, at), (low, top), color=BAR, width=0.55)
    hollow = block.provisional or block.partial
    panel.dots([at], [block.value], color=INK, size=0.62, hollow=hollow)
    share = words.percentage_of(block.k or 0, block.n or 0) or ""
    on_the_line = block.value < panel.height_of(0.6)
    dy = 0.25 if on_the_line else -0.35
    panel.text(at, block.value, share, dx=0.6, dy=dy, size=0.95, ha="left", bold=True)
