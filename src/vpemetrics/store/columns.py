"""Results of queries as columns of numbers and texts, quickly."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

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
    return read_with_blobs(connection, sql, text=text)[0]


class Blobs(NamedTuple):
    """A column of bytes: all of them, one after the other, and the length of each, 0 for NULL."""

    lengths: NDArray[np.int64]
    data: bytes


def read_with_blobs(
    connection: Connection, sql: str, *, text: Collection[str] = (), blobs: Collection[str] = ()
) -> tuple[Arrays, dict[str, Blobs]]:
    """The query's columns as `read_many` has them, and beside them those that hold bytes."""
    if connection.dialect.name != "sqlite":
        return _apart(read_columns(connection, sql, text={*text, *blobs}), blobs)
    # Nothing but the caller's own SQL and names of columns in it is put together here.
    names = list(connection.exec_driver_sql(f"SELECT * FROM ({sql}) LIMIT 0").keys())
    each = [_packing(name, text, blobs) for name in names]
    lengths = [f"group_concat(ifnull(length({name}), 0))" for name in blobs]
    packing = f"SELECT count(*), {', '.join([*each, *lengths])} FROM ({sql})"
    count, *packed = connection.exec_driver_sql(packing).one()
    if not count:
        return _apart(read_columns(connection, sql, text={*text, *blobs}), blobs)
    told = dict(zip(names, packed, strict=False))
    columns = {
        name: _split(values) if name in text else _parse(name, values)
        for name, values in told.items()
        if name not in blobs
    }
    if any(len(column) != count for column in columns.values()):  # a text held a separator
        return _apart(read_columns(connection, sql, text={*text, *blobs}), blobs)
    return columns, {
        name: Blobs(lengths=_parse(name, values), data=told[name] or b"")
        for name, values in zip(blobs, packed[len(names) :], strict=True)
    }


def _packing(name: str, text: Collection[str], blobs: Collection[str]) -> str:
    """The expression that makes one text of a column, or one value of bytes."""
    if name in blobs:
        # Bytes are a text's and back again as they are: https://www.sqlite.org/lang_expr.html#castexpr
        return f"CAST(group_concat({name}, '') AS BLOB)"
    if name in text:
        return f"group_concat(ifnull({name}, '{_NULL}'), '{_BETWEEN}')"
    return f"group_concat(ifnull({name}, {MISSING}))"


def _apart(columns: Arrays, blobs: Collection[str]) -> tuple[Arrays, dict[str, Blobs]]:
    """Columns, those of single values of bytes beside the others."""
    told = {name: [value or b"" for value in columns.pop(name).tolist()] for name in blobs}
    return columns, {
        name: Blobs(lengths=np.array(list(map(len, values)), dtype=np.int64), data=b"".join(values))
        for name, values in told.items()
    }


def _split(packed: str) -> NDArray[Any]:
    nulls = packed.count(_NULL)
    if len(packed) == 2 * nulls - 1:  # nothing else, as in columns of what is seldom said
        return np.full(nulls, None, dtype=object)
    texts: list[str | None] = [*packed.split(_BETWEEN)]
    if nulls:
        texts = [None if text == _NULL else text for text in texts]
    return np.fromiter(texts, dtype=object)


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
