"""The integrity of an embedded store: whether its file holds what can have been written to it.

An error that nobody expected comes of a damaged file, or is a bug of ours. It comes of the file
where SQLite finds something wrong with it, where the tables are not those that we make, or where
a value is none that is ever saved: of another type, out of its range, or leading nowhere. A value
that might have been saved as well is not told apart from the one that was.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, Json, TypeAdapter, ValidationError
from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    create_engine,
    select,
)

from vpemetrics.records import AuthorKind, CoverageKind, Status, Verdict
from vpemetrics.store import derived_blocks, schema
from vpemetrics.store.commit_chunks import NAMING, read_chunks
from vpemetrics.store.derived import traced
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.shas import Shas
from vpemetrics.store.tables import (
    LEFT_OUT,
    Holds,
    Instant,
    changes,
    commit_chunks,
    coverage,
    cursors,
    deployments,
    meta,
    metadata,
    names,
    triage,
)

_MOMENTS: Final = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The microseconds of the years 1 to 9999, which are all that Python knows."""
_MOST: Final = 2**31 - 1
"""The highest id: nobody has more records than that."""
_REFERS: Final[Mapping[str, Column[Any]]] = {
    "service_id": names.c.id,
}
"""The columns that ids lead to, by the names of theirs, beside those that `Holds` tells."""
_CHOICES: Final[Mapping[Column[Any], type[StrEnum]]] = {
    changes.c.author_kind: AuthorKind,
    deployments.c.status: Status,
    triage.c.verdict: Verdict,
    coverage.c.kind: CoverageKind,
}
_JSON: Final[Mapping[Column[Any], Any]] = {
    traced.c.repositories: list[str],
    traced.c.problems: dict[str, list[str]],
}
_META: Final[Mapping[str, Any]] = {
    "author_key": Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")],
    "batch": int,
    "forgotten": int,
    "lineage_batch": int,
    "settings": Json[dict[str, str]],
}
_NEEDED: Final = {"author_key", "batch", "shape"}


def is_damaged(connection: Connection) -> bool:
    """Tell whether a SQLite file holds what nobody can have written to it."""
    return any(_signs(connection))


def _signs(connection: Connection) -> Iterator[bool]:
    # https://www.sqlite.org/pragma.html#pragma_integrity_check
    yield connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok"
    if schema.stored_version(connection) != schema.SCHEMA_VERSION:
        return  # other tables belong in it then
    yield _tables(connection) != _expected_tables()
    for table in metadata.sorted_tables:
        yield _has_odd_row(connection, table)
    yield _has_odd_shas(connection)
    yield _has_odd_document(connection)
    yield _has_odd_block(connection)
    yield _has_odd_setting(connection)


def _tables(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """The columns of each table: names, types, whether they may be NULL, and keys."""
    # https://www.sqlite.org/pragma.html#pragma_table_info
    return {
        table: [
            (name, type_, needed, key)
            for _, name, type_, needed, _, key in connection.exec_driver_sql(
                f"PRAGMA table_info({table})"
            )
        ]
        for table in metadata.tables
    }


def _expected_tables() -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            return _tables(connection)
    finally:
        engine.dispose()


def _has_odd_row(connection: Connection, table: Table) -> bool:
    """Tell whether a table has a row with a value that is never saved."""
    odd = " OR ".join(condition for column in table.c for condition in _oddities(column))
    # Nothing but names and numbers of ours is put together here.
    if connection.exec_driver_sql(f"SELECT 1 FROM {table} WHERE {odd} LIMIT 1").first():
        return True
    for _ in _rows(connection, table):  # a text that is none is an error here
        pass
    return False


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    rows = connection.exec_driver_sql(f"SELECT * FROM {table}")
    yield from (dict(zip(rows.keys(), row, strict=True)) for row in rows)


def _oddities(column: Column[Any]) -> Iterator[str]:
    """The conditions on which a column's value is odd; none is true of NULL."""
    name, holds = column.name, column.info.get("holds")
    yield f"typeof({name}) NOT IN ('null', {_storage_classes(column)})"
    if isinstance(column.type, LargeBinary):
        return
    if name == "at" or name.endswith("_at"):
        yield f"{name} NOT BETWEEN {_MOMENTS[0]} AND {_MOMENTS[1]}"
    elif isinstance(column.type, SmallInteger):
        yield f"{name} NOT IN (0, 1)"
    elif isinstance(column.type, Integer) and holds != Holds.NUMBER:
        yield f"{name} NOT BETWEEN {-_MOST} AND {_MOST}"
    if (place := _leads_to(column)) is not None:
        yield f"{name} NOT NULL AND {name} NOT IN (SELECT {place.name} FROM {place.table})"
    if choices := _CHOICES.get(column):
        quoted = ", ".join(f"'{choice}'" for choice in choices)
        yield f"{name} NOT IN ({quoted})"
    if holds in (Holds.LIST, Holds.OPTIONAL_LIST):
        yield f"iif(json_valid({name}), json_type({name}), 'none') != 'array' AND {name} NOT NULL"


def _has_odd_shas(connection: Connection) -> bool:
    """Tell whether there are commits, or names of commits, that nobody can have written."""
    try:
        for chunk, count in connection.execute(select(commit_chunks.c.id, commit_chunks.c.count)):
            found = next(read_chunks(connection, f"id = {chunk}"))
            if len(found.columns) != count:
                return True
        for column in NAMING:
            for packed in connection.scalars(select(column).where(column.is_not(None)).distinct()):
                Shas.unpack(packed)
    except ValueError:
        return True
    return False


def _storage_classes(column: Column[Any]) -> str:
    """The sorts of values that SQLite may have in a column: https://www.sqlite.org/datatype3.html"""
    match column.type:
        case LargeBinary():
            return "'blob'"
        case Float():
            return "'real', 'integer'"
        case Integer() | Instant():
            return "'integer'"
    return "'text'"


def _leads_to(column: Column[Any]) -> Column[Any] | None:
    match column.info.get("holds"):
        case Holds.NAME:
            return names.c.id
    return _REFERS.get(column.name)


def _has_odd_document(connection: Connection) -> bool:
    """Tell whether a JSON document is not shaped as those that we write."""
    left_out = select(cursors.c.position).where(cursors.c.scope == LEFT_OUT)
    documents = [(dict[str, str], left_out), *((_JSON[c], select(c)) for c in _JSON)]
    return not all(
        _fits(shape, text, is_json=True)
        for shape, query in documents
        for text in connection.scalars(query)
    )


def _has_odd_block(connection: Connection) -> bool:
    """Tell whether a block of what was derived is other than it was written."""
    try:
        for part in Part:
            derived_blocks.read(connection, part, keep=lambda rows: np.zeros(len(rows), dtype=bool))
    except ValueError:
        return True
    parts = connection.exec_driver_sql("SELECT DISTINCT part FROM derived").scalars()
    return not set(Part).issuperset(parts)


def _has_odd_setting(connection: Connection) -> bool:
    """Tell whether a store's notes on itself lack one, or say what they never do."""
    notes = {row["key"]: row["value"] for row in _rows(connection, meta)}
    fit = all(_fits(shape, notes[key]) for key, shape in _META.items() if key in notes)
    return not (fit and notes.keys() >= _NEEDED)


def _fits(shape: Any, value: Any, *, is_json: bool = False) -> bool:
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    try:
        adapter.validate_json(value) if is_json else adapter.validate_python(value)
    except ValidationError:
        return False
    return True
