"""The giving back of room: afterwards no byte of what was removed is in the file.

A mark in the store says that this is still to be done, until it was.
"""

from contextlib import closing
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select

from vpemetrics.errors import StoreBusy
from vpemetrics.store.engine import begin_read, begin_write, explain_errors, file_of
from vpemetrics.store.tables import meta, metadata

_MARK: Final = "to_compact"
_PATIENCE_MS: Final = 30_000


def ask_for_compaction(connection: Connection) -> None:
    """Note, with what is removed, that its bytes are to go too."""
    connection.execute(delete(meta).where(meta.c.key == _MARK))
    connection.execute(insert(meta), [{"key": _MARK, "value": "1"}])


def is_asked_for(engine: Engine) -> bool:
    """Tell whether something was removed whose bytes may still be there."""
    with begin_read(engine) as connection:
        return connection.scalar(select(meta.c.value).where(meta.c.key == _MARK)) is not None


def compact(engine: Engine) -> None:
    """Write the store anew without what was removed. StoreBusy while others use it for long."""
    with explain_errors(engine):
        if engine.dialect.name == "postgresql":
            _vacuum_tables(engine)
        else:
            _rewrite_file(engine)
    with begin_write(engine) as connection:
        connection.execute(delete(meta).where(meta.c.key == _MARK))


def _rewrite_file(engine: Engine) -> None:
    """Have SQLite write the file anew, and empty the log beside it.

    https://www.sqlite.org/lang_vacuum.html
    """
    connection = engine.raw_connection()
    connection.detach()  # for its temporary file, which may be as large as the store
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA temp_store = FILE")
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        cursor.execute("VACUUM")
        # It waits for readers, and says whether they kept it from its work:
        # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchone() or (0,)
    if busy:
        raise StoreBusy(
            f"{file_of(engine.url)}: what was forgotten is gone from every report and list, but "
            "another process is reading, so its bytes are still in the file; "
            "run the same command again when it has finished"
        )


def _vacuum_tables(engine: Engine) -> None:
    """Have PostgreSQL let go of what was removed, outside of any transaction.

    https://www.postgresql.org/docs/current/sql-vacuum.html
    """
    connection = engine.raw_connection()
    connection.detach()
    with closing(connection):
        connection.dbapi_connection.autocommit = True  # type: ignore[union-attr]
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"SET lock_timeout = {_PATIENCE_MS}")
            for table in metadata.sorted_tables:
                cursor.execute(f"VACUUM {table.name}")
