"""`vpemetrics export`: every record of the store into files."""

from pathlib import Path
from typing import Annotated

import typer

from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if it is not there.")
]


@command
def export(session: Session, folder: Folder) -> None:
    """Write every record into CSV files that `import` reads back.

    Authors are written as keyed hashes. Example: vpemetrics export backup/
    """
    with existing_store(session, session.configuration()) as store:
        from vpemetrics.records import counts_text
        from vpemetrics.usecases.files import export_files

        with session.progress("Writing records") as advance:
            advance(0, 0)
            counts = export_files(store, folder)
    session.note(f"wrote to {folder}: {counts_text(counts)}")
