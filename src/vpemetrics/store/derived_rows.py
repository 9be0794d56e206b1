"""The passage of lineage's results into their tables: only what differs is written.

Deployments and what they shipped go by the week in which they finished. Where the digest of a
week is that of what was written before, its rows would be the same again, and stay.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Table, delete, insert, select

from vpemetrics.fingerprint import digest
from vpemetrics.lineage.graph import Ints
from vpemetrics.lineage.rows import NONE, Deployed, Evidence, Kind
from vpemetrics.lineage.shipping import Reason, ShippedChanges
from vpemetrics.lineage.trace import Lineage
from vpemetrics.store.bulk import Row, insert_rows
from vpemetrics.store.derived import deployed, deployed_parts, evidence, shipped, traced, waiting
from vpemetrics.window import DAY, MISSING

_WEEK, _THURSDAY = 7 * DAY, 3 * DAY
"""A week, and the time from Monday to the day on which 1970 began."""
_WAITING, _EVIDENCE = "waiting", "evidence"
_KINDS: Final = tuple(Kind)
_UNPLANNED: Final = (None, "rollback", "fix", "revert", "hotfix")
_REASONS: Final = tuple(
    None if reason is Reason.COUNTED else reason.name.lower() for reason in Reason
)
_BYTES: Final = 8

Tell = Callable[[Ints], Sequence[Any]]
"""The way from a column's integers to what is stored."""


@dataclass(frozen=True, kw_only=True)
class TracedService:
    """A service that was traced: the id of its name, under which rules and repositories.

    `digests` are those of what was written of it before.
    """

    id: int
    fingerprint: str
    repositories: Collection[str]
    digests: Mapping[str, str] = field(default_factory=dict)


def save_lineage(connection: Connection, service: TracedService, lineage: Lineage) -> None:
    """Save what came of tracing a service in the place of what was written of it before."""
    columns = _tables(service.id, lineage)
    missing = list(_waiting(service.id, lineage))
    pieces = list(_evidence(service.id, lineage))
    digests = _digests_by_week(columns)
    digests |= {_WAITING: digest(repr(missing)), _EVIDENCE: digest(repr(pieces))}
    changed = {
        part
        for part in digests.keys() | service.digests.keys()
        if digests.get(part) != service.digests.get(part)
    }
    _forget(connection, service.id, changed & service.digests.keys())
    weeks = [int(part) for part in changed & digests.keys() - {_WAITING, _EVIDENCE}]
    for rows in columns:
        insert_rows(connection, rows.table, rows.of(weeks))
    insert_rows(connection, waiting, missing if _WAITING in changed else [])
    insert_rows(connection, evidence, pieces if _EVIDENCE in changed else [])
    _note(connection, service, lineage, digests)


def _note(
    connection: Connection, service: TracedService, lineage: Lineage, digests: Mapping[str, str]
) -> None:
    connection.execute(delete(traced).where(traced.c.service_id == service.id))
    row = {
        "service_id": service.id,
        "fingerprint": service.fingerprint,
        "attribution": lineage.attribution,
        "repositories": json.dumps(sorted(service.repositories)),
        "problems": json.dumps(lineage.problems),
        "digests": json.dumps(digests, separators=(",", ":")),
    }
    connection.execute(insert(traced), row)


