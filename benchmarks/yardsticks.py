"""The yardsticks of vpemetrics: the floor in C++, and rows as quickly as SQLite takes them.

    python benchmarks/yardsticks.py columns FOLDER INTO
    python benchmarks/yardsticks.py rows FOLDER

The first writes the columns that floor.cpp reads, from the import files in FOLDER/history. The
second inserts their rows into tables of the columns and indexes that a store of rows has, by
`executemany` alone, and prints how many there were and the seconds of processor time that took;
reading the files, numbering names and shas and the like is not in it.
"""

import csv
import sqlite3
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

Row = dict[str, str]

TOGETHER: Final = 20_000

_NAMES: Final = {"repository", "environment"}
_COUNTS: Final = {"number", "additions", "deletions", "severity", "attempt"}
_TRUTH: Final = {"": None, "true": 1, "false": 0}


class Numbers(dict[str, int | None]):
    """Texts by number, counted from a first one in the order in which they are met."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self._first = first

    def __missing__(self, text: str) -> int:
        self[text] = number = self._first + len(self)
        return number


def rows_of(folder: Path, kind: str) -> Iterator[Row]:
    """The rows of a kind's file, none where there is no such file."""
    path = folder / f"{kind}.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def micros(text: str) -> int | None:
    """A moment as microseconds since 1970."""
    if not text:
        return None
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def write_columns(folder: Path, into: Path) -> None:
    """Write the columns of floor.cpp: commits are known by their places, -1 is none."""
    history, columns = folder / "history", _Columns()
    places = {row["sha"]: place for place, row in enumerate(rows_of(history, "commits"))}
    for row in rows_of(history, "commits"):
        parents = [places.get(parent, -1) for parent in row["parents"].split()] + [-1, -1]
        columns.add({"first_parent.i4": parents[0], "second_parent.i4": parents[1]})
        columns.add({"authored_at.i8": micros(row["authored_at"])})
    for change, row in enumerate(rows_of(history, "pull_requests")):
        columns.add({"merged_at.i8": micros(row["merged_at"] or "9999-01-01T00:00:00Z")})
        for sha in (
            {row["merge_commit_sha"], *row["commit_shas"].split()} if row["merged_at"] else ()
        ):
            columns.add({"listed.i4": places.get(sha, -1), "listing.i4": change})
    configured = tomllib.loads((folder / "vpemetrics.toml").read_text(encoding="utf-8"))
    team_of = {service["name"]: service["team"] for service in configured["service"]}
    services, teams = Numbers(0), Numbers(0)
    for row in rows_of(history, "deployments"):
        if row["environment"].startswith("production") and row["status"] == "succeeded":
            place, team = services[row["service"]], teams[team_of[row["service"]]]
            columns.add({"service.i4": place, "team.i4": team})
            columns.add({"deployed.i4": places.get(row["commit_sha"], -1)})
            columns.add({"finished_at.i8": micros(row["finished_at"])})
    columns.write(into)


