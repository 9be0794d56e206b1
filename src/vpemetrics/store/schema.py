"""The schema of a database, and its way to the one this version works with.

An empty database is given the whole schema at once and stamped, which needs no alembic;
only a store of another version pays for importing it. Both ways give the same schema.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    Column,
    Connection,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)

from vpemetrics.fingerprint import digest
from vpemetrics.store import derived as _derived  # noqa: F401 (its tables are part of the schema)
from vpemetrics.store.tables import meta, metadata

if TYPE_CHECKING:
    from alembic.config import Config

SCHEMA_VERSION = "0001"

_SHAPE = "shape"
_MIGRATIONS = Path(__file__).parent / "migrations"

# The table alembic keeps its mark in, spelled exactly as alembic would make it.
alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


MARKED: Final = (meta.name, alembic_version.name)
"""The tables that say which version and shape a store has."""


def is_empty(connection: Connection) -> bool:
    """Tell whether the database holds no table at all."""
    return not inspect(connection).get_table_names()


def is_store(connection: Connection) -> bool:
    """Tell whether the database has a mark of its version, as every store has."""
    return inspect(connection).has_table(alembic_version.name)


def stored_version(connection: Connection) -> str | None:
    """The version a store is at; None before its first migration."""
    return connection.scalar(select(alembic_version.c.version_num))


def has_shape(connection: Connection) -> bool:
    """Tell whether a store of this version has the very tables that this build works with."""
    known = select(meta.c.value).where(meta.c.key == _SHAPE)
    return connection.scalar(known) == shape()


def shape() -> str:
    """A text that changes with the tables and their columns."""
    return digest(" ".join(sorted(str(c) for t in metadata.sorted_tables for c in t.columns)))


def is_known(version: str | None) -> bool:
    """Tell whether this version of vpemetrics has a way from that version of a store to its own."""
    if version in (SCHEMA_VERSION, None):
        return True
    return version in versions()


def versions() -> list[str]:
    """Every version there is a migration to, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migrations())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def create(connection: Connection) -> None:
    """Give an empty database the present schema."""
    create_tables(connection)
    connection.execute(insert(alembic_version).values(version_num=SCHEMA_VERSION))


def upgrade(connection: Connection) -> None:
    """Bring a store of an earlier version to the present one, by its migrations."""
    from alembic import command

    command.upgrade(migrations(connection), "head")
    connection.execute(update(meta).where(meta.c.key == _SHAPE).values(value=shape()))


def create_tables(connection: Connection) -> None:
    """Make the tables, and what every store has from its first moment.

    The key that hides authors is made here; it never leaves the store.
    """
    metadata.create_all(connection)
    connection.execute(
        insert(meta),
        [
            {"key": "author_key", "value": secrets.token_hex(32)},
            {"key": "batch", "value": "0"},
            {"key": _SHAPE, "value": shape()},
        ],
    )


def drop_tables(connection: Connection) -> None:
    """Remove the tables, all but the one alembic keeps its mark in."""
    ours = [table for table in metadata.sorted_tables if table is not alembic_version]
    metadata.drop_all(connection, tables=ours)


def migrations(connection: Connection | None = None) -> "Config":
    """The configuration of alembic's commands, with the connection for those that need one."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
