"""The sheet that charts are drawn on: its type, colours and panels.

A drawing is made in lines of type ("em"), so that it reads the same at any size. Text stays text
in SVG: it can be searched, scales with the page and takes its colour. It is measured in the font
that matplotlib brings, which is wider than the ones readers have, so nothing collides there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import nan
from pathlib import Path
from textwrap import wrap
from typing import Final, Literal

from vpemetrics.reports.charts.library import (
    Axes,
    Figure,
    FontProperties,
    PolyCollection,
    Rectangle,
    matplotlib,
)
from vpemetrics.reports.charts.palette import GRID, INK, PAPER, QUIET, USUAL

Across = Literal["left", "center", "right"]
Along = Literal["top", "center", "bottom", "baseline"]


@dataclass(frozen=True, kw_only=True)
class CanvasSize:
    """The width of a drawing and the size of its type, in points; `stretch` makes it taller."""

    width: float
    em: float
    stretch: float = 1.0


COLUMN: Final = CanvasSize(width=264, em=7.8)
"""Half the width of a printed page, or that of a phone."""

ALONE: Final = CanvasSize(width=480, em=9.6, stretch=1.15)
"""A picture by itself."""


class Canvas:
    """A sheet to draw on: an area between a frame's head and foot, and panels in it."""

    def __init__(
        self, sheet: CanvasSize, height: float, head: float = 0, foot: float = 0, margin: float = 0
    ) -> None:
        """`height`, of the area, `head`, `foot` and the `margin` at both sides are in points."""
        self.em = sheet.em
        self.width = sheet.width
        self.margin = margin
        self.area = height
        self._above, self._whole = head, head + height + foot
        self.figure = Figure(figsize=(self.width / 72, self._whole / 72), dpi=72)
        self.figure.patch.set_visible(False)

    def panel(
        self,
        *,
        x: tuple[float, float],
        y: tuple[float, float],
        top: float = 1.0,
        bottom: float = 2.7,
        left: float = 3.2,
        right: float = 1.0,
        rows: tuple[float, float] = (0, 1),
        columns: tuple[float, float] = (0, 1),
    ) -> "Panel":
        """A part of the area, `rows` from its top and `columns` from its left, less some margins.

        Margins are in lines of type; `x` and `y` are what its edges stand for.
        """
        begin, end = (self._above + share * self.area for share in rows)
        room = self.width - 2 * self.margin
        first, last = (self.margin + share * room for share in columns)
        high, low = begin + top * self.em, end - bottom * self.em
        start, stop = first + left * self.em, last - right * self.em
        box = (
            start / self.width,
            1 - low / self._whole,
            (stop - start) / self.width,
            (low - high) / self._whole,
        )
        return Panel(self, box, (stop - start, low - high), x, y, left)

    def remark(self, text: str) -> None:
        """A sentence in the middle of the area, in place of a drawing."""
        size = self.em
        lines = wrap_text(text, self.width - 2 * size, size)
        middle = self._above + self.area / 2 - (len(lines) - 1) * size * 0.65
        for number, line in enumerate(lines):
            self.write(line, self.width / 2, middle + number * size * 1.3, color=QUIET, ha="center")

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: float | None = None,
        color: str = INK,
        bold: bool = False,
        ha: Across = "left",
    ) -> None:
        """A line of text whose baseline is `y` points below the top of the sheet."""
        self.figure.text(
            x / self.width,
            1 - y / self._whole,
            text,
            color=color,
            ha=ha,
            va="baseline",
            fontproperties=font(size or self.em, bold=bold),
        )


