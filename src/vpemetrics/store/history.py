"""The facts lineage is fed with, read from the store in the form it takes.

Reads are in bulk and by columns; a million commits become a few arrays.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import Connection

from vpemetrics.lineage.belonging import Belonging
from vpemetrics.lineage.changes import Changes, IdLists, merge_order
from vpemetrics.lineage.commits import Commits, TouchedPaths
from vpemetrics.lineage.graph import Flags, Graph, Ints, MainLine
from vpemetrics.lineage.ownership import assign_owners
from vpemetrics.lineage.rows import NONE, UNKNOWN, DeploymentRow, IncidentRow, TriageRow
from vpemetrics.lineage.services import Services
from vpemetrics.lineage.trace import History
from vpemetrics.store import derived_blocks
from vpemetrics.store.columns import Arrays, read_many
from vpemetrics.store.derived_blocks import among
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.saving import HIDDEN
from vpemetrics.window import MISSING, Micros


class Facts:
    """The facts, read within one transaction; our services are found by `services`."""

    def __init__(self, connection: Connection, services: Services) -> None:
        self.connection = connection
        self._services = services

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query that has no parameters."""
        # Past SQLAlchemy's own rows, which cost more than the query where there are many.
        return list(self.connection.exec_driver_sql(sql).cursor.fetchall())

    @cached_property
    def names(self) -> dict[int, str]:
        """Interned names by id."""
        return dict(self.rows("SELECT id, name FROM names"))

    @cached_property
    def canonical(self) -> dict[str, str]:
        """Earlier names of repositories, each with the present one."""
        aliases: dict[str, str] = {}
        for name, old in self.rows("SELECT name_id, aliases FROM repositories WHERE aliases <> ''"):
            aliases.update((alias, self.names[name]) for alias in json.loads(old))
        return aliases

    @cached_property
    def default_branches(self) -> dict[str, str]:
        """The default branch of each repository for which it is known."""
        sql = "SELECT name_id, default_branch FROM repositories WHERE default_branch IS NOT NULL"
        return {self.names[name]: branch for name, branch in self.rows(sql)}

    def repository(self, id_: int | None) -> str | None:
        """The present name of a repository by the id of a name."""
        if id_ is None:
            return None
        name = self.names[id_]
        return self.canonical.get(name, name)

    @cached_property
    def deployed_from(self) -> dict[str, set[str]]:
        """Our services, each with the repositories its production deployments name."""
        found: dict[str, set[str]] = defaultdict(set)
        for (_, repository_id, _), name in self._production.items():
            repository = self.repository(repository_id)
            found[name].update({repository} if repository else ())
        for name, repositories in found.items():
            configured = self._services.configured(name).repository
            if configured:
                repositories.add(configured)
        return dict(found)

    @cached_property
    def _production(self) -> dict[tuple[int | None, int | None, int], str]:
        """Our services by what production deployments name: service, repository, environment."""
        found = {}
        sql = "SELECT DISTINCT service_id, repository_id, environment_id FROM deployments"
        for service_id, repository_id, environment_id in self.rows(sql):
            name = self._service_of(service_id, repository_id)
            if name and self._services.is_production(name, self.names[environment_id]):
                found[service_id, repository_id, environment_id] = name
        return found

    def _service_of(self, service_id: int | None, repository_id: int | None) -> str | None:
        source_name = None if service_id is None else self.names[service_id]
        return self._services.name(source_name, self.repository(repository_id))

    def touched_since(self, batch: int) -> set[str]:
        """Our services that saves after a batch say something new about."""
        new = f" WHERE batch > {batch}"
        everything = ("triage", "repositories")
        if any(self.rows(f"SELECT 1 FROM {table}{new} LIMIT 1") for table in everything):
            return set(self.deployed_from)
        repositories = {
            self.repository(row[0])
            for table in ("commits", "changes")
            for row in self.rows(f"{_EACH}repository_id FROM {table}{new}")
        }
        touched = {
            name for name, mine in self.deployed_from.items() if not mine.isdisjoint(repositories)
        }
        pairs = self.rows(f"{_EACH}service_id, repository_id FROM deployments{new}")
        touched.update(name for pair in pairs if (name := self._service_of(*pair)))
        for services, named in self.rows(_NEW_INCIDENTS + new):
            if named or not services:
                return set(self.deployed_from)
            found = (self._services.name(name, None) for name in json.loads(services))
            touched.update(name for name in found if name)
        for part, column, table in _BEFORE:
            touched.update(self._holding(part, column, f"SELECT id FROM {table}{new}"))
        return touched

    def _holding(self, part: Part, column: str, sql: str) -> set[str]:
        """Our services in which a record of a query was something before."""
        ids = np.unique(np.array(self.rows(sql), dtype=np.int64))
        if not len(ids):
            return set()
        found = derived_blocks.read(
            self.connection, part, keep=lambda rows: among(rows[column], ids)
        )
        return {self.names[service] for service in np.unique(found["service_id"]).tolist()}

    def moved(self, since: int | None) -> set[str]:
        """Our services that lineage gave deployments which are another's by now, or nobody's.

        Of deployments that saves after a batch changed, or of all if that is None.
        """
        renamed = since and self.rows(f"SELECT 1 FROM repositories WHERE batch > {since} LIMIT 1")
        where = "" if since is None or renamed else f" WHERE batch > {since}"
        given = derived_blocks.read(self.connection, Part.RECORDS)
        if not len(given["record_id"]):
            return set()
        found = read_many(self.connection, _HOMES + where)
        order = np.argsort(found["id"])
        ids = found["id"][order]
        mine = among(given["record_id"], ids)
        at = order[np.searchsorted(ids, given["record_id"][mine])]
        named = (found[name][at] for name in ("service_id", "repository_id", "environment_id"))
        homes = np.unique(np.column_stack([given["service_id"][mine], *named]), axis=0)
        production = {tuple(map(_id, key)): name for key, name in self._production.items()}
        return {
            self.names[service]
            for service, *home in homes.tolist()
            if production.get(tuple(home)) != self.names[service]
        }

    def deployments(self, wanted: Collection[str]) -> dict[str, list[DeploymentRow]]:
        """Production records by our service, of those services that are wanted."""
        found: dict[str, list[DeploymentRow]] = {name: [] for name in wanted}
        wanted_ids = [named for named, name in self._production.items() if name in found]
        homes = {
            tuple(map(_id, named)): (
                found[self._production[named]],
                self.names[named[2]],
            )
            for named in wanted_ids
        }
        in_production = _in("environment_id", {named[2] for named in wanted_ids})
        of_services = _in("service_id", {named[0] for named in wanted_ids})
        sql = f"{_DEPLOYMENTS} WHERE {of_services} AND {in_production}"
        columns = read_many(self.connection, sql, text=("key", "status", "version")).values()
        truths = {1: True, 0: False, NONE: None}.__getitem__
        told = [column.tolist() for column in columns]
        for named, row in zip(
            zip(*told[:3], strict=True), zip(*told[3:], strict=True), strict=True
        ):
            if named in homes:
                rows, environment = homes[named]
                id_, key, *more = row[:-3]
                rows.append(DeploymentRow(id_, key, environment, *more, *map(truths, row[-3:])))
        return found

    def history(
        self, repositories: Collection[str], *, paths: bool, shared_by: Iterable[int] = ()
    ) -> History:
        """Commits and pull requests of repositories; touched paths only where they matter.

        `shared_by` are the ids of the commits that services deployed, where there are several.
        """
        where = f" WHERE {self._in_repositories(repositories)}"
        commits = self.commits(where)
        graph = Graph(commits.ids, commits.first, commits.second, commits.others)
        ownership = assign_owners(graph, commits, self.changes(where))
        touched = self.paths(where) if paths else TouchedPaths()
        tips = set(graph.places_of(shared_by).values()) - {NONE}
        return History(
            ownership=ownership,
            belonging=Belonging(ownership=ownership, paths=touched),
            line=MainLine(graph, tips) if tips else None,
        )

    def _in_repositories(self, repositories: Collection[str]) -> str:
        """The condition that a commit or pull request is of one of these repositories."""
        ids = [id_ for name in repositories for id_ in self._names_of_repositories.get(name, ())]
        return _in("repository_id", ids)

    @cached_property
    def _names_of_repositories(self) -> dict[str, list[int]]:
        """The ids of all names that a repository has or had, by its present one."""
        found: dict[str, list[int]] = defaultdict(list)
        for id_ in self.names:
            if name := self.repository(id_):
                found[name].append(id_)
        return found

    def commits(self, where: str) -> Commits:
        """Commits by a condition; one that two sources know counts once."""
        columns = list(read_many(self.connection, _COMMITS + where).values())
        if (np.diff(columns[0]) <= 0).any():
            _, at = np.unique(columns[0], return_index=True)
            columns = [column[at] for column in columns]
        seldom = self.rows(_SELDOM + where + _WITH_SELDOM)  # one look for all three
        ids, first, second, authored_at, committed_at, is_bot = columns
        return Commits(
            ids=ids,
            first=first,
            second=second,
            authored_at=authored_at,
            committed_at=committed_at,
            is_bot=is_bot,
            others={row[0]: _ints(row[1]) for row in seldom if row[1]},
            reverts={row[0]: row[2] for row in seldom if row[2] is not None},
            picked_from={row[0]: row[3] for row in seldom if row[3] is not None},
        )

    def paths(self, where: str) -> TouchedPaths:
        """The paths that commits touch, where they are known."""
        ids: list[int] = []
        which: list[int] = []
        known: dict[str, int] = {}
        # Row by row: all texts at once, of which most are alike, would be the most of memory.
        sql = f"{_PATHS}{where} AND paths IS NOT NULL"
        cursor = self.connection.exec_driver_sql(sql).cursor
        while rows := cursor.fetchmany(_PORTION):
            ids += [row[0] for row in rows]
            which += [known.setdefault(row[1], len(known)) for row in rows]
        lists: list[list[str]] = json.loads(f"[{','.join(known)}]")  # all at once: 5 x
        return TouchedPaths(
            ids=np.array(ids, dtype=np.int64),
            which=np.array(which, dtype=np.int64),
            lists=tuple(map(tuple, lists)),
        )

    def changes(self, where: str) -> Changes:
        """Pull requests by a condition."""
        found = read_many(self.connection, _CHANGES + where, text=_TEXTS)
        lists = _lists(found["commit_ids"])
        order = merge_order(found["id"], found["key"].tolist(), found["merged_at"])
        seldom = self.rows(_SELDOM_OF_CHANGES + where + _WITH_SELDOM_OF_CHANGES)
        place = dict(zip(found["id"][order].tolist(), range(len(order)), strict=True))
        open_ = (found["merged_at"] == MISSING) & (found["closed_at"] == MISSING)

        def by_place(column: int) -> dict[int, tuple[str, ...]]:
            told = ((place[row[0]], row[column]) for row in seldom if row[0] in place)
            return {at: _texts(text) for at, text in sorted(told) if text}

        return Changes(
            ids=found["id"][order],
            keys=found["key"][order].tolist(),
            is_bot=found["is_bot"][order],
            first_commit_at=found["first_commit_at"][order],
            merged_at=found["merged_at"][order],
            merge_commits=found["merge_commit"][order],
            lists=lists.take(order),
            on_other_branch=self._on_other_branch(found)[order],
            head_branches=found["head_branch"][order].tolist(),
            labels=by_place(1),
            reverts=by_place(2),
            closes=by_place(3),
            proposed=lists.take(np.flatnonzero(open_)).ids,
            beside={name: found[name][order] for name in _BESIDE}
            | {"author": _authors(found["author"][order].tolist())},
        )

    def _on_other_branch(self, changes: Arrays) -> Flags:
        """Tell of pull requests whether they are for another branch than the default one."""
        other = np.zeros(len(changes["id"]), dtype=bool)
        for id_ in np.unique(changes["repository_id"]).tolist():
            default = self.default_branches.get(self.repository(id_) or "")
            mine = changes["repository_id"] == id_
            if default:
                branches = changes["base_branch"][mine]
                other[mine] = [bool(branch) and branch != default for branch in branches]
        return other

    def incidents(self) -> list[IncidentRow]:
        """All incidents, in the same order whenever they arrived."""
        return [
            IncidentRow(
                id=row[0],
                key=row[1],
                services=_texts(row[2]),
                began_at=_time(row[3]),
                noticed_at=_time(row[4]),
                restored_at=_time(row[5]),
                external=_truth(row[6]),
                cause_deployment=row[7],
                cause_commit=self._commit(row[8]),
                cause_change=row[9],
            )
            for row in self.rows(_INCIDENTS)
        ]

    def triage(self) -> list[TriageRow]:
        """All decisions of people; of a repeated one the latest counts."""
        return [
            TriageRow(record, verdict, at, cause, max(self._commit(cause), NONE))
            for record, verdict, at, cause in self.rows(
                "SELECT record, verdict, at, cause FROM triage"
            )
        ]

    def _commit(self, sha: str | None) -> int:
        """The id of a commit by its sha or the beginning of it; UNKNOWN if none or several."""
        if not sha:
            return NONE
        lowered = sha.lower()
        if len(lowered) < 7 or set(lowered) - set("0123456789abcdef"):
            return UNKNOWN
        sql = f"SELECT id FROM shas WHERE sha >= '{lowered}' AND sha < '{lowered}g' LIMIT 2"
        found = self.rows(sql)
        return int(found[0][0]) if len(found) == 1 else UNKNOWN


