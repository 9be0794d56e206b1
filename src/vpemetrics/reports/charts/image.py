"""The files a chart becomes: an `svg` element for a page, or SVG or PNG to stand alone.

The same picture gives the same bytes on any machine, whatever its fonts and matplotlib settings.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

from vpemetrics.reports.charts.canvas import ALONE, COLUMN, FAMILY, Canvas, CanvasSize, wrap_text
from vpemetrics.reports.charts.chart import ChartPicture
from vpemetrics.reports.charts.library import Figure, matplotlib
from vpemetrics.reports.charts.palette import PAPER, QUIET


def inline_svg(picture: ChartPicture, sheet: CanvasSize = COLUMN) -> str:
    """The drawing alone as an `svg` element for a page, which says the rest in its own type."""
    with _drawing(picture.name):
        canvas = Canvas(sheet, picture.height * sheet.em * sheet.stretch)
        picture.draw(canvas)
        content, box = _svg(canvas.figure)
    label = escape(picture.alt, quote=True)
    return f'<svg viewBox="{box}" role="img" aria-label="{label}">\n{content}</svg>'


def svg(picture: ChartPicture) -> bytes:
    """The picture with its title and small print, on white, as a file of its own."""
    with _drawing(picture.name):
        canvas = _frame(picture)
        content, box = _svg(canvas.figure)
    width, height = box.split()[2:]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}pt" height="{height}pt" viewBox="{box}" '
        'role="img" aria-labelledby="title description">\n'
        f'<title id="title">{escape(picture.title)}</title>\n'
        f'<desc id="description">{escape(picture.alt)}</desc>\n'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>\n{content}</svg>\n'
    ).encode()


def png(picture: ChartPicture, dots_per_inch: int = 192) -> bytes:
    """The picture with its title and small print, on white, in dots."""
    with _drawing(picture.name):
        figure = _frame(picture).figure
        figure.patch.set(visible=True, facecolor=PAPER)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return file.getvalue()


def _frame(picture: ChartPicture) -> Canvas:
    sheet = ALONE
    em, margin = sheet.em, sheet.em * 1.2
    room = sheet.width - 2 * margin
    title = wrap_text(picture.title, room, 1.35 * em, bold=True)
    under = wrap_text(picture.subtitle, room, em)
    small = wrap_text(picture.footnote, room, 0.8 * em)
    head = margin + len(title) * 1.7 * em + len(under) * 1.35 * em + 0.5 * em
    foot = len(small) * 1.1 * em + 1.4 * em
    canvas = Canvas(sheet, picture.height * em * sheet.stretch, head, foot, margin)
    y = margin
    for line in title:
        y += 1.7 * em
        canvas.write(line, margin, y - 0.5 * em, size=1.35 * em, bold=True)
    for line in under:
        y += 1.35 * em
        canvas.write(line, margin, y - 0.4 * em, color=QUIET)
    y = head + canvas.area + 0.6 * em
    for line in small:
        y += 1.1 * em
        canvas.write(line, margin, y - 0.3 * em, size=0.8 * em, color=QUIET)
    picture.draw(canvas)
    return canvas


@contextmanager
def _drawing(name: str) -> Iterator[None]:
    """Settings of our own, whatever the machine's are; letters a font lacks are no matter."""
    ours: dict[Any, Any] = {key: matplotlib.rcParamsDefault[key] for key in _PLAIN}
    ours |= {
        "font.sans-serif": FAMILY,
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "path.simplify": False,
        "text.parse_math": False,
        "text.usetex": False,
    }
    with matplotlib.rc_context(ours), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


_PLAIN: Final = (
    "figure.facecolor",
    "lines.dash_capstyle",
    "lines.dash_joinstyle",
    "lines.scale_dashes",
    "lines.solid_capstyle",
    "path.effects",
    "path.sketch",
    "path.snap",
    "savefig.bbox",
    "savefig.facecolor",
    "savefig.transparent",
    "svg.id",
    "svg.image_inline",
    "text.antialiased",
    "text.hinting",
    "text.hinting_factor",
)
"""Settings that are to be as matplotlib comes, not as somebody likes them."""


def _svg(figure: Figure) -> tuple[str, str]:
    """The inside of the `svg` element that matplotlib writes, and its view box."""
    file = io.StringIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=metadata, transparent=True)
    text = file.getvalue()
    head = re.search(r'<svg [^>]*viewBox="([^"]+)"[^>]*>\s*', text)
    if head is None:
        raise ValueError("matplotlib wrote no view box")
    inside = text[head.end() : text.rindex("</svg>")]
    return _UNUSED.sub("", inside), head[1]


_UNUSED: Final = re.compile(
    r'<metadata>.*?</metadata>\s*|(?<=<g) id="[^"]*"| transform="rotate\(-?0 [^"]*"', re.DOTALL
)
"""Parts that only make the file longer, and names that two drawings in a page would share."""