class Panel:
    """A coordinate system on a canvas, without anything drawn yet; offsets are in lines of type."""

    def __init__(
        self,
        canvas: Canvas,
        box: tuple[float, float, float, float],
        size: tuple[float, float],
        x: tuple[float, float],
        y: tuple[float, float],
        left: float,
    ) -> None:
        self.em, self.x, self.y, self.left = canvas.em, x, y, left
        self.width, self.height = size
        self.axes: Axes = canvas.figure.add_axes(box)
        self.axes.set_axis_off()
        self.axes.set_xlim(*x)
        self.axes.set_ylim(*y)
        self._dx = (x[1] - x[0]) / self.width * self.em
        self._dy = (y[1] - y[0]) / self.height * self.em

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        dx: float = 0,
        dy: float = 0,
        size: float = 1.0,
        color: str = INK,
        bold: bool = False,
        ha: Across = "center",
        va: Along = "baseline",
    ) -> None:
        """A text at a place, moved right and up by so many lines of type."""
        self.axes.text(
            x + dx * self._dx,
            y + dy * self._dy,
            text,
            color=color,
            ha=ha,
            va=va,
            fontproperties=font(size * self.em, bold=bold),
        )

    def height_of(self, lines: float) -> float:
        """The height of so many lines of type, in units of the panel."""
        return lines * self._dy

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float | None],
        *,
        color: str = USUAL,
        width: float = 0.12,
        dashed: bool = False,
        steps: bool = False,
    ) -> None:
        """A line through points; one without a value interrupts it."""
        self.axes.plot(
            xs,
            [nan if y is None else y for y in ys],
            color=color,
            linewidth=width * self.em,
            linestyle=(0, (3, 2)) if dashed else "-",
            drawstyle="steps-post" if steps else "default",
            solid_joinstyle="round",
            clip_on=False,
        )

    def dots(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        color: str = USUAL,
        marker: str = "o",
        size: float = 0.4,
        hollow: bool = False,
    ) -> None:
        """Marks at places, filled or hollow."""
        if not xs:
            return
        self.axes.plot(
            xs,
            ys,
            linestyle="none",
            marker=marker,
            markersize=size * self.em,
            markerfacecolor=PAPER if hollow else color,
            markeredgecolor=color,
            markeredgewidth=0.1 * self.em,
            clip_on=False,
        )

    def bars(self, xs: Sequence[float], heights: Sequence[float], color: str) -> None:
        """Bars of one unit's width that stand on 0, each beginning at its x."""
        corners = [
            [(x + 0.12, 0), (x + 0.12, y), (x + 0.88, y), (x + 0.88, 0)]
            for x, y in zip(xs, heights, strict=True)
        ]
        self.axes.add_collection(
            PolyCollection(corners, facecolors=color, linewidths=0, clip_on=False), autolim=False
        )

    def box(self, x0: float, x1: float, y0: float, y1: float, color: str) -> None:
        """A filled rectangle."""
        self.axes.add_patch(
            Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=color, linewidth=0, clip_on=False)
        )

    def scale(self, ticks: Iterable[tuple[float, str]], *, zero: float | None = 0) -> None:
        """Horizontal lines with their values on the left; the one at `zero` is darker."""
        for value, label in ticks:
            color = USUAL if value == zero else GRID
            self.line(self.x, (value, value), color=color, width=0.07)
            self.text(
                self.x[0], value, label, dx=-self.left, dy=-0.32, size=0.9, color=QUIET, ha="left"
            )

    def months(self, *, below: float = 0) -> None:
        """Names of months under the first days of them, `x` being ordinal numbers of dates."""
        firsts = list(_first_days(self.x))
        every = next((n for n in (1, 2, 3, 6) if len(firsts) <= 8 * n), 12)
        shown = [day for day in firsts if (day.month - 1) % every == 0]
        floor = self.y[0]
        for number, day in enumerate(shown):
            at = day.toordinal()
            self.line((at, at), (floor, floor - 0.35 * self._dy), color=USUAL, width=0.07)
            self.text(at, floor, f"{day:%b}", dy=-1.3 - below, size=0.9, color=QUIET)
            if number == 0 or day.month == 1:
                self.text(at, floor, str(day.year), dy=-2.3 - below, size=0.9, color=QUIET)


def _first_days(x: tuple[float, float]) -> Iterator[date]:
    start, end = (date.fromordinal(int(at)) for at in x)
    day = start.replace(day=1)
    while day <= end:
        if day >= start:
            yield day
        day = (day + timedelta(days=32)).replace(day=1)


# --- type ---------------------------------------------------------------------------------------

FAMILY: Final = ("Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")


def font(size: float, *, bold: bool = False) -> FontProperties:
    """The font that is measured in, under the names of those that SVG is to be shown in."""
    return FontProperties(
        family="sans-serif",
        weight="bold" if bold else "normal",
        size=round(size, 2),
        fname=_file(bold=bold),
    )


@lru_cache(maxsize=2)
def _file(*, bold: bool) -> str:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", name))


def wrap_text(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """A text on lines of at most `width` points, by what its letters take on average."""
    return wrap(text, max(8, int(width / size / (0.58 if bold else 0.54))))