# Once each. Without the sign SQLite takes the index of that column, which has the values in
# order, reads all of it and looks every row up: https://www.sqlite.org/optoverview.html#uplus
_EACH = "SELECT DISTINCT +"
_NEW_INCIDENTS = (
    "SELECT services, COALESCE(cause_deployment, cause_sha, cause_change) FROM incidents"
)
# Where lineage keeps what records are: the part, the column, the table of the records.
_BEFORE = (
    (Part.RECORDS, "record_id", "deployments"),
    (Part.SHIPPED, "item", "changes"),
    (Part.WAITING, "item", "changes"),
    (Part.EVIDENCE, "incident_id", "incidents"),
)
_HOMES = (
    "SELECT id, COALESCE(service_id, -1) AS service_id, "
    "COALESCE(repository_id, -1) AS repository_id, environment_id FROM deployments"
)
_DEPLOYMENTS = (
    "SELECT COALESCE(service_id, -1) AS service_id, COALESCE(repository_id, -1) AS repository_id, "
    "environment_id, id, key, status, COALESCE(sha_id, -1) AS commit_id, version, started_at, "
    "finished_at, COALESCE(planned, -1) AS planned, COALESCE(hotfix, -1) AS hotfix, "
    "COALESCE(rollback, -1) AS rollback FROM deployments"
)
_COMMITS = (
    "SELECT sha_id, COALESCE(parent1_id, -1) AS first, COALESCE(parent2_id, -1) AS second, "
    "authored_at, committed_at, COALESCE(is_bot, -1) AS is_bot FROM commits"
)
_SELDOM = "SELECT sha_id, more_parents, reverts_id, picked_from_id FROM commits"
_WITH_SELDOM = " AND (more_parents <> '' OR reverts_id IS NOT NULL OR picked_from_id IS NOT NULL)"
_PATHS = "SELECT sha_id, paths FROM commits"
_PORTION = 10_000
_NO_IDS: Ints = np.empty(0, dtype=np.int64)
_CHANGES = (
    # Whose author is known and no bot is a person's; without an author the commits decide.
    "SELECT id, key, repository_id, COALESCE(is_bot, CASE WHEN author IS NULL THEN -1 ELSE 0 END) "
    "AS is_bot, first_commit_at, merged_at, closed_at, COALESCE(merge_sha_id, -1) AS merge_commit, "
    "commit_ids, base_branch, head_branch, ready_at, first_review_at, "
    "additions + deletions AS lines, author FROM changes"
)
_TEXTS = ("key", "commit_ids", "base_branch", "head_branch", "author")
_BESIDE = ("ready_at", "first_review_at", "lines")
_SELDOM_OF_CHANGES = "SELECT id, labels, reverts, closes FROM changes"
_WITH_SELDOM_OF_CHANGES = " AND (labels IS NOT NULL OR reverts IS NOT NULL OR closes IS NOT NULL)"
_INCIDENTS = (
    "SELECT id, key, services, COALESCE(impact_started_at, detected_at), "
    "COALESCE(detected_at, impact_started_at), "
    "COALESCE(mitigated_at, resolved_at), external, cause_deployment, cause_sha, cause_change "
    "FROM incidents ORDER BY key, source_id"
)


