"""Deployments per week with the limits of usual variation (rule L1)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from vpemetrics.metrics.charts import Baseline, Chart, ChartKind, Point, Side, Signal, Word
from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import columns, words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BAND, BAR, BETTER, CONCERN, INK, QUIET, USUAL
from vpemetrics.reports.model import Remark, Report
from vpemetrics.reports.signal_words import range_of, signal_reason

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas, Panel

NAME = "deployments"
METRIC = "deployment_frequency"
SUBTITLE = "Deployments to production per week"
_HALF_A_WEEK = 3.5
_COLORS = {Word.BETTER: BETTER, Word.WORSE: CONCERN, Word.USUAL: USUAL}
_MARKERS = {Side.ABOVE: "^", Side.BELOW: "v"}


def picture(report: Report) -> ChartPicture:
    """Weekly counts, their limits, signals, and what was not collected."""
    start, end = series.chart_span(report)
    chart = series.chart(report, METRIC, ChartKind.XMR)
    whole = chart.points if chart else map(_point, series.weeks(report, METRIC))
    points = [point for point in whole if start <= point.start < end]
    remarks = _remarks(report, start, end)
    facts = [*_facts(chart, start, end), *_mark_notes(points, chart), *_remark_texts(remarks)]
    footnote = series.small_print(report, [METRIC], *facts)
    known = [point for point in points if point.value is not None]
    if not known:
        return nothing(NAME, SUBTITLE, "No week was collected.", footnote)
    told = [*_finding(known, chart), *_gaps(points), *_remark_texts(remarks)]
    return ChartPicture(
        name=NAME,
        title=_title(report, known, chart),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=f"{SUBTITLE}, {series.dates(start, end)}: {'; '.join(told)}.",
        height=13,
        draw=lambda canvas: _draw(
            canvas, points, chart, (start, end), remarks, _labelled_point(report, known)
        ),
    )


def _point(week: Figure) -> Point:
    """A week of a report that has no chart with limits."""
    value = None if week.n is None else float(week.n)
    return Point(label=week.window.label, start=week.window.start, value=value, hollow=week.partial)


def _value(point: Point) -> str:
    return words.count(int(point.value or 0))


def _why(hollow: Point) -> str:
    return next(_why_hollow([hollow.quiet]))


def _labelled_point(report: Report, known: Sequence[Point]) -> Point:
    """The point that is written out: the week asked for, else the last whole one."""
    whole = [point for point in known if not point.hollow]
    return whole[-1] if whole and not words.is_week(report.window) else known[-1]


def _title(report: Report, known: Sequence[Point], chart: Chart | None) -> str:
    """The finding for the window; the usual of whole weeks is said of no week in part."""
    usual = range_of(chart.baseline) if chart and chart.baseline.judges else ""
    figure = report.figure(METRIC)
    if not words.is_week(report.window) and figure and figure.n is not None:
        partial = ", partial" if report.partial else ""
        said = f"{words.quantity(figure.n, 'deployment')} in {words.title(report.window)}{partial}"
        return f"{said}; {usual} a week are usual" if usual else said
    last = known[-1]
    week = last.label.partition("-")[2] or last.label
    said = f"{words.quantity(int(last.value or 0), 'deployment')} in {week}"
    if last.hollow:
        return f"{said}, {_why(last)}"
    return f"{said}; {usual} are usual" if usual else said


def _finding(known: Sequence[Point], chart: Chart | None) -> Iterator[str]:
    whole = [int(point.value or 0) for point in known if not point.hollow]
    if whole:
        yield f"{words.count(min(whole))} to {words.count(max(whole))} a week"
    part = f", {_why(known[-1])}" if known[-1].hollow else ""
    yield f"{known[-1].label} {_value(known[-1])}{part}"
    if chart is None or not chart.baseline.limited:
        return
    if not chart.baseline.judges:
        yield f"trial limits {range_of(chart.baseline)}, too few weeks yet for signals"
        return
    yield f"usual range {range_of(chart.baseline)}"
    inside = [signal for signal in chart.signals if signal.start >= known[0].start]
    if not inside:
        yield "no signal"
    for word, some in groupby(inside, key=lambda signal: signal.word):
        yield f"{word} in {', '.join(dict.fromkeys(signal.label for signal in some))}"


def _remarks(report: Report, start: date, end: date) -> list[Remark]:
    """Events and declared steps that the chart is to show."""
    return [
        remark
        for remark in report.remarks
        if remark.metric in (None, METRIC) and start <= remark.on < end
    ]


def _remark_texts(remarks: Sequence[Remark]) -> Iterator[str]:
    for number, remark in enumerate(remarks, 1):
        yield f"{number}: {columns.plain(remark.what)} ({words.day(remark.on)})"


def _gaps(points: Sequence[Point]) -> Iterator[str]:
    missing = sum(point.value is None for point in points)
    if missing:
        yield f"{words.quantity(missing, 'week')} not collected"


def _facts(chart: Chart | None, start: date, end: date) -> Iterator[str]:
    yield f"{(end - start).days // 7} weeks, {series.dates(start, end)}"
    if chart is None or not chart.baseline.limited:
        return
    by = chart.baseline
    kind = "Limits" if by.complete else "Trial limits"
    yield f"{kind}: mean ± 2.66 mean moving ranges of {by.points} weeks from {by.first}"


def _mark_notes(points: Sequence[Point], chart: Chart | None) -> Iterator[str]:
    """Say what hollow marks mean, and why the words stand where they do."""
    hollow = [point.quiet for point in points if point.hollow and point.value is not None]
    if hollow:
        yield f"Hollow: {' or '.join(_why_hollow(hollow))}"
    if chart and points:
        for signal in _last_words(chart, points):
            said = signal_reason(chart, signal)
            yield said[:1].upper() + said[1:]


def _why_hollow(quiet: Collection[bool]) -> Iterator[str]:
    if not all(quiet):
        yield "not collected whole"
    if any(quiet):
        yield "declared quiet"


def _last_words(chart: Chart, points: Sequence[Point]) -> list[Signal]:
    """The last signal of each word, which carries it."""
    inside = [signal for signal in chart.signals if signal.start >= points[0].start]
    last = {signal.word: signal for signal in inside}
    return [last[word] for word in (Word.WORSE, Word.BETTER) if word in last]


def _draw(
    canvas: "Canvas",
    points: Sequence[Point],
    chart: Chart | None,
    dates: tuple[date, date],
    remarks: Sequence[Remark],
    told: Point,
) -> None:
    start, end = dates
    limits = [by.high for by in chart.baselines if by.high is not None] if chart else []
    scale = series.round_scale(max([*(point.value or 0 for point in points), *limits]))
    digits = len(words.number(scale[-1]))
    panel = canvas.panel(
        x=(start.toordinal(), end.toordinal()),
        y=(0, scale[-1]),
        top=2.4,
        right=1 + 0.7 * digits,
        left=1 + 0.6 * digits,
    )
    for by in chart.baselines if chart else ():
        _draw_limits(panel, by, _until(by, chart, end), start)
    panel.scale([(value, words.number(value)) for value in scale])
    panel.months()
    _draw_gaps(panel, points)
    for number, remark in enumerate(remarks, 1):
        at = remark.on.toordinal()
        panel.line((at, at), panel.y, color=BAR, width=0.1)
        panel.text(at, panel.y[1], str(number), dy=1.2, size=0.85, bold=True)
    xs = [_x(point) for point in points]
    panel.line(xs, [*_line_values(points, told)], color=USUAL)
    _draw_points(panel, points, chart)
    panel.text(
        _x(told), told.value or 0, _value(told), dx=0.5, dy=-0.35, ha="left", bold=True, color=INK
    )


def _line_values(points: Sequence[Point], told: Point) -> Iterator[float | None]:
    """The values that a line goes through; it does not fall to a week of which hours are known."""
    before = False
    for point in points:
        cut = point.hollow and not before
        yield None if point.start > told.start or (cut and point is points[-1]) else point.value
        before = point.hollow


def _x(point: Point) -> float:
    return point.start.toordinal() + _HALF_A_WEEK


def _until(by: Baseline, chart: Chart | None, end: date) -> date:
    """The end of what a baseline judges: where the next one begins to."""
    begins = (baseline.applies_from for baseline in (chart.baselines if chart else ()))
    return min((later for later in begins if later > by.applies_from), default=end)


def _draw_limits(panel: "Panel", by: Baseline, until: date, start: date) -> None:
    since = max(by.applies_from, start)
    if by.high is None or by.center is None or until <= since:
        return
    x0, x1 = since.toordinal(), until.toordinal()
    low = by.low or 0.0
    panel.box(x0, x1, low, by.high, BAND)
    for value in (low, by.high):
        panel.line((x0, x1), (value, value), color=USUAL, width=0.07, dashed=not by.complete)
    panel.line((x0, x1), (by.center, by.center), color=USUAL, width=0.07)


def _draw_gaps(panel: "Panel", points: Sequence[Point]) -> None:
    spans = list(_missing(points))
    for edge in {edge for span in spans for edge in span}:
        panel.line((edge, edge), panel.y, color=USUAL, width=0.07, dashed=True)
    if spans:
        longest = max(spans, key=lambda span: span[1] - span[0])
        middle = min(max(sum(longest) / 2, panel.x[0] + 28), panel.x[1] - 28)
        panel.text(middle, panel.y[1], "not collected", dy=0.3, size=0.85, color=QUIET)


def _missing(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """From where to where nothing was collected, weeks in a row as one."""
    for gap, some in groupby(points, key=lambda point: point.value is None):
        if gap:
            starts = [point.start.toordinal() for point in some]
            yield starts[0], starts[-1] + 7


def _draw_points(panel: "Panel", points: Sequence[Point], chart: Chart | None) -> None:
    words_of = {signal.start: signal for signal in chart.signals} if chart else {}
    known = [point for point in points if point.value is not None]
    for point in known:
        signal, at = words_of.get(point.start), ([_x(point)], [point.value or 0.0])
        if signal is None:
            panel.dots(*at, color=USUAL, hollow=point.hollow or point.provisional)
            continue
        panel.dots(*at, color=_COLORS[signal.word], marker=_MARKERS[signal.side], size=0.75)
    for signal in _last_words(chart, points) if chart else ():
        _draw_word(panel, signal, known)


def _draw_word(panel: "Panel", signal: Signal, known: Sequence[Point]) -> None:
    """The word of a signal, clear of the points around it."""
    near = [point.value or 0.0 for point in known if abs((point.start - signal.start).days) <= 14]
    x = signal.start.toordinal() + _HALF_A_WEEK
    if signal.side is Side.ABOVE:
        panel.text(x, max(near), signal.word, dy=0.8, size=0.9, bold=True)
    else:
        panel.text(x, min(near), signal.word, dy=-1.4, size=0.9, bold=True)
