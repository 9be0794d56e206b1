"""What a query finds as columns of numbers and texts, quickly."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from vpemetrics.window import MISSING

Arrays = dict[str, NDArray[Any]]


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
