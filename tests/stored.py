"""What lineage left in a store, by the sources' own ids, and how to get it there.

Two stores that came to the same conclusions are equal here, whatever integers they use inside.
"""

from collections.abc import Iterable, Iterator
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
from vpemetrics.store import Store
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
    """What a store's derived tables hold."""
    with store.view() as connection:
        return _Reader(connection).everything()


class _Reader:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[int | None, str] = dict(self._rows("SELECT id, name FROM names"))
        self._shas: dict[int | None, str] = dict(self._rows("SELECT id, sha FROM shas"))
        self._changes: dict[int, str] = dict(self._rows("SELECT id, key FROM changes"))
        self._incidents: dict[int | None, str] = dict(self._rows("SELECT id, key FROM incidents"))
        self._parts = self._read_parts()

    def _rows(self, sql: str) -> Any:
        return [tuple(row) for row in self._connection.exec_driver_sql(sql)]

    def _read_parts(self) -> dict[int | None, Parts]:
        found: dict[int | None, Parts] = {None: ()}
        for deployed, key in self._rows(
            "SELECT p.deployed_id, d.key FROM deployed_parts p JOIN deployments d "
            "ON d.id = p.record_id ORDER BY d.finished_at, d.key"
        ):
            found[deployed] = (*found.get(deployed, ()), key)
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
        )

    def _deployments(self, services: Iterable[int]) -> dict[str, list[Made]]:
        found: dict[str, list[Made]] = {self._names[service]: [] for service in services}
        for id_, service, kind, started, finished, sha, *flags, unplanned in self._rows(
            "SELECT id, service_id, kind, started_at, finished_at, sha_id, rolled_back, first, "
            "ships, unplanned FROM deployed ORDER BY finished_at, ordinal"
        ):
            rolled_back, first, ships = map(bool, flags)
            commit = self._shas.get(sha)
            parts = self._parts[id_]
            one = Made(parts, kind, started, finished, commit, rolled_back, first, ships, unplanned)
            found[self._names[service]].append(one)
        return found

    def _shipped(self) -> Iterator[tuple[tuple[str, str], Sent]]:
        for service, deployed, item, start, more, first_at, at_merge, reason in self._rows(
            "SELECT service_id, deployed_id, item, start_at, more_starts, first_at, at_merge, "
            "reason FROM shipped"
        ):
            key = self._changes[item] if item > 0 else self._shas[-item]
            starts = () if start is None else (start, *map(int, (more or "").split()))
            sent = Sent(self._parts[deployed], starts, first_at, bool(at_merge), reason)
            yield (self._names[service], key), sent

    def _waiting(self) -> Iterator[tuple[tuple[str, str], str | None]]:
        for service, change, reason in self._rows(
            "SELECT service_id, change_id, reason FROM waiting"
        ):
            yield (self._names[service], self._changes[change]), reason

    def _evidence(self) -> Iterator[Piece]:
        for service, deployed, grade, what, incident, by, chosen, detail in self._rows(
            "SELECT service_id, deployed_id, grade, what, incident_id, restored_by, chosen, "
            "detail FROM evidence"
        ):
            yield Piece(
                self._names[service],
                self._parts[deployed],
                grade,
                what,
                self._incidents.get(incident),
                self._parts[by],
                bool(chosen),
                detail,
            )


def _once(rows: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    """Rows by key; a change that is booked twice in a service is always a mistake."""
    listed = list(rows)
    found = dict(listed)
    assert len(found) == len(listed)
    return found