def _forget(connection: Connection, service: int, parts: Iterable[str]) -> None:
    """Remove what was written of some parts of a service."""
    for part in parts:
        if part in (_WAITING, _EVIDENCE):
            table = waiting if part == _WAITING else evidence
            connection.execute(delete(table).where(table.c.service_id == service))
            continue
        start, finished_at = int(part) * _WEEK - _THURSDAY, deployed.c.finished_at
        of_week = finished_at >= start, finished_at < start + _WEEK
        gone = select(deployed.c.id).where(deployed.c.service_id == service, *of_week)
        for column in (shipped.c.deployed_id, deployed_parts.c.deployed_id, deployed.c.id):
            connection.execute(delete(column.table).where(column.in_(gone)))


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The rows of a service in one table as columns of integers, and how each is told."""

    table: Table
    weeks: Ints
    columns: Sequence[tuple[Ints, Tell]]

    def by_week(self) -> Iterator[tuple[int, bytes]]:
        """The rows of each week as bytes."""
        order = np.argsort(self.weeks, kind="stable")
        weeks = self.weeks[order]
        data = np.column_stack([values for values, _ in self.columns])[order]
        begins = np.flatnonzero(np.diff(weeks, prepend=MISSING)).tolist()
        for begin, end in zip(begins, [*begins[1:], len(weeks)], strict=True):
            yield int(weeks[begin]), data[begin:end].tobytes()

    def of(self, weeks: Collection[int]) -> list[Row]:
        """The rows of some weeks."""
        wanted = np.isin(self.weeks, list(weeks))
        return list(zip(*(tell(values[wanted]) for values, tell in self.columns), strict=True))


def _digests_by_week(tables: Iterable[_Columns]) -> dict[str, str]:
    hashes: dict[int, Any] = {}
    for rows in tables:
        for week, data in rows.by_week() if len(rows.weeks) else ():
            hashes.setdefault(week, blake2b(digest_size=_BYTES)).update(data)
    return {str(week): found.hexdigest() for week, found in hashes.items()}


def _plain(values: Ints) -> list[Any]:
    told: list[Any] = values.tolist()
    return told


def _time(values: Ints) -> Sequence[Any]:
    told = values.tolist()
    return [None if at == MISSING else at for at in told] if (values == MISSING).any() else told


def _id(values: Ints) -> Sequence[Any]:
    told = values.tolist()
    return [None if id_ < 0 else id_ for id_ in told] if (values < 0).any() else told


def _word(words: Sequence[str | None]) -> Tell:
    return lambda values: [words[code] for code in values.tolist()]


def _tables(service: int, lineage: Lineage) -> tuple[_Columns, ...]:
    """The rows of a service that go by week, of each table in the order of its columns."""
    # By field, one after the other: in a tenth of the time of asking each deployment for it.
    made: dict[str, Sequence[Any]] = dict.fromkeys(Deployed._fields, ())
    made.update(zip(Deployed._fields, zip(*lineage.deployed, strict=True), strict=False))
    ids, finished_at = _numbers(made["id"]), _numbers(made["finished_at"])
    parts = _numbers(list(chain.from_iterable(made["parts"])))
    counts = _numbers(list(map(len, made["parts"])))
    weeks = (finished_at + _THURSDAY) // _WEEK
    shipments = lineage.shipped
    at = shipments.deployments
    return (
        _Columns(table=deployed, weeks=weeks, columns=_deployed(service, made)),
        _Columns(
            table=deployed_parts,
            weeks=np.repeat(weeks, counts),
            columns=(
                (parts, _plain),
                (np.repeat(ids, counts), _plain),
                (np.full(len(parts), service), _plain),
            ),
        ),
        _Columns(
            table=shipped,
            weeks=weeks[at],
            columns=_shipped(service, ids[at], finished_at[at], shipments),
        ),
    )


def _deployed(service: int, made: Mapping[str, Sequence[Any]]) -> Sequence[tuple[Ints, Tell]]:
    finished_at = _numbers(made["finished_at"])
    return (
        (_numbers(made["id"]), _plain),
        (np.full(len(finished_at), service), _plain),
        (_ordinals(finished_at), _plain),
        (_numbers([_CODE_OF_KIND[kind] for kind in made["kind"]]), _word(_KINDS)),
        (_numbers(made["started_at"]), _time),
        (finished_at, _plain),
        (_numbers(made["commit"]), _id),
        (_numbers(made["rolled_back"]), _plain),
        (_numbers(made["first"]), _plain),
        (_numbers(made["ships"]), _plain),
        (_numbers([_CODE_OF_UNPLANNED[why] for why in made["unplanned"]]), _word(_UNPLANNED)),
        (_numbers(made["removed"]), _id),
    )


def _ordinals(finished_at: Ints) -> Ints:
    """The place of each deployment among those of its service that finished at the same moment."""
    order = np.argsort(finished_at, kind="stable")
    _, begins, counts = np.unique(finished_at[order], return_index=True, return_counts=True)
    ordinals = np.empty(len(order), dtype=np.int64)
    ordinals[order] = np.arange(len(order)) - np.repeat(begins, counts)
    return ordinals


_CODE_OF_KIND: Final = {kind: code for code, kind in enumerate(_KINDS)}
_CODE_OF_UNPLANNED: Final = {why: code for code, why in enumerate(_UNPLANNED)}


def _shipped(
    service: int, deployed_ids: Ints, finished_at: Ints, shipments: ShippedChanges
) -> Sequence[tuple[Ints, Tell]]:
    count = len(deployed_ids)
    # A text stands for itself in the digest of a week by a digest of its own.
    texts: dict[int, str | None] = {0: None}
    more_starts = np.zeros(count, dtype=np.int64)
    for row, starts in shipments.more_starts.items():
        text = " ".join(map(str, starts))
        code = int.from_bytes(blake2b(text.encode(), digest_size=_BYTES).digest(), signed=True)
        texts[code], more_starts[row] = text, code
    return (
        (np.full(count, service), _plain),
        (deployed_ids, _plain),
        (shipments.items, _plain),
        (finished_at, _plain),
        (shipments.start_at, _time),
        (more_starts, lambda values: [texts[code] for code in values.tolist()]),
        (shipments.merged_at, _time),
        (shipments.first_at, _time),
        (shipments.at_merge.astype(np.int64), _plain),
        (shipments.reasons, _word(_REASONS)),
    )


def _waiting(service: int, lineage: Lineage) -> Iterable[Row]:
    columns = lineage.waiting.ids.tolist(), lineage.waiting.reasons.tolist()
    for id_, reason in zip(*columns, strict=True):
        yield service, id_, _REASONS[reason]


def _evidence(service: int, lineage: Lineage) -> Iterable[Row]:
    def deployment(position: int) -> int | None:
        return None if position == NONE else lineage.deployed[position].id

    def row(ordinal: int, one: Evidence) -> Row:
        incident = None if one.incident < 0 else one.incident
        said, chosen = (one.grade, one.what, one.detail), int(one.chosen)
        blamed, mender = deployment(one.deployment), deployment(one.restored_by)
        return service, blamed, incident, *said, mender, chosen, ordinal

    return [row(ordinal, one) for ordinal, one in enumerate(lineage.evidence)]


def _numbers(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
