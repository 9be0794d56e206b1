"""A chart before it is drawn: its words, and the way to draw it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas


@dataclass(frozen=True, kw_only=True)
class ChartPicture:
    """A chart that is ready to be drawn, at any size.

    `title` states the finding and `subtitle` what is drawn; `footnote` is the small print:
    definition, n, window and source. `alt` says in words what the eye sees. `height` is that of
    the drawing in lines of its type.
    """

    name: str
    title: str
    subtitle: str
    footnote: str
    alt: str
    height: float
    draw: Callable[["Canvas"], None]


def nothing(name: str, subtitle: str, why: str, footnote: str) -> ChartPicture:
    """A picture of no data, which says why there is none."""
    return ChartPicture(
        name=name,
        title=subtitle,
        subtitle="",
        footnote=footnote,
        alt=f"{subtitle}: {why}",
        height=4,
        draw=lambda canvas: canvas.remark(why),
    )