class _Columns:
    """Columns of numbers, each to become a file whose ending is its type."""

    def __init__(self) -> None:
        self._values: dict[str, list[int | None]] = {}

    def add(self, values: dict[str, int | None]) -> None:
        """Add a number to each of some columns."""
        for name, value in values.items():
            self._values.setdefault(name, []).append(value)

    def write(self, folder: Path) -> None:
        """Write the files."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in self._values.items():
            np.array(values, dtype=name.rpartition(".")[2]).tofile(folder / name)


def insert_rows(folder: Path) -> tuple[int, float]:
    """Insert the rows of a history; return how many, and the processor time that it took."""
    with TemporaryDirectory(dir=folder) as place:
        connection = sqlite3.connect(Path(place) / "rows.db", isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        inserting = _Inserting(connection)
        for kind, row_of in _Rows(inserting).kinds.items():
            inserting.insert(kind, map(row_of, rows_of(folder / "history", kind)))
        inserting.insert_texts()
        started = time.process_time()
        connection.execute("COMMIT")
        inserting.seconds += time.process_time() - started
        connection.close()
    return inserting.count, inserting.seconds


class _Inserting:
    """Puts rows into a database, and notes how long it takes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.count, self.seconds = 0, 0.0
        self.shas, self.names = Numbers(1), Numbers(1)
        self.shas[""] = self.names[""] = None
        self._known = {"shas": 1, "names": 1}
        self._connection = connection

    def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert the rows of a kind, and first the shas that they name."""
        pending = iter(rows)
        while together := list(islice(pending, TOGETHER)):
            self.insert_texts()
            self._execute(table, together)
            self.count += len(together)

    def insert_texts(self) -> None:
        """Insert the names and shas that were numbered since the last time."""
        for table, numbers in (("shas", self.shas), ("names", self.names)):
            new = [(id_, text) for text, id_ in islice(numbers.items(), self._known[table], None)]
            self._known[table] += len(new)
            if new:
                self._execute(table, new)

    def _execute(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
        started = time.process_time()
        self._connection.executemany(statement, rows)
        self.seconds += time.process_time() - started


class _Rows:
    """Turns rows of files into rows of tables, kind by kind; ids are counted up."""

    def __init__(self, inserting: _Inserting) -> None:
        self._shas, self._names = inserting.shas, inserting.names
        self._last_id = 0
        self.kinds: dict[str, Callable[[Row], tuple[Any, ...]]] = {
            "repositories": self._repository,
            "commits": self._commit,
            "pull_requests": self._numbered,
            "deployments": self._deployment,
            "incidents": self._numbered,
            "runs": self._numbered,
        }

    def _repository(self, row: Row) -> tuple[Any, ...]:
        return (1, row["id"], self._names[row["name"]], row["aliases"], row["default_branch"], 1)

    def _commit(self, row: Row) -> tuple[Any, ...]:
        first, second, *others = [*row["parents"].split(), "", ""]
        more = " ".join(str(self._shas[sha]) for sha in others if sha) or None
        parents = (self._shas[first], self._shas[second], more)
        values = (self._value(name, text) for name, text in list(row.items())[3:])
        repository = self._names[row["repository"]]
        return (self._shas[row["sha"]], 1, repository, *parents, *values, 1)

    def _deployment(self, row: Row) -> tuple[Any, ...]:
        id_, source, key, environment, status, service, repository, *rest = self._numbered(row)
        service = self._names[service or ""]
        return (id_, source, key, service, repository, environment, status, *rest)

    def _numbered(self, row: Row) -> tuple[Any, ...]:
        self._last_id += 1
        values = (self._value(name, text) for name, text in row.items())
        return (self._last_id, 1, *values, 1)

    def _value(self, name: str, text: str) -> Any:
        if name.endswith("_at"):
            return micros(text)
        if name.endswith("_shas"):
            return " ".join(str(self._shas[sha]) for sha in text.split()) or None
        if name.endswith("_sha") and name != "cause_sha":
            return self._shas[text]
        if name in _NAMES:
            return self._names[text]
        if name in _COUNTS:
            return int(text) if text else None
        return _TRUTH.get(text, text)


PRAGMAS: Final = (
    "page_size = 16384",
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "cache_size = -65536",
    "temp_store = MEMORY",
)

SCHEMA: Final = """
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE shas (id INTEGER PRIMARY KEY, sha TEXT NOT NULL UNIQUE);
CREATE TABLE repositories (
    source INTEGER, key TEXT, name INTEGER, aliases TEXT, default_branch TEXT, batch INTEGER,
    PRIMARY KEY (source, key)
) WITHOUT ROWID;
CREATE TABLE commits (
    sha INTEGER, source INTEGER, repository INTEGER, parent1 INTEGER, parent2 INTEGER,
    more_parents TEXT, authored_at BIGINT, committed_at BIGINT, author TEXT, author_kind TEXT,
    marks TEXT,
    reverts INTEGER, picked_from INTEGER, paths TEXT, batch INTEGER,
    PRIMARY KEY (sha, source, repository)
) WITHOUT ROWID;
CREATE INDEX commits_repository ON commits (repository);
CREATE INDEX commits_batch ON commits (batch);
CREATE TABLE pull_requests (
    id INTEGER PRIMARY KEY, source INTEGER, key TEXT, repository INTEGER, number BIGINT, url TEXT,
    title TEXT, author TEXT, author_kind TEXT, marks TEXT, created_at BIGINT, ready_at BIGINT,
    first_commit_at BIGINT, first_review_at BIGINT, approved_at BIGINT, merged_at BIGINT,
    closed_at BIGINT, merge_commit INTEGER, commits TEXT, base_branch TEXT, head_branch TEXT,
    additions BIGINT, deletions BIGINT, labels TEXT, reverts TEXT, closes TEXT, backports TEXT,
    batch INTEGER,
    UNIQUE (source, key)
);
CREATE INDEX pull_requests_merged_at ON pull_requests (repository, merged_at);
CREATE INDEX pull_requests_batch ON pull_requests (batch);
CREATE TABLE deployments (
    id INTEGER PRIMARY KEY, source INTEGER, key TEXT, service INTEGER, repository INTEGER,
    environment INTEGER, status TEXT, sha INTEGER, version TEXT, started_at BIGINT,
    finished_at BIGINT, is_bot SMALLINT, planned SMALLINT, hotfix SMALLINT, rolled_back SMALLINT,
    light_tag SMALLINT, release_commit SMALLINT, chosen_by_name SMALLINT,
    service_by_name SMALLINT, url TEXT, batch INTEGER,
    UNIQUE (source, key)
);
CREATE INDEX deployments_finished_at ON deployments (service, finished_at);
CREATE INDEX deployments_batch ON deployments (batch);
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY, source INTEGER, key TEXT, services TEXT, title TEXT, severity BIGINT,
    customer_affecting SMALLINT, detected_at BIGINT, impact_started_at BIGINT,
    acknowledged_at BIGINT, mitigated_at BIGINT, resolved_at BIGINT, updated_at BIGINT,
    external SMALLINT, cause_deployment TEXT, cause_sha TEXT, cause_change TEXT, url TEXT,
    batch INTEGER,
    UNIQUE (source, key)
);
CREATE INDEX incidents_batch ON incidents (batch);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, source INTEGER, key TEXT, repository INTEGER, outcome TEXT, name TEXT,
    attempt BIGINT, sha INTEGER, started_at BIGINT, finished_at BIGINT, batch INTEGER,
    UNIQUE (source, key)
);
CREATE INDEX runs_batch ON runs (batch);
"""


def main() -> None:
    """Write the columns of a folder, or insert its rows."""
    match sys.argv[1:]:
        case ["columns", folder, into]:
            write_columns(Path(folder), Path(into))
        case ["rows", folder]:
            print(*insert_rows(Path(folder)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
