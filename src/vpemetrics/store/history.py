"""The facts lineage is fed with, read from the store in the form it takes.

Reads are in bulk and by columns; a million commits become a few arrays.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import Connection

from vpemetrics.collectors.backports import may_be_backport
from vpemetrics.lineage.belonging import Belonging
from vpemetrics.lineage.changes import Changes, IdLists, merge_order
from vpemetrics.lineage.commits import Commits, TouchedPaths
from vpemetrics.lineage.deployments import STATUSES, DeploymentRecords
from vpemetrics.lineage.graph import Graph, Ints, MainLine, linked
from vpemetrics.lineage.ownership import assign_owners
from vpemetrics.lineage.releases import TaggedCommits, find_releases
from vpemetrics.lineage.rows import AUTHOR_KINDS, NONE, PERSON, UNKNOWN, IncidentRow, TriageRow
from vpemetrics.lineage.services import Services
from vpemetrics.lineage.trace import History
from vpemetrics.names import name_key, spellings
from vpemetrics.rules import Rules
from vpemetrics.store import derived_blocks
from vpemetrics.store.columns import Arrays, Blobs, read_many, read_with_blobs
from vpemetrics.store.commit_chunks import Chunk, find_shas, read_chunks
from vpemetrics.store.commit_columns import CommitColumns, Links
from vpemetrics.store.derived_blocks import among
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.shas import Shas, ids_of_packed, is_beginning, is_whole
from vpemetrics.store.texts import HIDDEN
from vpemetrics.version_tags import Aside, set_aside
from vpemetrics.window import MISSING, Micros


class Facts:
    """The facts, read within one transaction, and our services as some rules know them.

    Names of services, environments and repositories are one in whichever spelling (rule D7).
    """

    def __init__(self, connection: Connection, rules: Rules) -> None:
        self.connection = connection
        self._rules = rules

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query that has no parameters."""
        # Past SQLAlchemy's own rows, which cost more than the query where there are many.
        return list(self.connection.exec_driver_sql(sql).cursor.fetchall())

    @cached_property
    def names(self) -> dict[int, str]:
        """Interned names by id."""
        return dict(self.rows("SELECT id, name FROM names"))

    @cached_property
    def services(self) -> Services:
        """The finder of our services, of which deployments tell the spelling."""
        named = {
            self.names[home.service_id]
            for home in self._deployed
            if home.service_id is not None and not home.by_name
        }
        return Services(self._rules, spellings(self._present_names.values()) | spellings(named))

    @cached_property
    def _deployed(self) -> list["_NamedHome"]:
        """The services, repositories and environments that deployments name together."""
        return [_NamedHome(*row) for row in self.rows(f"SELECT DISTINCT {_HOME} FROM deployments")]

    @cached_property
    def _present_names(self) -> dict[str, str]:
        """The present names of repositories by the keys of what they are or were called."""
        told = self.rows("SELECT name_id, aliases FROM repositories")
        homes = {home.repository_id for home in self._deployed}
        deployed = {self.names[home] for home in homes if home is not None}
        found = spellings(deployed) | spellings(self.names[name] for name, _ in told)
        for name, old in told:
            present = found[name_key(self.names[name])]
            found.update((name_key(alias), present) for alias in json.loads(old or "[]"))
        return found

    @cached_property
    def default_branches(self) -> dict[str, str]:
        """The default branch of each repository for which it is known."""
        sql = "SELECT name_id, default_branch FROM repositories WHERE default_branch IS NOT NULL"
        return {self.repository(name) or "": branch for name, branch in self.rows(sql)}

    def repository(self, id_: int | None) -> str | None:
        """The present name of a repository by the id of a name."""
        return None if id_ is None else self.repository_named(self.names[id_])

    def repository_named(self, name: str) -> str:
        """The present name of a repository by any of its names."""
        return self._present_names.get(name_key(name), name.strip())

    @cached_property
    def deployed_from(self) -> dict[str, set[str]]:
        """Our services, each with the repositories its production deployments name."""
        found: dict[str, set[str]] = defaultdict(set)
        for home, name in self._production.items():
            repository = self.repository(home.repository_id)
            found[name].update({repository} if repository else ())
        for name, repositories in found.items():
            configured = self.services.configured(name).repository
            if configured:
                repositories.add(self.repository_named(configured))
        return dict(found)

    @cached_property
    def _production(self) -> dict["_NamedHome", str]:
        """Our services by what production deployments name."""
        found = {}
        for home in self._deployed:
            name = self._service_of(home)
            if name and self.services.is_production(name, self.names[home.environment_id]):
                found[home] = name
        return found

    def _service_of(self, home: "_NamedHome") -> str | None:
        source_name = None if home.service_id is None else self.names[home.service_id]
        repository = self.repository(home.repository_id)
        return self.services.name(source_name, repository, is_prefix=bool(home.by_name))

    @cached_property
    def versions_aside(self) -> dict[int, Aside]:
        """The deployments, by id, of versions that were none, as others beside them tell."""
        made: dict[str | None, dict[str, int]] = defaultdict(dict)
        ids: dict[tuple[str | None, str], list[int]] = defaultdict(list)
        for id_, repository_id, version, at in self.rows(_VERSIONS):
            home = self.repository(repository_id)
            made[home][version] = min(at or 0, made[home].get(version, at or 0))
            ids[home, version].append(id_)
        return {
            id_: why
            for home, versions in made.items()
            for version, why in set_aside(versions).items()
            for id_ in ids[home, version]
        }

    @cached_property
    def _environments(self) -> dict[int, int]:
        """The one id that stands for all spellings of an environment, by the id of each."""
        ids = sorted({home.environment_id for home in self._deployed})
        shown = spellings(self.names[id_] for id_ in ids)
        first: dict[str, int] = {}
        for id_ in ids:
            if self.names[id_].strip() == shown[name_key(self.names[id_])]:
                first.setdefault(name_key(self.names[id_]), id_)
        return {id_: first[name_key(self.names[id_])] for id_ in ids}

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
        homes = [_NamedHome(*row) for row in self.rows(f"{_EACH}{_HOME} FROM deployments{new}")]
        # A version tells of others beside it too.
        repositories.update(self.repository(home.repository_id) for home in homes)
        touched = {
            name for name, mine in self.deployed_from.items() if not mine.isdisjoint(repositories)
        }
        touched.update(name for home in homes if (name := self._service_of(home)))
        for services, named in self.rows(_NEW_INCIDENTS + new):
            if named or not services:
                return set(self.deployed_from)
            found = (self.services.name(name, None) for name in json.loads(services))
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
        named = (found[name][at] for name in _NamedHome._fields)
        homes = np.unique(np.column_stack([given["service_id"][mine], *named]), axis=0)
        production = {tuple(map(_id, key)): name for key, name in self._production.items()}
        return {
            self.names[service]
            for service, *home in homes.tolist()
            if production.get(tuple(home)) != self.names[service]
        }

    def deployments(self, wanted: Collection[str]) -> dict[str, DeploymentRecords]:
        """Production records by our service, of those services that are wanted."""
        homes = {named: name for named, name in self._production.items() if name in wanted}
        in_production = _in("environment_id", {home.environment_id for home in homes})
        of_services = _in("service_id", {home.service_id for home in homes})
        columns, blobs = read_with_blobs(
            self.connection,
            f"{_DEPLOYMENTS} WHERE {of_services} AND {in_production}",
            text=("key", "status", "version"),
            blobs=("commit_sha",),
        )
        records = DeploymentRecords(
            ids=columns["id"],
            keys=columns["key"],
            environments=_replaced(columns["environment_id"], self._environments),
            names=self.names,
            statuses=_statuses(columns["status"].tolist()),
            commits=_ids(blobs["commit_sha"]),
            versions=columns["version"],
            started_at=columns["started_at"],
            finished_at=columns["finished_at"],
            planned=columns["planned"],
            hotfix=columns["hotfix"],
            rollback=columns["rollback"],
            are_versions=columns["chosen_by_name"] >= 0,
        )
        named = (columns[name] for name in _NamedHome._fields)
        known, which = np.unique(np.rec.fromarrays([*named]), return_inverse=True)
        ours = {tuple(map(_id, named)): name for named, name in homes.items()}
        place = {name: at for at, name in enumerate(wanted)}
        home_of = [place[ours[home]] if home in ours else NONE for home in known.tolist()]
        whose = np.array(home_of, dtype=np.int64)[which]
        whose[np.isin(columns["id"], list(self.versions_aside))] = NONE
        order = np.argsort(whose, kind="stable")
        bounds = np.searchsorted(whose[order], np.arange(len(place) + 1)).tolist()
        return {
            name: records.take(order[begin:end])
            for name, (begin, end) in zip(place, pairwise(bounds), strict=True)
        }

    def history(
        self, repositories: Collection[str], *, paths: bool, shared_by: Iterable[int] = ()
    ) -> History:
        """Commits and pull requests of repositories; touched paths only where they matter.

        `shared_by` are the ids of the commits that services deployed, where there are several.
        """
        ids = [id_ for name in repositories for id_ in self._names_of_repositories.get(name, ())]
        of_them = _in("repository_id", ids)
        read = list(read_chunks(self.connection, of_them))
        chunks = [chunk.columns for chunk in read]
        commits = _commits(chunks)
        graph = Graph(commits.ids, commits.first, commits.second, commits.others)
        newest = self._newest(read, graph) if len(graph.roots) > 1 else ()
        ownership = assign_owners(graph, commits, self.changes(f" AND {of_them}"), newest)
        touched = _paths(chunks) if paths else TouchedPaths()
        homes, tagged = self._tagged
        tagged = tagged.take(np.isin(homes, ids))
        owners = np.unique(tagged.owners(ownership))
        titles = self._titles(ownership.changes.ids[owners[owners != NONE]].tolist())
        tips = set(graph.places_of(shared_by).values()) - {NONE}
        return History(
            ownership=ownership,
            belonging=Belonging(ownership=ownership, paths=touched),
            releases=find_releases(ownership, tagged, titles),
            line=MainLine(graph, tips) if tips else None,
        )

    def _newest(self, chunks: Iterable[Chunk], graph: Graph) -> list[int]:
        """The place of the head of each repository that was committed last."""
        found: dict[str | None, tuple[int, int]] = {}
        for _, _, repository, columns in chunks:
            heads = np.flatnonzero(graph.heads[graph.find(columns.ids)])
            if len(heads):
                last = heads[np.lexsort((columns.ids[heads], columns.committed_at[heads]))[-1]]
                name = self.repository(repository)
                latest = int(columns.committed_at[last]), int(columns.ids[last])
                found[name] = max(found.get(name, latest), latest)
        return list(graph.places_of(id_ for _, id_ in found.values()).values())

    @cached_property
    def _tagged(self) -> tuple[Ints, TaggedCommits]:
        """The commits whose tags or releases were deployments, each with its repository."""
        found, blobs = read_with_blobs(
            self.connection, _TAGGED, text=("version",), blobs=("commit_sha",)
        )
        tagged = TaggedCommits(
            commits=_ids(blobs["commit_sha"]),
            versions=found["version"],
            light=found["light_tag"] == 1,
            named=found["release_commit"] == 1,
        )
        return found["repository_id"], tagged

    def _titles(self, changes: Sequence[int]) -> dict[int, str | None]:
        """The titles of some pull requests by their ids."""
        found: dict[int, str | None] = {}
        for begin in range(0, len(changes), _MANY):
            ids = _in("id", changes[begin : begin + _MANY])
            found.update(self.rows(f"SELECT id, title FROM changes WHERE {ids}"))
        return found

    @cached_property
    def _names_of_repositories(self) -> dict[str, list[int]]:
        """The ids of all names that a repository has or had, by its present one."""
        found: dict[str, list[int]] = defaultdict(list)
        for id_ in self.names:
            if name := self.repository(id_):
                found[name].append(id_)
        return found

    def changes(self, which: str) -> Changes:
        """Pull requests by a further condition: those that were merged, or are open."""
        found, blobs = read_with_blobs(
            self.connection,
            _CHANGES + which,
            text=_TEXTS,
            blobs=("merge_commit_sha", "commit_shas"),
        )
        counts, listed = ids_of_packed(*blobs["commit_shas"])
        lists = IdLists(counts=counts, ids=listed)
        order = merge_order(found["id"], found["key"], found["merged_at"])

        def seldom(name: str) -> dict[int, tuple[str, ...]]:
            said = found[name][order]
            return {at: _texts(said[at]) for at in np.flatnonzero(said).tolist()}

        told = Changes(
            ids=found["id"][order],
            keys=found["key"][order].tolist(),
            authors=_authors(found["author"][order].tolist()),
            author_kinds=found["author_kind"][order],
            marked=found["marked"][order] == 1,
            first_commit_at=found["first_commit_at"][order],
            merged_at=found["merged_at"][order],
            merge_commits=_ids(blobs["merge_commit_sha"])[order],
            lists=lists.take(order),
            other_branches=self._other_branches(found)[order],
            head_branches=found["head_branch"][order].tolist(),
            labels=seldom("labels"),
            reverts=seldom("reverts"),
            closes=seldom("closes"),
            backports=seldom("backports"),
            proposed=lists.take(np.flatnonzero(found["merged_at"] == MISSING)).ids,
            beside={name: found[name][order] for name in _BESIDE},
        )
        return replace(told, odd_backports=self._odd_backports(told))

    def _odd_backports(self, changes: Changes) -> frozenset[int]:
        """The positions of those merged into another branch that speak of a back-port, of none."""
        merged = changes.on_other_branch & (changes.merged_at != MISSING)
        others = [at for at in np.flatnonzero(merged).tolist() if at not in changes.backports]
        titles = self._titles(changes.ids[others].tolist())
        return frozenset(
            at
            for at in others
            if may_be_backport(f"{titles[int(changes.ids[at])]} {changes.head_branches[at]}")
        )

    def _other_branches(self, changes: Arrays) -> Ints:
        """The branches that pull requests are for, numbered; NONE for the default one."""
        other = np.full(len(changes["id"]), NONE, dtype=np.int64)
        numbers: dict[tuple[str, str], int] = {}
        for id_ in np.unique(changes["repository_id"]).tolist():
            repository = self.repository(id_) or ""
            default = self.default_branches.get(repository)
            mine = changes["repository_id"] == id_
            if default:
                other[mine] = [
                    numbers.setdefault((repository, branch), len(numbers))
                    if branch and branch != default
                    else NONE
                    for branch in changes["base_branch"][mine]
                ]
        return other

    def incidents(self) -> list[IncidentRow]:
        """All incidents, in the same order whenever they arrived."""
        rows = self.rows(_INCIDENTS)
        commits = self._commits_named([row[8] for row in rows])
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
                cause_commit=commit,
                cause_change=row[9],
            )
            for row, commit in zip(rows, commits, strict=True)
        ]

    def triage(self) -> list[TriageRow]:
        """All decisions of people; of a repeated one the latest counts."""
        rows = self.rows("SELECT record, verdict, at, cause, restored_at FROM triage")
        commits = self._commits_named([row[3] for row in rows])
        return [
            TriageRow(
                record,
                verdict,
                at,
                cause,
                max(commit, NONE),
                MISSING if restored is None else restored,
            )
            for (record, verdict, at, cause, restored), commit in zip(rows, commits, strict=True)
        ]

    def _commits_named(self, shas: Sequence[str | None]) -> list[int]:
        """The ids of commits by their shas or the beginnings of them, NONE for none.

        UNKNOWN where no commit or several begin so.
        """
        named = {sha.lower() for sha in shas if sha}
        whole = {sha: sha for sha in named if is_whole(sha)}
        wanted = [sha for sha in named if is_beginning(sha) and sha not in whole]
        found = find_shas(self.connection, wanted)
        whole |= {sha: found[sha][0] for sha in wanted if len(found[sha]) == 1}
        ids = dict(zip(whole, Shas.of(list(whole.values())).ids.tolist(), strict=True))
        return [ids.get(sha.lower(), UNKNOWN) if sha else NONE for sha in shas]


