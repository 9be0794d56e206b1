"""Texts that are stored once and referred to by integer: names and shas."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select

from vpemetrics.store.bulk import insert_rows

_REMEMBERED = 500_000
_ASKED_AT_ONCE = 1_000
# SQLite takes 32,766 values a statement: https://www.sqlite.org/limits.html#max_variable_number


class Interned:
    """The ids of the texts of one table, given out in the order in which texts are met.

    Only for the one process that is writing: ids are counted up here, not by the database,
    so that the same records saved in the same order always get the same ids.
    About half a million texts are remembered; the rest is looked up again.
    `spell` gives the one form in which a text is stored, however it was written.
    """

    def __init__(
        self, connection: Connection, table: Table, *, spell: Callable[[str], str]
    ) -> None:
        self.ids: dict[str, int] = {}
        self._spell = spell
        self._connection = connection
        self._table = table
        self._next = (connection.scalar(select(func.max(table.c.id))) or 0) + 1
        self._remembers_all = self._next == 1

    def learn(self, texts: Iterable[str]) -> None:
        """Make `ids` hold every one of these texts."""
        self._forget_when_full()
        written = self._unknown(texts)
        spelled = [self._spell(text) for text in written]
        self._learn_spelled(self._unknown(spelled))
        self.ids.update(zip(written, map(self.ids.__getitem__, spelled), strict=True))

    def _learn_spelled(self, texts: list[str]) -> None:
        if texts and not self._remembers_all:
            id_, text = self._table.c
            self.ids.update(matching(self._connection, wanted=id_, given=text, values=texts))
            texts = self._unknown(texts)
        if texts:
            self._add(texts)

    def _unknown(self, texts: Iterable[str]) -> list[str]:
        return list(dict.fromkeys([text for text in texts if text not in self.ids]))

    def _add(self, texts: list[str]) -> None:
        rows = list(enumerate(texts, self._next))
        self._next += len(rows)
        insert_rows(self._connection, self._table, rows)
        self.ids.update((text, id_) for id_, text in rows)

    def _forget_when_full(self) -> None:
        if len(self.ids) > _REMEMBERED:
            self.ids.clear()
            self._remembers_all = False


def matching(
    connection: Connection, *, wanted: Column[Any], given: Column[Any], values: list[Any]
) -> dict[Any, Any]:
    """`wanted` by `given`, of the rows that have one of these values."""
    found: dict[Any, Any] = {}
    for start in range(0, len(values), _ASKED_AT_ONCE):
        chunk = values[start : start + _ASKED_AT_ONCE]
        condition, parameters = _among(connection, chunk)
        found.update(
            connection.exec_driver_sql(
                f"SELECT {given.name}, {wanted.name} FROM {given.table} "  # noqa: S608 (our names)
                f"WHERE {given.name} {condition}",
                parameters,
            ).all()
        )
    return found


def _among(connection: Connection, values: list[Any]) -> tuple[str, tuple[Any, ...]]:
    """The condition that holds for one of some values, and its parameters."""
    if connection.dialect.name == "postgresql":
        return "= ANY(%s)", (values,)
    return f"IN ({','.join('?' * len(values))})", tuple(values)