def _in(column: str, ids: Collection[int | None]) -> str:
    """A condition that a column holds one of these ids, None among them meaning unknown."""
    known = ", ".join(str(id_) for id_ in ids if id_ is not None) or "NULL"
    unknown = f" OR {column} IS NULL" if None in ids else ""
    return f"({column} IN ({known}){unknown})"


def _id(id_: int | None) -> int:
    return NONE if id_ is None else id_


def _ints(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def _lists(texts: Iterable[str | None]) -> IdLists:
    """Lists of ids, each written with spaces between, or None for none."""
    written = [text or "" for text in texts]
    counts = [text.count(" ") + 1 if text else 0 for text in written]
    together = " ".join(filter(None, written))
    return IdLists(
        counts=np.array(counts, dtype=np.int64),
        ids=np.fromstring(together, dtype=np.int64, sep=" ") if together else _NO_IDS,
    )


def _authors(hidden: Iterable[str | None]) -> Ints:
    """The keyed hashes of authors as the integers that their digits are, MISSING for none."""
    known: dict[str | None, int] = {None: MISSING}
    for text in set(hidden) - {None}:
        digits = bytes.fromhex(str(text).removeprefix(HIDDEN))
        known[text] = int.from_bytes(digits, signed=True)
    return np.array([known[text] for text in hidden], dtype=np.int64)


def _texts(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _time(at: int | None) -> Micros:
    return MISSING if at is None else at


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)
