"""The formats that can be asked for, and the one way out to stdout and stderr.

Names, paths and errors come from elsewhere: whatever in them would steer a terminal is made
visible here. The colours that are ours are added behind that.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import typer

from vpemetrics.hidden_characters import reveal, reveal_line
from vpemetrics.reports.registry import ENDINGS, FORMATS

TERMINAL = "terminal"
CHOICES = (TERMINAL, *FORMATS)


def choose_format(name: str | None, *, json: bool) -> str | None:
    """The format for stdout; None if none was asked for. A usage error if there is no such."""
    if json and name not in (None, "json"):
        raise typer.BadParameter(f"--json and --format {name} exclude each other")
    if json:
        return "json"
    if name is not None and name not in CHOICES:
        raise typer.BadParameter(
            f"{name!r} is no format; there are {', '.join(CHOICES)}", param_hint="--format"
        )
    return name


def format_of(path: Path) -> str:
    """The format a file's ending stands for. A usage error lists the known ones."""
    if path.suffix.lower() not in ENDINGS:
        raise typer.BadParameter(
            f"{path}: the ending says the format, and there are {', '.join(ENDINGS)}",
            param_hint="--output",
        )
    return ENDINGS[path.suffix.lower()]


def width() -> int:
    """The number of columns there are to write in."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def print_text(text: str) -> None:
    """Print to stdout; what its encoding lacks becomes a question mark."""
    print_painted(reveal(text))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to stdout, each on one, whatever is in it."""
    print_text("".join(f"{reveal_line(line)}\n" for line in lines))


def print_painted(text: str) -> None:
    """Print to stdout what holds colours of ours, and where nothing hidden is left."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def print_json(content: bytes) -> None:
    """Put JSON on stdout; what is hidden in it is escaped, which says the same."""
    typer.echo(reveal(content.decode()).encode(), nl=False)


def print_bytes(content: bytes) -> None:
    """Put bytes on stdout as they are; on a terminal as a text."""
    if sys.stdout.isatty():
        print_text(content.decode(errors="replace"))
    else:
        typer.echo(content, nl=False)


def print_beside(text: str, style: str = "{}") -> None:
    """Print a line, or some, to stderr, in a style of ours."""
    typer.echo(style.format(reveal(text)), err=True)