def _commits(chunks: Sequence[CommitColumns]) -> Commits:
    """Commits of some chunks; one that two sources know, or two repositories, counts once."""
    found = _together([chunk.ids for chunk in chunks])
    order = np.argsort(found)
    if not (fresh := np.diff(found[order], prepend=NONE) != 0).all():
        order = np.argsort(found, kind="stable")
    at, places = order[fresh], np.empty(len(found), dtype=np.int64)
    places[order] = np.cumsum(fresh) - 1
    ids = found[at]
    ends = np.cumsum([len(chunk) for chunk in chunks])
    named = [
        # What a chunk names is its own mostly, so of few it has to be found where they are.
        np.concatenate([own, linked(ids, chunk.shas.ids[len(chunk) :]), [NONE]])
        for chunk, own in zip(chunks, np.split(places, ends[:-1]), strict=bool(chunks))
    ]

    def column(read: Callable[[CommitColumns], Ints]) -> Ints:
        in_order: Ints = _together([read(chunk) for chunk in chunks])[at]
        return in_order

    def parents(read: Callable[[CommitColumns], Ints]) -> Ints:
        by_chunk = (place[read(chunk)] for place, chunk in zip(named, chunks, strict=True))
        in_order: Ints = _together([*by_chunk])[at]
        return in_order

    others = _several(_links(chunks, "more_parents"))
    return Commits(
        ids=ids,
        first=parents(lambda chunk: chunk.first),
        second=parents(lambda chunk: chunk.second),
        authored_at=column(lambda chunk: chunk.authored_at),
        committed_at=column(lambda chunk: chunk.committed_at),
        authors=column(_author_keys),
        author_kinds=column(_author_kinds),
        marked=column(lambda chunk: chunk.marks) >= 0,
        others=others,
        reverts=_several(_links(chunks, "reverts")),
        picked_from=dict(_links(chunks, "picks")),
    )


