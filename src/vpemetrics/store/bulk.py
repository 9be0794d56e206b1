"""Many rows at once, by the quickest way that each database has.

SQLite is given statements of many rows each, which takes two thirds of what a statement a row
takes. PostgreSQL would take three times as long as for rows that are copied, so that is done
there, by way of a temporary table where some of them may be known already.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import chain, compress
from typing import Any, Final

from sqlalchemy import Column, Connection, Dialect, Table, column, insert, null, or_, select, table

Row = tuple[Any, ...]

_STATEMENTS: Final = 64
"""The statements kept once they are compiled: for some portions that takes longest."""
_TOGETHER: Final = 200
"""The rows of one statement; SQLite takes 32,766 values at most.

https://www.sqlite.org/limits.html#max_variable_number
"""


def insert_rows(connection: Connection, into: Table, rows: Sequence[Row]) -> None:
    """Insert rows, given in the order of the table's columns, none of which is there yet."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, into.name, into.c.keys(), rows)
    else:
        _execute(connection, _insert(connection.dialect, into), list(zip(*rows, strict=True)))


def upsert_rows(
    connection: Connection,
    into: Table,
    columns: Sequence[Column[Any]],
    keys: Sequence[str],
    rows: Iterable[Row],
) -> int:
    """Save rows of some columns as `upsert_columns` does."""
    values = list(zip(*rows, strict=True))
    return upsert_columns(connection, into, columns, keys, values) if values else 0


def upsert_columns(
    connection: Connection,
    into: Table,
    columns: Sequence[Column[Any]],
    keys: Sequence[str],
    values: Sequence[Sequence[Any]],
) -> int:
    """Save rows, or change them where they say otherwise: what some columns hold, row by row.

    The columns are in the table's order. Returns how many rows changed. Of rows with the same
    values under the keys the last counts; one that differs in nothing but its batch is left as
    it is.
    """
    names = [column.name for column in columns]
    different = _latest(values, [values[names.index(key)] for key in keys])
    if not len(different[0]):
        return 0
    # Of many records most fields are known of none, and to pass that takes as long as a value.
    told = [not _is_unknown(column) for column in different]
    if len(different[0]) >= _TOGETHER and not all(told):
        unknown = tuple(name for name, is_told in zip(names, told, strict=True) if not is_told)
        names, different = list(compress(names, told)), list(compress(different, told))
    else:
        unknown = ()
    upsert = _upsert(connection.dialect, into, tuple(names), tuple(keys), unknown)
    if connection.dialect.name != "postgresql":
        return _execute(connection, upsert, different)
    _make_incoming(connection, into)
    _copy(connection, _incoming(into), names, zip(*different, strict=True))
    changed = connection.exec_driver_sql(upsert).rowcount
    connection.exec_driver_sql(f"TRUNCATE {_incoming(into)}")
    return changed


def _is_unknown(column: Sequence[Any]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _latest(
    values: Sequence[Sequence[Any]], keys: Sequence[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    """The last of the rows with the same values under the keys, as columns."""
    # PostgreSQL refuses a statement that would change a row twice; SQLite would count both.
    # https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT
    length = len(values[0])
    if any(len(set(key)) == length for key in keys):  # nearly always, and much quicker to see
        return values
    last = {key: row for row, key in enumerate(zip(*keys, strict=True))}
    if len(last) == length:
        return values
    return [[column[row] for row in last.values()] for column in values]


def _execute(connection: Connection, statement: str, values: Sequence[Sequence[Any]]) -> int:
    """Run a statement of one row with all that columns hold; return how many rows changed."""
    one = f"({', '.join('?' * len(values))})"
    many = statement.replace(one, ", ".join([one] * _TOGETHER), 1)
    length = len(values[0])
    alone, changed = length % _TOGETHER, 0
    if alone:  # first, so that ids are given in the order of the rows
        rows = list(zip(*(column[:alone] for column in values), strict=True))
        changed = connection.exec_driver_sql(statement, rows).rowcount
    for start in range(alone, length, _TOGETHER):
        part = zip(*(column[start : start + _TOGETHER] for column in values), strict=True)
        together = tuple(chain.from_iterable(part))
        changed += connection.exec_driver_sql(many, together).rowcount
    return changed


def _copy(connection: Connection, into: str, names: Iterable[str], rows: Iterable[Row]) -> None:
    cursor: Any = connection.connection.cursor()  # psycopg's own, for SQLAlchemy knows no COPY
    with closing(cursor), cursor.copy(f"COPY {into} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _make_incoming(connection: Connection, into: Table) -> None:
    """Make the table that rows pass through, unless this transaction has it already."""
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_incoming(into)} ON COMMIT DROP AS "
        f"TABLE {into.name} WITH NO DATA"
    )


def _incoming(into: Table) -> str:
    return f"incoming_{into.name}"


@lru_cache(maxsize=_STATEMENTS)
def _insert(dialect: Dialect, into: Table) -> str:
    return str(insert(into).compile(dialect=dialect))


@lru_cache(maxsize=_STATEMENTS)
def _upsert(
    dialect: Dialect,
    into: Table,
    names: tuple[str, ...],
    keys: tuple[str, ...],
    unknown: tuple[str, ...],
) -> str:
    """The statement that saves rows, of its parameters or of those that came in.

    Of the columns that are `unknown` nothing is told, which is what then is stored.
    """
    start: Any
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # 40 ms that nobody else shall pay

        incoming = table(_incoming(into), *map(column, names))
        start = postgresql.insert(into).from_select(list(names), select(*incoming.c))
    else:
        from sqlalchemy.dialects import sqlite

        start = sqlite.insert(into)
    new, said = start.excluded, [name for name in names if name not in (*keys, "batch")]
    # Rows that the condition leaves alone are in neither database's count of changed ones.
    # https://www.sqlite.org/lang_upsert.html
    upsert = start.on_conflict_do_update(
        index_elements=list(keys),
        set_={
            **{name: new[name] for name in (*said, "batch") if name in into.c},
            **dict.fromkeys(unknown, null()),
        },
        where=or_(
            *(into.c[name].is_distinct_from(new[name]) for name in said),
            *(into.c[name].is_not(None) for name in unknown),
        ),
    )
    return str(upsert.compile(dialect=dialect, column_keys=list(names)))
