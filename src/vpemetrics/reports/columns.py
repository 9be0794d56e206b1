"""Text in columns of a fixed width, as a terminal shows it: cutting, padding, flowing.

Widths are counted in terminal cells: most characters take one, Chinese or emoji two, accents none.
"""

import shlex
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

from vpemetrics.hidden_characters import is_shown

ELLIPSIS = "…"


def width(text: str) -> int:
    """The number of cells of a terminal that the text takes."""
    return cell_len(text)


def plain(text: str) -> str:
    """The text on one line, without control characters, so that a name cannot steer a terminal."""
    visible = (" " if c.isspace() else c for c in text if c.isspace() or is_shown(c))
    return " ".join("".join(visible).split())


def plain_lines(text: str, limit: int) -> list[str]:
    """The lines of a text, each plain and in at most `limit` cells."""
    return [cut(plain(line), limit) for line in text.splitlines()]


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` cells, its end replaced by an ellipsis if it is longer."""
    if width(text) <= limit:
        return text
    return set_cell_size(text, limit - 1).rstrip() + ELLIPSIS


def left(text: str, size: int) -> str:
    """The text padded with blanks on the right."""
    return text + " " * (size - width(text))


def right(text: str, size: int) -> str:
    """The text padded with blanks on the left."""
    return " " * (size - width(text)) + text


def wrap(text: str, limit: int) -> list[str]:
    """The words of a text on lines of at most `limit` cells."""
    return flow(text.split(), " ", limit)


def command(text: str, limit: int) -> list[str]:
    """A line for a shell on lines of at most `limit` cells; copied together they do the same.

    It is broken between its words; a word longer than a line stays whole.
    """
    lines: list[str] = []
    for word in map(shlex.quote, shlex.split(plain(text))):
        if lines and width(f"{lines[-1]} {word} \\") <= limit:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def flow(pieces: Iterable[str], separator: str, limit: int, *, whole: bool = False) -> list[str]:
    """Pieces joined on lines of at most `limit` cells, broken between pieces.

    A piece longer than a line stays `whole` on one of its own, or is broken between its words,
    a longer word where the line ends.
    """
    lines = [""]
    for piece in pieces:
        joined = f"{lines[-1]}{separator}{piece}" if lines[-1] else piece
        if width(joined) <= limit:
            lines[-1] = joined
            continue
        broken = [piece] if whole else _broken(piece, limit)
        lines = lines + broken if lines[-1] else broken
    return lines


def align(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows of left-aligned columns, each as wide as its longest text."""
    sizes = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(left(text, size) for text, size in zip(row, sizes, strict=True)).rstrip()
        for row in rows
    ]


def _broken(piece: str, limit: int) -> list[str]:
    if width(piece) <= limit:
        return [piece]
    words = piece.split()
    return flow(words, " ", limit) if len(words) > 1 else chop_cells(piece, limit)
