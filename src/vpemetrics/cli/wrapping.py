"""Messages on the lines of a terminal, which by itself breaks them within words."""

import re
from typing import Final

from vpemetrics.reports.columns import flow, width

_LABEL: Final = re.compile(r"(?:error|warning): ")
_TO_COPY: Final = re.compile(r"`[^`]+`|(?<=mend it with: ).+")
"""Parts that are copied whole: commands between backquotes, and one that ends a message."""

_GLUE: Final = "\ue000"
"""A stand-in for blanks at which no line may end."""


def break_lines(text: str, limit: int) -> str:
    """The text on lines of at most `limit` cells, broken between words.

    What goes on is set in as its first line is, behind `error: ` and its like. A word longer than
    a line, or what is to be copied, stays whole: terminals show it on several lines but copy one.
    """
    first, *more = text.splitlines() or [""]
    label = _LABEL.match(first)
    lines = _break_line(first, label[0] if label else _indent(first), limit)
    for line in more:
        lines += _break_line(line, _indent(line), limit)
    return "\n".join(lines)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _break_line(line: str, lead: str, limit: int) -> list[str]:
    """The line on several, the others set in as far as its lead is long."""
    if width(line) <= limit:
        return [line]
    glued = _TO_COPY.sub(lambda found: found[0].replace(" ", _GLUE), line[len(lead) :])
    first, *rest = flow(glued.split(), " ", limit - len(lead), whole=True)
    lines = [lead + first, *(" " * len(lead) + piece for piece in rest)]
    return [piece.replace(_GLUE, " ") for piece in lines]
