"""What lineage left in a store, by the sources' own ids, and how to get it there.

Two stores that came to the same conclusions are equal here, whatever integers they use inside.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived_blocks
from vpemetrics.store.columns import rows_of
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.shas import commit_id, unpack, unpack_one
from vpemetrics.usecases.update_lineage import bring_up_to_date

SOURCE = "made-up"

Parts = tuple[str, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Made(NamedTuple):
    """A deployment or an attempt at one; times in microseconds, None where unknown."""

    parts: Parts
    kind: str
    started_at: int | None
    finished_at: int
    commit: str | None
    rolled_back: bool
    first: bool
    ships: bool
    unplanned: str | None


class Sent(NamedTuple):
    """Where a change was shipped, and its samples' starts or why it has none."""

    deployment: Parts
    starts: tuple[int, ...]
    first_at: int | None
    at_merge: bool
    reason: str | None


class Piece(NamedTuple):
    """One piece of evidence; `deployment` is () where nothing is blamed, `by` where nothing is."""

    service: str
    deployment: Parts
    grade: str
    what: str
    incident: str | None
    by: Parts
    counts: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Stored:
    """All that was derived, by service; changes by pull request's id or direct commit's sha."""

    deployments: dict[str, list[Made]]
    shipped: dict[tuple[str, str], Sent]
    waiting: dict[tuple[str, str], str | None]
    evidence: list[Piece]
    attribution: dict[str, str]
    problems: dict[str, str]
    beside: list[tuple[Any, ...]]
    """What stands beside shipped changes and evidence so that nobody has to look for it."""

    def kinds(self, service: str) -> str:
        """The kinds of a service's deployments in a row, without attempts."""
        found = self.deployments[service]
        return " ".join(one.kind for one in found if one.kind != "attempt")

    def counted(self) -> dict[tuple[str, Parts], str]:
        """The strongest grade of each deployment that failed, by service and parts."""
        blamed = [e for e in self.evidence if e.counts and e.deployment]
        ranked = sorted(blamed, key=lambda e: e.grade, reverse=True)
        return {(e.service, e.deployment): e.grade for e in ranked}


def derive(records: Iterable[AnyRecord], rules: Rules) -> Stored:
    """What lineage makes of records saved at once in a new store."""
    with empty_store() as store:
        store.save(SOURCE, records)
        bring_up_to_date(store, rules)
        return read(store)


@contextmanager
def empty_store() -> Iterator[Store]:
    """A store with nothing in it, gone afterwards."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        path.write_bytes(_nothing())
        with Store.open(path) as store:
            yield store


@cache
def _nothing() -> bytes:
    with TemporaryDirectory() as folder:
        path, alone = Path(folder) / "store.db", Path(folder) / "alone.db"
        with Store.open(path):
            pass
        copyfile(path, alone)
        return alone.read_bytes()


def read(store: Store) -> Stored:
    """What a store's derived columns hold."""
    with store.view() as connection:
        return _Reader(connection).everything()


def parts_of_deployments(store: Store) -> Mapping[int | None, Parts]:
    """The sources' ids of the records that each deployment is made of, by its id."""
    with store.view() as connection:
        return _Reader(connection).parts


