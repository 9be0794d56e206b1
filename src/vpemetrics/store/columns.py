"""Results of queries as columns of numbers and texts, quickly."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from vpemetrics.window import MISSING

Arrays = dict[str, NDArray[Any]]

# What ASCII has between texts and in the place of one.
_BETWEEN: Final = "\x1f"
_NULL: Final = "\x1e"


def read_columns(connection: Connection, sql: str, *, text: Collection[str] = ()) -> Arrays:
    """The query's columns by name: int64 with MISSING for NULL, or objects with None for `text`.

    Which columns are texts has to be said, so that a column has the same type when it is
    empty or holds nothing but NULL. TypeError for a text where numbers were announced.
    """
    result = connection.exec_driver_sql(sql)
    names = list(result.keys())
    rows = result.cursor.fetchall()
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return {
        name: _texts(values) if name in text else _numbers(name, values)
        for name, values in zip(names, columns, strict=True)
    }


def _texts(values: Sequence[str | None]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _numbers(name: str, values: Sequence[int | None]) -> NDArray[np.int64]:
    try:
        return np.array(values, dtype=np.int64)
    except TypeError:
        pass  # there are NULLs among them
    except ValueError as error:
        raise TypeError(f"column {name} holds texts; name it in `text`") from error
    known = [MISSING if value is None else value for value in values]
    return np.array(known, dtype=np.int64)


def read_many(connection: Connection, sql: str, *, text: Collection[str] = ()) -> Arrays:
    """The query's columns as `read_columns` has them, in any order, for very many rows.

    Making an object of every value is what takes the time. SQLite can write a column as one text
    instead, which takes half of it.
    """
    if connection.dialect.name != "sqlite":
        return read_columns(connection, sql, text=text)
    # Nothing but the caller's own SQL and names of columns in it is put together here.
    names = list(connection.exec_driver_sql(f"SELECT * FROM ({sql}) LIMIT 0").keys())
    each = (
        f"group_concat(ifnull({name}, '{_NULL}'), '{_BETWEEN}')"
        if name in text
        else f"group_concat(ifnull({name}, {MISSING}))"
        for name in names
    )
    packing = f"SELECT count(*), {', '.join(each)} FROM ({sql})"
    count, *packed = connection.exec_driver_sql(packing).one()
    if not count:
        return read_columns(connection, sql, text=text)
    columns = {
        name: _split(values) if name in text else _parse(name, values)
        for name, values in zip(names, packed, strict=True)
    }
    if any(len(column) != count for column in columns.values()):  # a text held a separator
        return read_columns(connection, sql, text=text)
    return columns


def _split(packed: str) -> NDArray[Any]:
    """Texts, equal ones being one object."""
    nulls = packed.count(_NULL)
    if len(packed) == 2 * nulls - 1:  # nothing else, as in columns of what is seldom said
        return np.full(nulls, None, dtype=object)
    known: dict[str, str | None] = {_NULL: None}
    return np.fromiter(
        [known.setdefault(text, text) for text in packed.split(_BETWEEN)], dtype=object
    )


def _parse(name: str, packed: str) -> NDArray[np.int64]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return np.fromstring(packed, dtype=np.int64, sep=",")
    except (DeprecationWarning, ValueError) as error:
        raise TypeError(f"column {name} holds texts; name it in `text`") from error


def rows_of(columns: Arrays, places: Any = slice(None)) -> Iterator[Any]:
    """Columns as rows with attributes, in an order, with None for what is unknown."""
    values = (column[places].tolist() for column in columns.values())
    for row in zip(*values, strict=True):
        told = (None if value == MISSING else value for value in row)
        yield SimpleNamespace(**dict(zip(columns, told, strict=True)))