def _author_keys(chunk: CommitColumns) -> Ints:
    """The keys of authors, MISSING for none."""
    return np.append(chunk.author_keys.view(np.int64), MISSING)[chunk.authors]


def _author_kinds(chunk: CommitColumns) -> Ints:
    """The kinds of authors; who is known and is nothing else is a person."""
    return np.where((chunk.kinds == 0) & (chunk.authors >= 0), PERSON, chunk.kinds)


def _several(pairs: Iterable[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for commit, named in pairs:
        found[commit] = (*found.get(commit, ()), named)
    return found


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


def _ids(shas: Blobs) -> Ints:
    """The ids of commits by their packed shas, NONE for none."""
    ids = np.full(len(shas.lengths), NONE, dtype=np.int64)
    ids[shas.lengths > 0] = ids_of_packed(*shas)[1]
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
_STATUSES: Final[Mapping[str, int]] = {status: at for at, status in enumerate(STATUSES)}


class _NamedHome(NamedTuple):
    """The names by which deployments are told to be a service's, by id.

    `by_name`: 1 if no more than what stands before a version names the service.
    """

    service_id: int | None
    repository_id: int | None
    environment_id: int
    by_name: int


_HOME = "service_id, repository_id, environment_id, COALESCE(service_by_name, 0) AS by_name"
_KNOWN_HOME = (
    "COALESCE(service_id, -1) AS service_id, COALESCE(repository_id, -1) AS repository_id, "
    "environment_id, COALESCE(service_by_name, 0) AS by_name"
)
_HOMES = f"SELECT id, {_KNOWN_HOME} FROM deployments"
_VERSIONS = (
    "SELECT id, repository_id, version, COALESCE(finished_at, started_at) FROM deployments "
    "WHERE chosen_by_name = 1 AND version IS NOT NULL"
)
_DEPLOYMENTS = (
    f"SELECT {_KNOWN_HOME}, id, key, status, commit_sha, "
    "version, started_at, COALESCE(chosen_by_name, -1) AS chosen_by_name, "
    "finished_at, COALESCE(planned, -1) AS planned, COALESCE(hotfix, -1) AS hotfix, "
    "COALESCE(rollback, -1) AS rollback FROM deployments"
)
_TAGGED = (
    "SELECT COALESCE(repository_id, -1) AS repository_id, commit_sha, version, "
    "COALESCE(light_tag, 0) AS light_tag, COALESCE(release_commit, 0) AS release_commit "
    "FROM deployments WHERE commit_sha IS NOT NULL "
    "AND (light_tag IS NOT NULL OR release_commit IS NOT NULL)"
)
_MANY: Final = 10_000
_NO_IDS: Ints = np.empty(0, dtype=np.int64)
_WHEN_KIND: Final = " ".join(
    f"WHEN author_kind = '{kind}' THEN {code}" for code, kind in enumerate(AUTHOR_KINDS) if kind
)
_CHANGES = (
    # Whose author is known and is nothing else is a person's; without one the commits decide.
    f"SELECT id, key, repository_id, CASE {_WHEN_KIND} WHEN author IS NULL THEN 0 "
    f"ELSE {PERSON} END AS author_kind, CASE WHEN marks IS NULL THEN 0 ELSE 1 END AS marked, "
    "first_commit_at, merged_at, "
    "merge_commit_sha, commit_shas, base_branch, head_branch, ready_at, first_review_at, "
    "additions + deletions AS lines, author, labels, reverts, closes, backports FROM changes "
    "WHERE (merged_at IS NOT NULL OR closed_at IS NULL)"
)
_TEXTS = ("key", "base_branch", "head_branch", "author", "labels", "reverts", "closes", "backports")
_BESIDE = ("ready_at", "first_review_at", "lines")
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


def _replaced(ids: Ints, by: Mapping[int, int]) -> Ints:
    known, which = np.unique(ids, return_inverse=True)
    return np.array([by[id_] for id_ in known.tolist()], dtype=np.int64)[which]


def _statuses(texts: Iterable[str]) -> Ints:
    return np.array([_STATUSES[text] for text in texts], dtype=np.int64)


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
