"""Deployments that went well between two failures, for failures that are rare (rule L1)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vpemetrics.metrics.charts import Chart, ChartKind, Point
from vpemetrics.reports import words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BETTER, CONCERN, INK, QUIET, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas, Panel

NAME = "between_failures"
METRIC = "change_fail_rate"
SUBTITLE = "Forward deployments that went well between one failed deployment and the next"
MOST = 40


def picture(report: Report) -> ChartPicture:
    """The last stretches between failures, the current one hollow (a g chart)."""
    chart = series.chart(report, METRIC, ChartKind.G)
    if chart is None:
        return nothing(NAME, SUBTITLE, _why_not(report), series.small_print(report, [METRIC]))
    points = chart.points[-MOST:]
    footnote = series.small_print(report, [METRIC], *_facts(chart, points))
    if not any(point.value is not None for point in points):
        return nothing(NAME, SUBTITLE, "No failure is known.", footnote)
    return ChartPicture(
        name=NAME,
        title=_title(points[-1], chart),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=_alt(points, chart),
        height=15,
        draw=lambda canvas: _draw(canvas, points, chart),
    )


def _why_not(report: Report) -> str:
    if report.incidents is None:
        return "No incident source."
    weekly = series.chart(report, METRIC, ChartKind.XMR)
    if weekly and weekly.baseline.limited:
        return "Failures are not that rare here: see failures_and_rework."
    return "No failure is known."


def _title(current: Point, chart: Chart) -> str:
    center = chart.baseline.center
    usual = f"; the median is {words.number(center)}" if center is not None else ""
    return f"{_well(current)} since the last failure{usual}"


def _well(point: Point) -> str:
    if point.value is None:
        return "An unknown number went well"
    return f"{words.quantity(int(point.value), 'deployment')} went well"


def _alt(points: Sequence[Point], chart: Chart) -> str:
    stretches = ", ".join(
        words.count(int(point.value)) if point.value is not None else "unknown" for point in points
    )
    signals = (
        ", ".join(f"{signal.word} on {signal.label}" for signal in chart.signals) or "no signal"
    )
    return f"{SUBTITLE}: {stretches}; the last is still running; {signals}."


def _facts(chart: Chart, points: Sequence[Point]) -> Iterator[str]:
    yield f"The last {len(points)} stretches; diamond: still running; hollow: provisional"
    by = chart.baseline
    if by.high is not None:
        yield f"Limit: mean + 3√(mean(mean + 1)) of {by.points} stretches"


def _draw(canvas: "Canvas", points: Sequence[Point], chart: Chart) -> None:
    by = chart.baseline
    highest = max([*(point.value or 0 for point in points), by.high or 0, 1])
    scale = series.round_scale(highest)
    panel = canvas.panel(x=(-0.5, max(len(points), 8) - 0.5), y=(0, scale[-1]), right=4.0)
    panel.scale([(value, words.number(value)) for value in scale])
    if by.center is not None:
        panel.line(panel.x, (by.center, by.center), color=USUAL, width=0.1)
        panel.text(panel.x[1], by.center, "median", dx=0.2, dy=-0.3, size=0.85, color=QUIET,
                   ha="left")  # fmt: skip
    if by.high is not None:
        panel.line(panel.x, (by.high, by.high), color=USUAL, width=0.1, dashed=True)
        panel.text(panel.x[1], by.high, "limit", dx=0.2, dy=-0.3, size=0.85, color=QUIET, ha="left")
    panel.line(range(len(points)), [point.value for point in points], color=USUAL)
    _draw_points(panel, points, chart)
    _draw_dates(panel, points)


def _draw_points(panel: "Panel", points: Sequence[Point], chart: Chart) -> None:
    signals = {(signal.start, signal.value): signal for signal in chart.signals}
    for at, point in enumerate(points):
        if point.value is None:
            continue
        signal = signals.get((point.start, point.value))
        hollow = point.hollow or point.provisional
        if signal is None:
            running = point is points[-1]
            color, marker = (INK, "D") if running else (USUAL, "o")
            panel.dots([at], [point.value], color=color, marker=marker, hollow=hollow)
            continue
        good = signal.word == "better"
        panel.dots([at], [point.value], color=BETTER if good else CONCERN, marker="^", size=0.75)
        panel.text(at, point.value, signal.word, dy=0.7, size=0.9, bold=True)


def _draw_dates(panel: "Panel", points: Sequence[Point]) -> None:
    every = -(-len(points) // 6)
    for at, point in enumerate(points):
        if at % every == 0:
            panel.text(at, 0, words.day(point.start), dy=-1.3, size=0.9, color=QUIET)
