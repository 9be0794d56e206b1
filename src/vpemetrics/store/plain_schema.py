"""The schema of an embedded store: tables and indexes that hold, and nothing that acts.

A file of SQLite may bring code along, which runs when somebody else reads or writes it: triggers,
views, tables that compute their rows, conditions, columns made of expressions.
https://www.sqlite.org/security.html#untrusted_sqlite_database_files
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import Connection

from vpemetrics.store.tables import metadata

_HOLDING: Final = ("table", "index")
_VIRTUAL: Final = re.compile(r"\s*create\s+virtual", re.IGNORECASE)
_WORDS: Final = re.compile(r"\w+")
_LETTERS: Final = re.compile(r'[\w\s"(),>]*')
_KEYWORDS: Final = (
    {"create", "if", "exists", "table", "index", "unique", "on", "where", "without", "rowid"}
    | {"bigint", "blob", "float", "integer", "smallint", "text", "varchar"}
    | {"constraint", "primary", "key", "not", "null"}
)
"""The words of SQL that our tables and indexes are made of."""


def acting_part(connection: Connection, read: Collection[str]) -> str | None:
    """The name of something in a SQLite file that is more than a table or an index of ours.

    Of the tables those are looked at that are going to be read; the others are nobody's business.
    """
    found = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
    known = _known_words()
    acting = (
        f"{kind} {name}" for kind, name, of, sql in found if _acts(kind, of, sql, read, known)
    )
    return next(acting, None)


def _acts(kind: Any, table: Any, sql: Any, read: Collection[str], known: frozenset[str]) -> bool:
    if kind not in _HOLDING or _VIRTUAL.match(str(sql)):
        return True
    if sql is None or str(table).lower() not in read:
        return False
    words = {word.lower() for word in _WORDS.findall(str(sql))}
    is_known = all(word in known or word.isdecimal() for word in words)
    return not (is_known and _LETTERS.fullmatch(str(sql)))


def _known_words() -> frozenset[str]:
    return frozenset(_KEYWORDS.union(_names()))


def _names() -> Iterator[str]:
    for table in metadata.tables.values():
        yield table.name
        yield from (column.name.lower() for column in table.columns)
        yield from (str(index.name) for index in table.indexes)
        yield from (str(one.name) for one in table.constraints if one.name)
