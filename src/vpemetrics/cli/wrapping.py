"""Messages on the lines of a terminal, which by itself breaks them within words."""

import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

_LABEL: Final = re.compile(r"(?:error|warning): ")
_TO_COPY: Final = re.compile(r"`[^`]+`|(?<=mend it with: ).+")
"""What is copied whole: commands between backquotes, and one that ends a message."""

_GLUE: Final = "\0"
"""Stands for blanks at which no line may end."""


def broken(text: str, width: int) -> str:
    """The text on lines of at most `width` columns, broken between words.

    What goes on is set in as its first line is, behind `error: ` and its like. A word longer than
    a line, or what is to be copied, stays whole: terminals show it on several lines but copy one.
    """
    first, *more = text.splitlines() or [""]
    label = _LABEL.match(first)
    pieces = list(_pieces(first, len(label[0]) if label else _set_in(first), width))
    for line in more:
        pieces += _pieces(line, _set_in(line), width)
    return "\n".join(pieces)


def _set_in(line: str) -> int:
    return len(line) - len(line.lstrip())


def _pieces(line: str, indent: int, width: int) -> Iterator[str]:
    if len(line) <= width:
        yield line
        return
    glued = _TO_COPY.sub(lambda found: found[0].replace(" ", _GLUE), line.lstrip())
    for piece in wrap(
        glued,
        width,
        initial_indent=" " * _set_in(line),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield piece.replace(_GLUE, " ")
