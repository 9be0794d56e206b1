"""Single records by the names people use, and what lineage holds of them."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, Table, select

from vpemetrics.lineage.rows import Kind
from vpemetrics.names import name_key
from vpemetrics.records import Change, Commit, Deployment, Incident
from vpemetrics.store import tables as t
from vpemetrics.store.columns import Arrays, rows_of
from vpemetrics.store.commit_chunks import find_shas, shas_of
from vpemetrics.store.derived_blocks import read
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.interning import matching
from vpemetrics.store.shas import commit_id, is_beginning, unpack_one
from vpemetrics.window import MISSING

View = Connection
"""The connection that `Store.view` gives: one moment of the store."""

_NEARBY = 2_000
_LISTED = 20
_BY_KEY = {Deployment.KIND: t.deployments, Change.KIND: t.changes, Incident.KIND: t.incidents}


class Match(NamedTuple):
    """A record that a name may mean: its kind, its id in the store, its name."""

    kind: str
    id: int
    name: str
    source: str


def find(connection: View, name: str) -> list[Match]:
    """The records a name may mean.

    An id of a deployment, pull request or incident; `#123` or `owner/repository#123`;
    a sha of at least seven characters, abbreviated or whole.
    """
    found = [match for kind in _BY_KEY for match in _by_key(connection, kind, name)]
    return found or _by_number(connection, name) or _by_sha(connection, name)


def _by_key(connection: View, kind: str, key: str) -> list[Match]:
    table = _BY_KEY[kind]
    # Of every source there may be, as the index of keys begins with the source.
    any_source = table.c.source_id.in_(select(t.names.c.id))
    return _matches(connection, kind, _select_keys(table).where(any_source, table.c.key == key))


def _select_keys(table: Table) -> Select[Any]:
    query = select(table.c.id, table.c.key, t.names.c.name)
    return query.join(t.names, t.names.c.id == table.c.source_id).order_by(table.c.id)


def _matches(connection: View, kind: str, query: Select[Any]) -> list[Match]:
    return [Match(kind, *row) for row in connection.execute(query)]


def _by_number(connection: View, name: str) -> list[Match]:
    repository, mark, number = name.rpartition("#")
    if not mark or not number.isdecimal():
        return []
    query = _select_keys(t.changes).where(t.changes.c.number == int(number))
    if repository:
        wanted, named = name_key(repository), connection.execute(select(t.names)).all()
        ids = [row.id for row in named if name_key(row.name) == wanted]
        query = query.where(t.changes.c.repository_id.in_(ids))
    return _matches(connection, Change.KIND, query)


def _by_sha(connection: View, name: str) -> list[Match]:
    sha = name.lower()
    if not is_beginning(sha):
        return []
    found = find_shas(connection, [sha])[sha][:_LISTED]
    return [Match(Commit.KIND, commit_id(sha), sha, "") for sha in found]


def find_similar(connection: View, name: str) -> list[str]:
    """Names of records that begin as a name does, for the one that was meant to be among them."""
    stem = name[: max(3, len(name) // 2)]
    found: list[str] = []
    for table in _BY_KEY.values():
        key = table.c.key
        query = select(key).where(key.istartswith(stem, autoescape=True)).limit(_NEARBY)
        found += connection.scalars(query)
    return found


class NamedRecord(NamedTuple):
    """A record as it is called, and where to read on; `commit` is the sha a deployment brought."""

    kind: str
    name: str
    url: str | None
    commit: str | None = None


def deployments(connection: View, ids: Collection[int]) -> dict[int, NamedRecord]:
    """Names of deployments, by their ids, which are those of the records that completed them."""
    plain = _plain(ids)
    shas = _texts(connection, t.deployments, "commit_sha", plain)
    keys = _texts(connection, t.deployments, "key", plain)
    urls = _texts(connection, t.deployments, "url", plain)
    return {
        id_: NamedRecord(Deployment.KIND, keys[id_], urls[id_], unpack_one(shas[id_]))
        for id_ in plain
    }


def items(connection: View, ids: Collection[int]) -> dict[int, NamedRecord]:
    """Names of changes: pull requests, and direct commits under minus their id."""
    plain = _plain(ids)
    changes = [id_ for id_ in plain if id_ > 0]
    keys = _texts(connection, t.changes, "key", changes)
    urls = _texts(connection, t.changes, "url", changes)
    shas = shas_of(connection, [-id_ for id_ in plain if id_ < 0])
    return {id_: NamedRecord(Change.KIND, keys[id_], urls[id_]) for id_ in changes} | {
        -id_: NamedRecord(Commit.KIND, sha, None) for id_, sha in shas.items()
    }


def pull_requests(connection: View, ids: Collection[int]) -> dict[int, tuple[int | None, str]]:
    """Numbers and repositories of pull requests, by their ids."""
    numbers = _texts(connection, t.changes, "number", ids)
    repositories = _texts(connection, t.changes, "repository_id", ids)
    names = _texts(connection, t.names, "name", set(repositories.values()))
    return {id_: (numbers[id_], names[repositories[id_]]) for id_ in numbers}


def _plain(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(map(int, ids)))


def _texts(connection: View, table: Table, column: str, ids: Iterable[int]) -> dict[int, Any]:
    return matching(connection, wanted=table.c[column], given=table.c.id, values=_plain(ids))


def are_imported(connection: View, kind: str, keys: Collection[str]) -> bool:
    """Tell whether all records of some ids were imported, and none collected."""
    table, collected = _BY_KEY[kind], select(t.collections.c.source_id)
    query = select(table.c.id).where(table.c.source_id.in_(collected), table.c.key.in_(keys))
    return connection.execute(query.limit(1)).first() is None


def judged_by_other_lists(connection: View, lists: str) -> list[str]:
    """The imported records whose authors were judged by other lists, by kind and source."""
    table, names = t.author_lists, t.names
    query = select(table.c.kind, names.c.name).join(names, names.c.id == table.c.source_id)
    found = connection.execute(query.where(table.c.lists != lists)).all()
    return sorted(f"{kind} of {source}" for kind, source in found)


def deployments_of_nothing(connection: View) -> list[str]:
    """The ids of deployments that name neither a service nor a repository, in order."""
    table = t.deployments.c
    nowhere = table.service_id.is_(None), table.repository_id.is_(None)
    return list(connection.scalars(select(table.key).where(*nowhere).order_by(table.key)))


def deployment_of(connection: View, record: int) -> Any | None:
    """The deployment that lineage made of a record: a row of it, None if it made none."""
    found = read(connection, Part.RECORDS, keep=lambda rows: rows["record_id"] == record)
    for id_, service in zip(found["deployed_id"], found["service_id"].tolist(), strict=True):
        whole = _read_id(connection, Part.DEPLOYED, "id", id_, services=[service])
        return next(rows_of(whole), None)
    return None


def records_with(connection: View, deployed: int) -> list[int]:
    """The records that are one deployment."""
    found = _read_id(connection, Part.RECORDS, "deployed_id", deployed)
    records: list[int] = found["record_id"].tolist()
    return records


def shipments_in(connection: View, deployed: int) -> list[Any]:
    """The changes that a deployment was the first to ship, by the start of their lead time."""
    found = _read_id(connection, Part.SHIPPED, "deployed_id", deployed)
    return list(rows_of(found, np.lexsort((found["item"], found["start_at"]))))


def shipments_of(connection: View, item: int) -> list[Any]:
    """The deployments that first shipped a change: rows of what was shipped, one a service."""
    found = _read_id(connection, Part.SHIPPED, "item", item)
    return list(rows_of(found, np.argsort(found["finished_at"], kind="stable")))


def waits_of(connection: View, change: int) -> list[Any]:
    """Services that have not shipped a pull request."""
    return list(rows_of(_read_id(connection, Part.WAITING, "item", change)))


def deployments_between(connection: View, service: int, start: int, end: int) -> list[Any]:
    """Deployments of a service that finished from one moment to just before another."""
    found = read(connection, Part.DEPLOYED, start=start, end=end, services=[service])
    return [row for row in rows_of(found) if row.kind != Kind.ATTEMPT]


def evidence_about(
    connection: View, *, deployed: int | None = None, incident: int | None = None
) -> list[Any]:
    """All evidence about a deployment or an incident, that which counts first.

    Each with the incident's name (`incident`).
    """
    if deployed is None:
        return _evidence(connection, "incident_id", incident)
    return _evidence(connection, "deployed_id", deployed)


def evidence_mended_by(connection: View, deployed: int) -> list[Any]:
    """Evidence of the failures that a deployment mended, as `evidence_about` gives it."""
    return _evidence(connection, "restored_by", deployed)


def evidence_that_counts(connection: View) -> list[Any]:
    """All evidence that counts."""
    return list(rows_of(read(connection, Part.EVIDENCE, keep=lambda rows: rows["chosen"] == 1)))


def _evidence(connection: View, column: str, id_: int | None) -> list[Any]:
    found = _read_id(connection, Part.EVIDENCE, column, id_)
    keys = incident_keys(connection, found["incident_id"].tolist())
    found["incident"] = np.array(
        [keys.get(id_) for id_ in found["incident_id"].tolist()], dtype=object
    )
    return list(rows_of(found, np.lexsort((found["grade"], ~found["chosen"]))))


def incident_keys(connection: View, ids: Iterable[int]) -> dict[int, str]:
    """The sources' ids of incidents, by ours."""
    keys: dict[int, str] = _texts(connection, t.incidents, "key", {*ids} - {MISSING})
    return keys


def _read_id(connection: View, part: Part, column: str, id_: int | None, **of: Any) -> Arrays:
    """The rows of a part that have one id in a column."""
    return read(connection, part, keep=lambda rows: rows[column] == id_, **of)


def decisions_about(connection: View, record: str) -> list[Any]:
    """The decisions about an incident or deployment, the latest first: rows of `triage`."""
    query = select(t.triage).where(t.triage.c.record == record)
    return list(connection.execute(query.order_by(t.triage.c.at.desc())))
