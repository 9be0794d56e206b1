"""The facts lineage is fed with, read from the store in the form it takes.

Reads are in bulk and by columns; a million commits become a few arrays.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

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
from vpemetrics.store.commit_chunks import find_shas, read_chunks
from vpemetrics.store.commit_columns import CommitColumns, Links
from vpemetrics.store.derived_blocks import among
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.shas import commit_id, ids_of_packed, is_beginning, is_whole
from vpemetrics.store.texts import HIDDEN
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
            for table in ("commit_chunks", "changes")
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
        columns = self._read(sql, ("key", "status", "commit_sha", "version"))
        columns["commit_sha"] = _ids(columns["commit_sha"].tolist())
        truths = {1: True, 0: False, NONE: None}.__getitem__
        told = [column.tolist() for column in columns.values()]
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
        ids = [id_ for name in repositories for id_ in self._names_of_repositories.get(name, ())]
        of_them = _in("repository_id", ids)
        chunks = [chunk.columns for chunk in read_chunks(self.connection, of_them)]
        commits = _commits(chunks)
        graph = Graph(commits.ids, commits.first, commits.second, commits.others)
        ownership = assign_owners(graph, commits, self.changes(f" WHERE {of_them}"))
        touched = _paths(chunks) if paths else TouchedPaths()
        tips = set(graph.places_of(shared_by).values()) - {NONE}
        return History(
            ownership=ownership,
            belonging=Belonging(ownership=ownership, paths=touched),
            line=MainLine(graph, tips) if tips else None,
        )

    @cached_property
    def _names_of_repositories(self) -> dict[str, list[int]]:
        """The ids of all names that a repository has or had, by its present one."""
        found: dict[str, list[int]] = defaultdict(list)
        for id_ in self.names:
            if name := self.repository(id_):
                found[name].append(id_)
        return found

    def changes(self, where: str) -> Changes:
        """Pull requests by a condition."""
        found = self._read(_CHANGES + where, _TEXTS)
        counts, listed = ids_of_packed(found["commit_shas"].tolist())
        lists = IdLists(counts=counts, ids=listed)
        merge_commits = _ids(found["merge_commit_sha"].tolist())
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
            merge_commits=merge_commits[order],
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
        if is_whole(lowered):
            return commit_id(lowered)
        found = self._abbreviated.get(lowered, ())
        return commit_id(found[0]) if len(found) == 1 else UNKNOWN

    @cached_property
    def _abbreviated(self) -> dict[str, list[str]]:
        """The shas that those mean which incidents and decisions name by their beginning."""
        sql = (
            "SELECT cause_sha FROM incidents WHERE cause_sha IS NOT NULL "
            "UNION SELECT cause FROM triage WHERE cause IS NOT NULL"
        )
        named = {text.lower() for (text,) in self.rows(sql)}
        wanted = [text for text in named if is_beginning(text) and not is_whole(text)]
        return find_shas(self.connection, wanted)

    def _read(self, sql: str, text: Collection[str]) -> Arrays:
        """The columns of a query, shas in it as texts of digits."""
        # As texts they come in bulk: https://www.sqlite.org/lang_corefunc.html#hex
        # https://www.postgresql.org/docs/current/functions-binarystring.html
        server = self.connection.dialect.name == "postgresql"
        written = _AS_DIGITS.sub(r"ENCODE(\1, 'hex')", sql) if server else sql
        return read_many(self.connection, written, text=text)


def _commits(chunks: Sequence[CommitColumns]) -> Commits:
    """Commits of some chunks; one that two sources know, or two repositories, counts once."""
    ids = _together([chunk.ids for chunk in chunks])
    columns = [
        _together([chunk.ids_at(chunk.first) for chunk in chunks]),
        _together([chunk.ids_at(chunk.second) for chunk in chunks]),
        _together([chunk.authored_at for chunk in chunks]),
        _together([chunk.committed_at for chunk in chunks]),
        _IS_BOT[_together([chunk.kinds for chunk in chunks])],
    ]
    _, at = np.unique(ids, return_index=True)
    first, second, authored_at, committed_at, is_bot = (column[at] for column in columns)
    others: dict[int, tuple[int, ...]] = {}
    for commit, parent in _links(chunks, "more_parents"):
        others[commit] = (*others.get(commit, ()), parent)
    return Commits(
        ids=ids[at],
        first=first,
        second=second,
        authored_at=authored_at,
        committed_at=committed_at,
        is_bot=is_bot,
        others=others,
        reverts=dict(_links(chunks, "reverts")),
        picked_from=dict(_links(chunks, "picks")),
    )


def _links(chunks: Iterable[CommitColumns], name: str) -> Iterator[tuple[int, int]]:
    """The pairs of the ids of commits, and of the few that they name so."""
    for chunk in chunks:
        links: Links = getattr(chunk, name)
        if len(links.rows):
            named = chunk.ids_at(links.to).tolist()
            yield from zip(chunk.ids[links.rows].tolist(), named, strict=True)


def _paths(chunks: Iterable[CommitColumns]) -> TouchedPaths:
    """The paths that commits touch, where they are known."""
    ids, which = [_NO_IDS], [_NO_IDS]
    known: dict[str, int] = {}
    for chunk in chunks:
        rows = np.flatnonzero(chunk.paths >= 0)
        places = [known.setdefault(text, len(known)) for text in chunk.path_lists]
        ids.append(chunk.ids[rows])
        which.append(np.array(places, dtype=np.int64)[chunk.paths[rows]])
    lists: list[list[str]] = json.loads(f"[{','.join(known)}]")  # all at once: 5 x
    return TouchedPaths(
        ids=np.concatenate(ids), which=np.concatenate(which), lists=tuple(map(tuple, lists))
    )


def _together(columns: Sequence[Ints]) -> Ints:
    return np.concatenate([_NO_IDS, *columns])


def _ids(shas: Sequence[str | None]) -> Ints:
    """The ids of commits by their packed shas in digits, NONE for none."""
    ids = np.full(len(shas), NONE, dtype=np.int64)
    ids[[bool(sha) for sha in shas]] = ids_of_packed(list(filter(None, shas)))[1]
    return ids


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
    "environment_id, id, key, status, HEX(commit_sha) AS commit_sha, version, started_at, "
    "finished_at, COALESCE(planned, -1) AS planned, COALESCE(hotfix, -1) AS hotfix, "
    "COALESCE(rollback, -1) AS rollback FROM deployments"
)
_IS_BOT: Final = np.array([NONE, 0, 1, 1])
"""The truth about each kind of author, that it is a bot, as lineage has it."""
_NO_IDS: Ints = np.empty(0, dtype=np.int64)
_CHANGES = (
    # Whose author is known and no bot is a person's; without an author the commits decide.
    "SELECT id, key, repository_id, COALESCE(is_bot, CASE WHEN author IS NULL THEN -1 ELSE 0 END) "
    "AS is_bot, first_commit_at, merged_at, closed_at, HEX(merge_commit_sha) AS merge_commit_sha, "
    "HEX(commit_shas) AS commit_shas, base_branch, head_branch, ready_at, first_review_at, "
    "additions + deletions AS lines, author FROM changes"
)
_TEXTS = ("key", "merge_commit_sha", "commit_shas", "base_branch", "head_branch", "author")
_BESIDE = ("ready_at", "first_review_at", "lines")
_SELDOM_OF_CHANGES = "SELECT id, labels, reverts, closes FROM changes"
_WITH_SELDOM_OF_CHANGES = " AND (labels IS NOT NULL OR reverts IS NOT NULL OR closes IS NOT NULL)"
_INCIDENTS = (
    "SELECT id, key, services, COALESCE(impact_started_at, detected_at), "
    "COALESCE(detected_at, impact_started_at), "
    "COALESCE(mitigated_at, resolved_at), external, cause_deployment, cause_sha, cause_change "
    "FROM incidents ORDER BY key, source_id"
)


_AS_DIGITS: Final = re.compile(r"HEX\((\w+)\)")


def _in(column: str, ids: Collection[int | None]) -> str:
    """A condition that a column holds one of these ids, None among them meaning unknown."""
    known = ", ".join(str(id_) for id_ in ids if id_ is not None) or "NULL"
    unknown = f" OR {column} IS NULL" if None in ids else ""
    return f"({column} IN ({known}){unknown})"


def _id(id_: int | None) -> int:
    return NONE if id_ is None else id_


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
