"""The time each failed deployment took to be restored, on an axis of logarithms."""

from datetime import date
from typing import TYPE_CHECKING

from vpemetrics.metrics.figures import Figure
from vpemetrics.metrics.samples import Recovery
from vpemetrics.reports import cells, words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import CONCERN, INK, QUIET, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas

NAME = "recoveries"
METRIC = "failed_deployment_recovery_time"
SUBTITLE = "Time to restore each failed deployment"


def picture(report: Report) -> ChartPicture:
    """Failures that are over as dots, open ones as triangles; the median over 13 weeks."""
    history = report.history
    found = history.recoveries if history else ()
    start = history.since if history else report.window.start
    window = series.dates(start, report.window.end)
    middle = _median(report)
    late = middle is not None and middle.provisional
    footnote = series.small_print(
        report, [METRIC], f"n={words.count(len(found))} confirmed failures, {window}",
        "Triangles are still open, at their length so far",
        "The median is provisional: failures come to light late" if late else "",
    )  # fmt: skip
    if not found:
        source = report.incidents is not None
        why = "No failed deployment is known." if source else f"{words.NO_INCIDENT_SOURCE}."
        return nothing(NAME, SUBTITLE, why.capitalize(), footnote)
    return ChartPicture(
        name=NAME,
        title=_title(found, middle),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=_alt(found, middle, window),
        height=17,
        draw=lambda canvas: _draw(canvas, found, middle, start, report.window.end),
    )


def _median(report: Report) -> Figure | None:
    """Recovery over the longest window up to the report's end."""
    figures = [
        figure
        for figure in report.figures
        if (figure.metric, figure.scope) == (METRIC, report.scope)
        and figure.window.end == report.window.end
    ]
    return max(figures, key=lambda f: f.window.end - f.window.start, default=None)


def _still(found: tuple[Recovery, ...]) -> str:
    still = sum(recovery.open for recovery in found)
    return f"; {words.count(still)} still open" if still else ""


def _title(found: tuple[Recovery, ...], middle: Figure | None) -> str:
    if middle is None or middle.value is None:
        failures = words.quantity(len(found), "failed deployment")
        return f"{failures}{_still(found)}"
    said = cells.cell(middle)
    return f"Half are restored within {said.value} {said.interval}".rstrip() + _still(found)


def _alt(found: tuple[Recovery, ...], middle: Figure | None, window: str) -> str:
    over = [recovery.seconds for recovery in found if not recovery.open]
    told = [f"{words.quantity(len(found), 'failure')}{_still(found)}"]
    if over:
        told.append(f"from {words.duration(min(over))} to {words.duration(max(over))}")
    if middle is not None and middle.value is not None:
        told.append(f"median over {words.length(middle.window)} {words.duration(middle.value)}")
    return f"{SUBTITLE}, {window}: {'; '.join(told)}."


def _draw(
    canvas: "Canvas", found: tuple[Recovery, ...], middle: Figure | None, start: date, end: date
) -> None:
    edges, marks = series.log_scale([recovery.seconds for recovery in found])
    panel = canvas.panel(x=(start.toordinal(), end.toordinal()), y=edges, right=5.2, left=3.6)
    panel.scale(marks, zero=None)
    panel.months()
    if middle is not None and middle.value is not None:
        x, y = series.ordinals(middle.window), series.log_position(middle.value)
        panel.line(x, (y, y), color=INK, width=0.16)
        panel.text(x[1], y, words.duration(middle.value), dx=0.5, ha="left", bold=True)
        panel.text(x[1], y, "median", dx=0.5, dy=-1.1, size=0.9, ha="left", color=QUIET)
    for open_, marker, color, size in ((False, "o", USUAL, 0.45), (True, "^", CONCERN, 0.75)):
        some = [recovery for recovery in found if recovery.open == open_]
        panel.dots(
            [recovery.on.toordinal() + 0.5 for recovery in some],
            [series.log_position(recovery.seconds) for recovery in some],
            color=color, marker=marker, size=size,
        )  # fmt: skip
    for recovery in [recovery for recovery in found if recovery.open][:3]:
        text = f"{words.duration(recovery.seconds)}, open"
        panel.text(
            recovery.on.toordinal(), series.log_position(recovery.seconds), text, dx=-0.7, dy=-0.35,
            size=0.95, ha="right", bold=True,
        )  # fmt: skip
