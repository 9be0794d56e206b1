"""The commits that were read of a repository: a column for each thing that git tells of them."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from vpemetrics.record_columns import Instants, RecordColumns
from vpemetrics.window import known_instant


class CommitsRead:
    """Commits by their shas, in the order in which they were read; one that came again counts."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.parents: dict[str, tuple[str, ...]] = {}
        """The parents of each."""
        self._rows: dict[str, int] = {}
        self._parts: list[RecordColumns] = []
        self._count = 0

    def add(self, told: RecordColumns) -> None:
        """Note commits."""
        shas = told.values["sha"]
        self.parents.update(zip(shas, told.values["parents"], strict=True))
        self._rows.update(zip(shas, range(self._count, self._count + len(told)), strict=True))
        self._count += len(told)
        self._parts.append(told)

    def records(self, shas: Sequence[str]) -> RecordColumns:
        """The records of some commits, in that order."""
        return self._told.take(self._places(shas))

    def committed_at(self, shas: Sequence[str]) -> Instants:
        """The moments at which some were committed."""
        return self._told.moments["committed_at"][np.array(self._places(shas), dtype=np.int64)]

    def moment_of(self, sha: str) -> datetime | None:
        """The moment at which one was committed."""
        return known_instant(self._told.moments["committed_at"][self._rows[sha]])

    def _places(self, shas: Sequence[str]) -> list[int]:
        return list(map(self._rows.__getitem__, shas))

    @property
    def _told(self) -> RecordColumns:
        if len(self._parts) > 1:
            self._parts = [RecordColumns.join(self._parts)]
        return self._parts[0]
