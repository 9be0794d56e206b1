"""`vpemetrics recompute`: everything that was worked out from the records, anew."""

from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store


@command
def recompute(session: Session) -> None:
    """Work everything out anew from the records.

    Never needed for right numbers; it helps to rule out a doubt. Example: vpemetrics recompute
    """
    configuration = session.configuration()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.update_lineage import recompute as recomputed

        with session.progress("Tracing services") as advance:
            count = recomputed(store, configuration.rules(), advance)
    session.note(f"traced {count} service{'' if count == 1 else 's'} anew")