class _Reader:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[int | None, str] = dict(self._rows("SELECT id, name FROM names"))
        self._shas = self._read_shas()
        self._changes: dict[int, str] = dict(self._rows("SELECT id, key FROM changes"))
        self._incidents: dict[int | None, str] = dict(self._rows("SELECT id, key FROM incidents"))
        self.parts = self._read_parts()

    def _rows(self, sql: str) -> Any:
        return [tuple(row) for row in self._connection.exec_driver_sql(sql)]

    def _part(self, part: Part) -> Iterator[Any]:
        """The rows of a part, with None for what is unknown."""
        return rows_of(derived_blocks.read(self._connection, part))

    def _read_shas(self) -> dict[int | None, str]:
        """Everything that is named as a commit, by its id."""
        columns = ("shas FROM commit_chunks", "commit_sha FROM deployments")
        packed = [data for column in columns for (data,) in self._rows(f"SELECT {column}") if data]
        return {commit_id(sha): sha for data in packed for sha in unpack(bytes(data))}

    def _read_parts(self) -> dict[int | None, Parts]:
        order = {id_: at for at, (id_,) in enumerate(self._rows(
            "SELECT id FROM deployments ORDER BY COALESCE(finished_at, started_at), key"
        ))}  # fmt: skip
        keys = dict(self._rows("SELECT id, key FROM deployments"))
        found: dict[int | None, Parts] = {None: ()}
        for row in sorted(self._part(Part.RECORDS), key=lambda row: order[row.record_id]):
            found[row.deployed_id] = (*found.get(row.deployed_id, ()), keys[row.record_id])
        return found

    def everything(self) -> Stored:
        traced = self._rows("SELECT service_id, attribution, problems FROM traced")
        return Stored(
            deployments=self._deployments([row[0] for row in traced]),
            shipped=_once(self._shipped()),
            waiting=_once(self._waiting()),
            evidence=sorted(self._evidence(), key=repr),
            attribution={self._names[service]: how for service, how, _ in traced},
            problems={self._names[service]: found for service, _, found in traced},
            beside=sorted(self._beside(), key=repr),
        )

    def _beside(self) -> Iterator[tuple[Any, ...]]:
        """Of the author, whose hash each store makes by a key of its own, if one is known."""
        for part in (Part.SHIPPED, Part.EARLY):
            for row in self._part(part):
                key = self._changes[row.item] if row.item > 0 else self._shas[-row.item]
                said = row.merged_at, row.ready_at, row.first_review_at, row.lines
                yield self._names[row.service_id], part, key, *said, row.author is not None
        for row in self._part(Part.WAITING):
            yield self._names[row.service_id], self._changes[row.item], row.merged_at
        for row in self._part(Part.EVIDENCE):
            moments = row.finished_at, row.mended_at, row.began_at, row.noticed_at, row.restored_at
            yield self._names[row.service_id], self.parts[row.deployed_id], *moments

    def _deployments(self, services: Iterable[int]) -> dict[str, list[Made]]:
        shas = dict(self._rows("SELECT id, commit_sha FROM deployments"))
        found: dict[str, list[Made]] = {self._names[service]: [] for service in services}
        for row in sorted(self._part(Part.DEPLOYED), key=lambda row: row.finished_at):
            found[self._names[row.service_id]].append(
                Made(
                    self.parts[row.id],
                    row.kind,
                    row.started_at,
                    row.finished_at,
                    unpack_one(shas[row.id]),
                    row.rolled_back,
                    row.first,
                    row.ships,
                    row.unplanned,
                )
            )
        return found

    def _shipped(self) -> Iterator[tuple[tuple[str, str], Sent]]:
        for row in self._part(Part.SHIPPED):
            key = self._changes[row.item] if row.item > 0 else self._shas[-row.item]
            more = map(int, row.more_starts.split())
            starts = () if row.start_at is None else (row.start_at, *more)
            sent = Sent(self.parts[row.deployed_id], starts, row.first_at, row.at_merge, row.reason)
            yield (self._names[row.service_id], key), sent

    def _waiting(self) -> Iterator[tuple[tuple[str, str], str | None]]:
        for row in self._part(Part.WAITING):
            yield (self._names[row.service_id], self._changes[row.item]), row.reason

    def _evidence(self) -> Iterator[Piece]:
        for row in self._part(Part.EVIDENCE):
            yield Piece(
                self._names[row.service_id],
                self.parts[row.deployed_id],
                row.grade,
                row.what,
                self._incidents.get(row.incident_id),
                self.parts[row.restored_by],
                row.chosen,
                row.detail,
            )


def _once(rows: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    """Rows by key; a change that is booked twice in a service is always a mistake."""
    listed = list(rows)
    found = dict(listed)
    assert len(found) == len(listed)
    return found
