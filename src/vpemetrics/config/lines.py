"""The lines of the settings in a TOML text, for messages; `tomllib` does not tell them."""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

_MOST_PARSED: Final = 1 << 20

KeyPath = tuple[str | int, ...]


class Lines:
    """The line on which each setting of a valid TOML text stands."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        table: KeyPath = ()
        for number, statement in _statements(text):
            keys, value = _only_path(tomllib.loads(statement))
            if statement.lstrip().startswith("["):
                table = self._table(keys, is_list=isinstance(value, list))
                keys = ()
            path = table + keys
            for end in range(1, len(path) + 1):
                self._lines.setdefault(path[:end], number)

    def of(self, path: KeyPath) -> int | None:
        """The line of a setting, else of the nearest table around it; None for the whole file."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines[path] if path else None

    def _table(self, keys: KeyPath, *, is_list: bool) -> KeyPath:
        if not is_list:
            return keys
        self._tables[keys] = self._tables.get(keys, -1) + 1
        return (*keys, self._tables[keys])


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header or assignment with the number of its first line, values over lines included.

    Those after values over very many lines are not told: each line more is one more to try.
    """
    first, statement, parsed = 1, "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        first, statement = (first, f"{statement}\n{line}") if statement else (number, line)
        parsed += len(statement)
        if parsed > _MOST_PARSED:
            return
        try:
            meaning = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if meaning:
            yield first, statement
        statement = ""


def _only_path(document: dict[str, Any]) -> tuple[KeyPath, Any]:
    """The keys of a document that holds one statement, and what they lead to."""
    keys: list[str] = []
    value: Any = document
    while isinstance(value, dict) and len(value) == 1:
        keys.append(next(iter(value)))
        value = value[keys[-1]]
    return tuple(keys), value
