"""Deployments per week of each service, small and side by side, each on a scale of its own."""

from typing import TYPE_CHECKING

from vpemetrics.metrics.samples import ServiceWeeks
from vpemetrics.reports import columns, words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BAND, BAR, INK, QUIET, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas, Panel

NAME = "services"
SUBTITLE = "Deployments to production per week, each service on its own scale"
ACROSS, ACROSS_WHERE_LONG, LONG = 4, 3, 14
_ROW = 5.2


def picture(report: Report) -> ChartPicture:
    """A small chart for each service, in the order of their names; no order of merit."""
    found = report.history.services if report.history else ()
    since = report.history.since if report.history else report.window.start
    window = series.dates(since, report.window.end)
    weeks = len(found[0].weeks) if found else 0
    facts = f"{weeks} weeks, {window}; black: the last week; pale: not collected"
    footnote = series.small_print(
        report, ["deployment_frequency"], facts, "Not for comparing teams"
    )
    if not found:
        return nothing(NAME, SUBTITLE, "No service is known.", footnote)
    across = ACROSS_WHERE_LONG if any(len(row.service) > LONG for row in found) else ACROSS
    rows = -(-len(found) // across)
    return ChartPicture(
        name=NAME,
        title=f"{words.quantity(len(found), 'service')}, week by week",
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=f"{SUBTITLE}, {window}: {'; '.join(map(_in_words, found))}.",
        height=rows * _ROW + 0.5,
        draw=lambda canvas: _draw(canvas, found, rows, across),
    )


def _in_words(one: ServiceWeeks) -> str:
    known = [n for n in one.weeks if n is not None]
    name = columns.plain(one.service)
    if not known:
        return f"{name} {words.NO_DATA}"
    return f"{name} {words.count(min(known))} to {words.count(max(known))}"


def _draw(canvas: "Canvas", found: tuple[ServiceWeeks, ...], rows: int, across: int) -> None:
    for at, one in enumerate(found):
        row, column = divmod(at, across)
        panel = canvas.panel(
            x=(0, len(one.weeks)),
            y=(0, max([n for n in one.weeks if n] or [1])),
            rows=(row / rows, (row + 1) / rows),
            columns=(column / across, (column + 1) / across),
            top=2.2, bottom=0.6, left=0.2, right=1.4,
        )  # fmt: skip
        _draw_service(panel, one)


def _draw_service(panel: "Panel", one: ServiceWeeks) -> None:
    room = int(panel.width / panel.em / 0.55) - 4
    name = _shorten(columns.plain(one.service), max(room, 6))
    panel.text(panel.x[0], panel.y[1], name, dy=0.5, ha="left", size=0.95)
    known = [n for n in one.weeks if n is not None]
    most = f"max {words.count(max(known))}" if known else words.NO_DATA
    panel.text(panel.x[1], panel.y[1], most, dy=0.5, ha="right", size=0.85, color=QUIET)
    missing = [at for at, n in enumerate(one.weeks) if n is None]
    panel.bars(missing, [panel.y[1]] * len(missing), BAND)
    last = len(one.weeks) - 1
    earlier = [(at, n) for at, n in enumerate(one.weeks[:-1]) if n]
    panel.bars([at for at, _ in earlier], [n for _, n in earlier], BAR)
    panel.bars([last], [one.weeks[last] or 0], INK)
    panel.line(panel.x, (0, 0), color=USUAL, width=0.07)


def _shorten(name: str, room: int) -> str:
    """A name in so many letters, without its middle: what tells it from others is often its end."""
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}{columns.ELLIPSIS}{name[-end:]}"
