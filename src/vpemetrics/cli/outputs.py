"""Where a report goes: bytes in a format, to stdout or into files."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from vpemetrics.errors import FixInput
from vpemetrics.reports.registry import ENDINGS, FORMATS

if TYPE_CHECKING:
    from vpemetrics.reports.model import Report

TERMINAL = "terminal"
WITH_PARTS: Final = frozenset({"json", "csv"})
"""Formats that show the figures of teams and services too."""
DRAWN: Final = frozenset({"json", "csv", "html"})
"""Formats that show what charts are drawn from."""
CHOICES = (TERMINAL, *FORMATS)


def chosen_format(name: str | None, *, json: bool) -> str | None:
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


def rendered(report: "Report", format_: str) -> bytes:
    """The report in a format."""
    module, attribute = FORMATS[format_].split(":")
    render: Callable[[Report], bytes] = getattr(import_module(module), attribute)
    return render(report)


def width() -> int:
    """How many columns there are to write in."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def counts(of_kinds: Mapping[str, int]) -> str:
    """How many records of each kind, as in `commits 1,159, pull requests 362`."""
    return ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in of_kinds.items())


def print_text(text: str) -> None:
    """Prints to stdout; what its encoding lacks becomes a question mark."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def print_bytes(content: bytes) -> None:
    """Puts bytes on stdout as they are."""
    typer.echo(content, nl=False)


def write(path: Path, content: bytes) -> None:
    """Writes a file, all of it or nothing: whoever reads it meanwhile sees the old one whole."""
    if not path.parent.is_dir():
        raise FixInput(f"{path}: there is no folder {path.parent} to write it in")
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.chmod(file.name, _mode(path))
            os.replace(file.name, path)
        except BaseException as error:
            os.unlink(file.name)
            if isinstance(error, OSError) and error.filename in (None, file.name):
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise


def _mode(path: Path) -> int:
    """The permissions the file has, or those of a new one under the user's mask."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
