"""`vpemetrics db`: the care of a shared store."""

from typing import Final

import typer

from vpemetrics.cli.session import Session, command

app: Final = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def db() -> None:
    """Look after a shared store."""


@app.command("upgrade")
@command
def upgrade(session: Session) -> None:
    """Bring the store to the schema of this version of vpemetrics.

    A shared store waits for this; a file is brought there when it is opened.
    Example: vpemetrics db upgrade --store env:DATABASE_URL
    """
    from vpemetrics.store import upgrade as upgraded

    choice = session.choose_store(session.configuration())
    session.note(str(choice))
    with session.time_step("Upgrading"):
        before, after = upgraded(choice.location)
    if before == after:
        session.note(f"its schema is {after} already; nothing to do")
    else:
        session.note(f"brought from schema {before or 'none'} to {after}")
