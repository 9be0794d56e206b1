"""Parts of a report for charts: weeks, blocks, spans of dates, round scales, the small print."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from math import floor, log10
from typing import Final

from vpemetrics.metrics.charts import Chart, ChartKind
from vpemetrics.metrics.figures import Figure, WindowRef
from vpemetrics.reports import columns, words
from vpemetrics.reports.model import Report

BLOCK_DAYS: Final = 28
WEEKS_DRAWN: Final = 26


def weeks(report: Report, metric: str) -> list[Figure]:
    """The weekly figures of a metric for the report's scope, in order."""
    return _in_order(figure for figure in _own(report, metric) if words.is_week(figure.window))


def blocks(report: Report, metric: str) -> list[Figure]:
    """A metric's figures over the blocks of four weeks, in order."""
    found = _in_order(
        figure
        for figure in _own(report, metric)
        if (figure.window.end - figure.window.start).days == BLOCK_DAYS
        and figure.window.start.weekday() == 0
    )
    if not found:
        return []
    last = found[-1].window.start
    return [block for block in found if (last - block.window.start).days % BLOCK_DAYS == 0]


def _own(report: Report, metric: str) -> Iterator[Figure]:
    for figure in report.figures:
        if figure.metric == metric and figure.scope == report.scope:
            yield figure


def _in_order(figures: Iterable[Figure]) -> list[Figure]:
    return sorted(figures, key=lambda figure: figure.window.start)


def chart(report: Report, metric: str, kind: ChartKind) -> Chart | None:
    """The chart with limits of one of the scope's metrics, where the report has it."""
    for found in report.charts:
        if (found.metric, found.kind, found.scope) == (metric, kind, report.scope):
            return found
    return None


def chart_span(report: Report) -> tuple[date, date]:
    """From where to where charts go: half a year to the end of the window, or all of a longer one.

    It begins on a Monday.
    """
    start = min(report.window.start, report.window.end - timedelta(weeks=WEEKS_DRAWN))
    return start - timedelta(days=start.weekday()), report.window.end


def block_dates(report: Report, block: Figure) -> str:
    """`, 10 Aug–6 Sep` of a block that is no window of the report's table; else nothing."""
    if block.window in (report.window, report.headline):
        return ""
    return f", {words.dates(block.window)}"


def ordinals(window: WindowRef) -> tuple[int, int]:
    """The begin and end of a window on an axis of dates."""
    return window.start.toordinal(), window.end.toordinal()


def span(figures: Sequence[Figure]) -> tuple[float, float]:
    """The begin and end of some windows in a row on an axis of dates."""
    return figures[0].window.start.toordinal(), figures[-1].window.end.toordinal()


# --- words --------------------------------------------------------------------------------------


def subject_of(report: Report) -> str:
    """The name of what a chart is about, as in `Acme engineering, service checkout`."""
    organisation = columns.cut(columns.plain(report.organisation), 40)
    if report.scope.kind == "organisation":
        return organisation
    return (
        f"{organisation}, {report.scope.kind} {columns.cut(columns.plain(report.scope.name), 40)}"
    )


def small_print(report: Report, metrics: Sequence[str], *facts: str) -> str:
    """Definitions, facts such as n and window, and the source, as sentences."""
    source = f"Source: {subject_of(report)}"
    if report.data_as_of is not None:
        until = words.moment(report.data_as_of, report.zone, in_year=report.window.end.year)
        source += f", collected to {until}"
    told = [_definition(report, metric) for metric in metrics]
    return " ".join(f"{sentence}." for sentence in (*told, *facts, source) if sentence)


def _definition(report: Report, metric: str) -> str:
    figure = next(_own(report, metric), None)
    whole = report.definitions.get(figure.definition_id, "") if figure else ""
    if figure is None or not whole:
        return ""
    gist = columns.plain(whole).removesuffix(".").partition(";")[0]
    return f"{words.name(metric)}: {gist} ({figure.definition_id})"


def dates(start: date, end: date) -> str:
    """A span of dates in words, the end being out."""
    return words.dates(WindowRef(start=start, end=end, label=".."), year=True)


# --- scales -------------------------------------------------------------------------------------


def round_scale(highest: float, *, whole: bool = True, steps: int = 4) -> list[float]:
    """From 0 in at most so many equal round steps to at least the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(highest / steps))
    fitting = (power * n for n in (1, 2, 5, 10) if power * n * steps >= highest)
    step = max(next(fitting), 1.0 if whole else 0.0)
    return [round(step * n, 10) for n in range(int(-(-highest // step)) + 1)]


MINUTE, HOUR, DAY = 60, 3600, 86400

_MARKS: Final = (
    (MINUTE, "1 min"),
    (10 * MINUTE, "10 min"),
    (HOUR, "1 h"),
    (DAY, "1 d"),
    (7 * DAY, "1 wk"),
    (30 * DAY, "1 mo"),
    (180 * DAY, "6 mo"),
)
_BETWEEN: Final = (
    *((n, f"{n} s") for n in (1, 3, 10, 30)),
    *((n * MINUTE, f"{n} min") for n in (3, 30)),
    *((n * HOUR, f"{n} h") for n in (2, 4, 8, 16)),
    *((n * DAY, f"{n} d") for n in (2, 4)),
    *((7 * n * DAY, f"{n} wk") for n in (2,)),
    *((30 * n * DAY, f"{n} mo") for n in (2, 12, 36)),
)


def log_scale(seconds: Sequence[float]) -> tuple[tuple[float, float], list[tuple[float, str]]]:
    """The edges of an axis of logarithms that holds some durations, and its marks.

    Hours, days, weeks and months where three of those fall into it, else what is between them too.
    """
    shown = [log_position(duration) for duration in seconds]
    low, high = min(shown) - 0.08, max(shown) + 0.08
    if high - low < 0.7:
        low, high = low - 0.35, high + 0.35
    marks = [(log_position(at), name) for at, name in _MARKS if low <= log_position(at) <= high]
    if len(marks) < 3:
        marks += [
            (log_position(at), name) for at, name in _BETWEEN if low <= log_position(at) <= high
        ]
    return (low, high), sorted(marks)


def log_position(seconds: float) -> float:
    """The place of a duration on an axis of logarithms; a second is the least."""
    return log10(max(seconds, 1.0))
