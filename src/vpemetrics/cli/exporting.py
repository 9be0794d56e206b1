"""`vpemetrics export`: every record of the store into files, and what was made of them."""

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

    The folder `derived` within has what was made of them: kinds of deployments, shipped changes
    and failures. Authors are written as keyed hashes. Example: vpemetrics export backup/
    """
    configuration = session.configuration()
    with existing_store(session, configuration) as store:
        from vpemetrics.records import counts_text
        from vpemetrics.usecases.files import export_files
        from vpemetrics.usecases.lineage_files import export_lineage

        with session.progress("Writing records") as advance:
            advance(0, 0)
            counts = export_files(store, folder)
        with session.progress("Tracing services") as advance:
            export_lineage(store, configuration.rules(), folder, advance)
    session.note(f"wrote to {folder}: {counts_text(counts)}")
