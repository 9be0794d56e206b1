"""Rows of facts as columns: a part of them costs what is looked at, however many columns there are.

A frame of pandas takes half a second to import and a third of a millisecond to cut, which a
report does a thousand times.
"""

from collections import namedtuple
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
Columns = Mapping[str, Column]
Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class Table:
    """Columns of one length by name: integers, floats, booleans, or objects (texts and None).

    Tables never change. A column of a part is cut when it is first asked for.
    """

    def __init__(self, columns: Columns, length: int, whole: "Table | None" = None) -> None:
        self._columns = dict(columns)
        self._length = length
        self._whole = whole
        self._rows: slice | Places = slice(None)

    @classmethod
    def of(cls, columns: Columns) -> "Table":
        """A table of at least one column."""
        return cls(columns, len(next(iter(columns.values()))))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Column:
        if name not in self._columns:
            if self._whole is None:
                raise KeyError(name)
            self._columns[name] = self._whole[name][self._rows]
        return self._columns[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        inherited = self._whole.names if self._whole is not None else ()
        return tuple(dict.fromkeys((*inherited, *self._columns)))

    def between(self, start: int, end: int) -> "Table":
        """The rows from one place up to another."""
        return self._part(slice(start, end), max(end - start, 0))

    def at(self, places: Places) -> "Table":
        """The rows at these places, in this order."""
        return self._part(places, len(places))

    def where(self, mask: Mask) -> "Table":
        """The rows for which the mask is true."""
        return self.at(np.flatnonzero(mask))

    def with_columns(self, **columns: Column) -> "Table":
        """The same rows with columns added or replaced."""
        return Table(columns, self._length, self)

    def concat(self, other: "Table") -> "Table":
        """These rows and then others, with the columns that both have."""
        return Table.of(
            {
                name: np.concatenate([self[name], other[name]])
                for name in self.names
                if name in other.names
            }
        )

    def sort_by(self, name: str) -> "Table":
        """The rows in ascending order of a column, equal ones as they were."""
        return self.at(np.argsort(self[name], kind="stable"))

    def rows(self) -> Iterator[Any]:
        """Row by row, as named tuples of Python's own values."""
        row = namedtuple("row", self.names)  # type: ignore[misc]  # the names are the table's
        return map(row._make, zip(*(self[name].tolist() for name in self.names), strict=True))

    def _part(self, rows: slice | Places, length: int) -> "Table":
        part = Table({}, length, self)
        part._rows = rows
        return part


def texts(values: Iterable[Any]) -> Column:
    """A column of texts, or of any other objects."""
    return np.fromiter(values, dtype=object)


def is_one_of(column: Column, wanted: Collection[str | None]) -> Mask:
    """Mark the places where a column of texts holds one of those wanted."""
    return np.array([text in wanted for text in column.tolist()], dtype=bool)


def first_of_each(numbers: Column) -> Places:
    """The places where each number stands first, in order of the places."""
    return np.sort(np.unique(numbers, return_index=True)[1])


def distinct(numbers: Column) -> int:
    """Count the different numbers."""
    return int(np.count_nonzero(np.diff(np.sort(numbers)))) + bool(len(numbers))


def look_up(wanted: Column, keys: Column, values: Column, otherwise: int) -> Column:
    """The value beside each wanted key, of keys that occur once; otherwise another one."""
    if not len(keys):
        return np.full(len(wanted), otherwise)
    order = np.argsort(keys)
    places = order[np.searchsorted(keys[order[:-1]], wanted)]
    return np.where(keys[places] == wanted, values[places], otherwise)


def occurrences(numbers: Column, among: Column) -> npt.NDArray[np.intp]:
    """Count how often each of the numbers occurs among others."""
    ranked = np.sort(among)
    last, first = (np.searchsorted(ranked, numbers, side) for side in ("right", "left"))
    return last - first
