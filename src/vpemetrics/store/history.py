"""The facts lineage is fed with, read from the store in the form it takes.

Reads are in bulk and by columns; a million commits become a few arrays.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from vpemetrics.lineage.changes import Belonging, CommitFacts, Ownership
from vpemetrics.lineage.graph import Graph, Ints
from vpemetrics.lineage.rows import (
    NONE,
    UNKNOWN,
    ChangeRow,
    DeploymentRow,
    IncidentRow,
    TriageRow,
)
from vpemetrics.lineage.services import Services
from vpemetrics.lineage.trace import History
from vpemetrics.store.columns import read_many
from vpemetrics.store.tables import changes, names
from vpemetrics.window import MISSING, Micros


class Commits(NamedTuple):
    """Commits as columns, in the order of their ids; those few that name others by id."""

    ids: Ints
    first: Ints
    second: Ints
    authored_at: Ints
    committed_at: Ints
    is_bot: Ints
    others: dict[int, tuple[int, ...]]
    reverts: dict[int, int]
    picked_from: dict[int, int]

    def only(self, ids: Ints) -> "Commits":
        """Those of them that have one of these ids."""
        mine = np.isin(self.ids, ids)
        known = frozenset(self.ids[mine].tolist())
        return Commits(
            ids=self.ids[mine],
            first=self.first[mine],
            second=self.second[mine],
            authored_at=self.authored_at[mine],
            committed_at=self.committed_at[mine],
            is_bot=self.is_bot[mine],
            others={sha: parents for sha, parents in self.others.items() if sha in known},
            reverts={sha: other for sha, other in self.reverts.items() if sha in known},
            picked_from={sha: other for sha, other in self.picked_from.items() if sha in known},
        )


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
        sql = "SELECT DISTINCT service_id, repository_id, environment_id FROM deployments"
        for service_id, repository_id, environment_id in self.rows(sql):
            repository = self.repository(repository_id)
            source_name = None if service_id is None else self.names[service_id]
            name = self._services.name(source_name, repository)
            if name and self._services.is_production(name, self.names[environment_id]):
                found[name].update({repository} if repository else ())
        for name, repositories in found.items():
            configured = self._services.configured(name).repository
            if configured:
                repositories.add(configured)
        return dict(found)

    def renamed_since(self, batch: int) -> bool:
        """Tell whether saves after a batch say something new about repositories themselves."""
        return bool(self.rows(f"SELECT 1 FROM repositories WHERE batch > {batch} LIMIT 1"))

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
        for before in _BEFORE:
            touched.update(self.names[row[0]] for row in self.rows(before + new + ")"))
        return touched

    def deployments(
        self, wanted: Collection[str], and_: str = ""
    ) -> dict[str, list[DeploymentRow]]:
        """Production records by our service, of those services that are wanted."""
        named = self._service_of_pair
        ids = [pair[0] for pair, name in named.items() if name in wanted]
        found: dict[str, list[DeploymentRow]] = {name: [] for name in wanted}
        for row in self.rows(_DEPLOYMENTS + _in("service_id", ids) + and_):
            service = named[row[1], row[2]]
            environment = self.names[row[3]]
            if service in found and self._services.is_production(service, environment):
                found[service].append(self._deployment(row, environment))
        return found

    @cached_property
    def _service_of_pair(self) -> dict[tuple[int | None, int | None], str | None]:
        """Our service by the ids of what a deployment names: its service, its repository."""
        sql = "SELECT DISTINCT service_id, repository_id FROM deployments"
        return {(row[0], row[1]): self._service_of(*row) for row in self.rows(sql)}

    def _service_of(self, service_id: int | None, repository_id: int | None) -> str | None:
        source_name = None if service_id is None else self.names[service_id]
        return self._services.name(source_name, self.repository(repository_id))

    def _deployment(self, row: tuple[Any, ...], environment: str) -> DeploymentRow:
        return DeploymentRow(
            id=row[0],
            key=row[4],
            environment=environment,
            status=row[5],
            commit=NONE if row[6] is None else row[6],
            version=row[7],
            started_at=_time(row[8]),
            finished_at=_time(row[9]),
            planned=_truth(row[10]),
            hotfix=_truth(row[11]),
            rollback=_truth(row[12]),
            repository=self.repository(row[2]),
        )

    def history(self, repositories: Collection[str], *, paths: bool) -> History:
        """Commits and pull requests of repositories; touched paths only where they matter."""
        history, _ = self.history_of_commits(repositories, paths=paths)
        return history

    def history_of_commits(
        self, repositories: Collection[str], *, paths: bool
    ) -> tuple[History, "Commits"]:
        """A history, and the commits it was built from."""
        where = self.in_repositories(repositories)
        touched = self.paths(where) if paths else {}
        commits = self.commits(where)
        return self.built(commits, self.changes(where), touched), commits

    def in_repositories(self, repositories: Collection[str]) -> str:
        """The condition that a commit or pull request is of one of these repositories."""
        ids = [id_ for id_ in self.names if self.repository(id_) in repositories]
        return _in("repository_id", ids)

    def commits(self, where: str) -> "Commits":
        """Commits by a condition; one that two sources know counts once."""
        columns = list(read_many(self.connection, _COMMITS + where).values())
        _, at = np.unique(columns[0], return_index=True)
        seldom = self.rows(_SELDOM + where + _WITH_SELDOM)  # one look for all three
        ids, first, second, authored_at, committed_at, is_bot = (c[at] for c in columns)
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

    def paths(self, where: str) -> dict[int, tuple[str, ...]]:
        """The paths that commits touch, by their id, where they are known."""
        found = self.rows(_PATHS + where + " AND paths IS NOT NULL")
        paths_of = json.loads(f"[{','.join(text for _, text in found)}]")  # all at once: 5 x
        return dict(zip((sha for sha, _ in found), map(tuple, paths_of), strict=True))

    def built(
        self,
        commits: "Commits",
        changes: Iterable[ChangeRow],
        paths: Mapping[int, tuple[str, ...]],
        owned: Mapping[int, int] | None = None,
    ) -> History:
        """A history of commits and pull requests; `owned` is what was sorted out before."""
        graph = Graph(commits.ids, commits.first, commits.second, commits.others)
        index = graph.index
        facts = CommitFacts(
            authored_at=commits.authored_at.tolist(),
            is_bot=commits.is_bot.tolist(),
            reverts={index[sha]: other for sha, other in commits.reverts.items()},
            picked_from={index[sha]: other for sha, other in commits.picked_from.items()},
            paths={index[sha]: found for sha, found in paths.items()},
        )
        ownership = Ownership(graph, facts, changes, owned)
        return History(
            ownership=ownership,
            belonging=Belonging(ownership),
            committed_at=commits.committed_at.tolist(),
            default_branches=self.default_branches,
        )

    def changes(self, where: str) -> Iterable[ChangeRow]:
        """Pull requests by a condition."""
        repositories = {id_: self.repository(id_) or "" for id_ in self.names}
        for id_, key, of, number, is_bot, *more in self.rows(_CHANGES + where):
            *times, merge, commits, base, head, labels, reverts, closes = more
            lists = (_texts(text) if text else () for text in (labels, reverts, closes))
            who = None if is_bot is None else bool(is_bot)
            start = (id_, key, repositories[of], number, who, *times, merge, _ints(commits))
            yield ChangeRow._make((*start, base, head, *lists))

    def changes_named(self, keys: Collection[str]) -> set[int]:
        """The ids of the pull requests of these keys, from whichever source."""
        if not keys:
            return set()
        any_source = changes.c.source_id.in_(select(names.c.id))
        same = any_source & changes.c.key.in_(keys)
        return set(self.connection.scalars(select(changes.c.id).where(same)))

    def shipped_directly(self, shas: Iterable[int]) -> bool:
        """Tell whether any of these commits was shipped as a change of its own."""
        listed = ", ".join(str(-sha) for sha in shas) or "NULL"
        return bool(self.rows(f"SELECT 1 FROM shipped WHERE item IN ({listed}) LIMIT 1"))

    def incidents(self) -> list[IncidentRow]:
        """All incidents, in the same order whenever they arrived."""
        return [
            IncidentRow(
                id=row[0],
                key=row[1],
                services=_texts(row[2]),
                began_at=_time(row[3]),
                restored_at=_time(row[4]),
                external=_truth(row[5]),
                cause_deployment=row[6],
                cause_commit=self._commit(row[7]),
                cause_change=row[8],
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


class News:
    """The commits and pull requests that saves after a batch brought or changed, read once."""

    def __init__(self, facts: Facts, since: int) -> None:
        """Take up what is new to somebody who has seen everything up to the batch `since`."""
        self.since = since
        self._facts = facts
        self._new = f" WHERE batch > {since}"

    @cached_property
    def changes(self) -> frozenset[int]:
        """The ids of the pull requests."""
        return frozenset(row[0] for row in self._facts.rows(f"SELECT id FROM changes{self._new}"))

    def commits_of(self, repositories: Collection[str]) -> Commits:
        """The commits of some repositories."""
        ids, of = self._told
        names = {id_: self._facts.repository(id_) for id_ in np.unique(of).tolist()}
        wanted = [id_ for id_, name in names.items() if name in repositories]
        return self._commits.only(ids[np.isin(of, wanted)])

    @cached_property
    def _told(self) -> tuple[Ints, Ints]:
        sql = f"SELECT sha_id, repository_id FROM commits{self._new}"
        ids, of = read_many(self._facts.connection, sql).values()
        return ids, of

    @cached_property
    def _commits(self) -> Commits:
        return self._facts.commits(self._new)


# Once each. Without the sign SQLite takes the index of that column, which has the values in
# order, reads all of it and looks every row up: https://www.sqlite.org/optoverview.html#uplus
_EACH = "SELECT DISTINCT +"
_NEW_INCIDENTS = (
    "SELECT services, COALESCE(cause_deployment, cause_sha, cause_change) FROM incidents"
)
# Services in which a record, changed since, was something else before.
_BEFORE = tuple(
    f"{_EACH}service_id FROM {derived} WHERE {column} IN (SELECT id FROM {facts}"
    for derived, column, facts in (
        ("deployed_parts", "record_id", "deployments"),
        ("shipped", "item", "changes"),
        ("waiting", "change_id", "changes"),
        ("evidence", "incident_id", "incidents"),
    )
)
_DEPLOYMENTS = (
    "SELECT id, service_id, repository_id, environment_id, key, status, sha_id, version, "
    "started_at, finished_at, planned, hotfix, rollback FROM deployments"
)
# NULL becomes NONE or MISSING already in the query: columns of whole numbers load quickest.
_UNTIMED = "-9223372036854775807 - 1"
_COMMITS = (
    "SELECT sha_id, COALESCE(parent1_id, -1) AS first, COALESCE(parent2_id, -1) AS second, "
    "authored_at, committed_at, COALESCE(is_bot, -1) AS is_bot FROM commits"
)
_SELDOM = "SELECT sha_id, more_parents, reverts_id, picked_from_id FROM commits"
_WITH_SELDOM = " AND (more_parents <> '' OR reverts_id IS NOT NULL OR picked_from_id IS NOT NULL)"
_PATHS = "SELECT sha_id, paths FROM commits"
_CHANGES = (
    # Whose author is known and no bot is a person's; without an author the commits decide.
    "SELECT id, key, repository_id, number, "
    "CASE WHEN is_bot IS NULL AND author IS NOT NULL THEN 0 ELSE is_bot END, "
    f"COALESCE(first_commit_at, {_UNTIMED}), COALESCE(merged_at, {_UNTIMED}), "
    f"COALESCE(closed_at, {_UNTIMED}), COALESCE(merge_sha_id, -1), "
    "commit_ids, base_branch, head_branch, labels, reverts, closes FROM changes"
)
_INCIDENTS = (
    "SELECT id, key, services, COALESCE(impact_started_at, detected_at), "
    "COALESCE(mitigated_at, resolved_at), external, cause_deployment, cause_sha, cause_change "
    "FROM incidents ORDER BY key, source_id"
)


def _in(column: str, ids: Collection[int | None]) -> str:
    """A condition that a column holds one of these ids, None among them meaning unknown."""
    known = ", ".join(str(id_) for id_ in ids if id_ is not None) or "NULL"
    unknown = f" OR {column} IS NULL" if None in ids else ""
    return f" WHERE ({column} IN ({known}){unknown})"


def _ints(text: str | None) -> tuple[int, ...]:
    return tuple(map(int, text.split())) if text else ()


def _texts(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _time(at: int | None) -> Micros:
    return MISSING if at is None else at


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)
