"""`vpemetrics version`: which version this is."""

import typer

from vpemetrics import __version__
from vpemetrics.cli.session import Session, command


@command
def version(_session: Session) -> None:
    """Print the version.

    Example: vpemetrics version
    """
    typer.echo(f"vpemetrics {__version__}")
