"""The place lineage got to, written down and read back, so that it can go on from there.

What is new is taken up only where it leaves alone what was settled: deployments after the last
ones, commits nothing has named before, pull requests merged since. Anything else is `Disturbed`,
and those services are traced anew.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, delete, select

from vpemetrics.lineage.changes import SETTLED, Ownership
from vpemetrics.lineage.kinds import TOGETHER
from vpemetrics.lineage.rows import NONE, ChangeRow, Deployed, DeploymentRow, Kind
from vpemetrics.lineage.trace import Disturbed, History, Past
from vpemetrics.records import Status
from vpemetrics.store import derived
from vpemetrics.store.arrays import Ints, from_bytes, to_bytes, unpack
from vpemetrics.store.bulk import insert_rows
from vpemetrics.store.history import Commits, Facts, News
from vpemetrics.window import MISSING, Micros

LIVE = (Status.SUCCEEDED, Status.ROLLED_BACK)


class Resumed(NamedTuple):
    """A service to go on with: what is settled, with its ids, what goes, and the rows to come."""

    past: Past
    settled: list[int]
    dropped: list[int]
    rows: list[DeploymentRow]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """The state of a history when lineage last saw it."""

    commits: Commits
    owned: Mapping[int, int]
    merged: frozenset[int]
    last_merged: Micros
    undecided: frozenset[int]
    listed: frozenset[tuple[int, int]]
    """Pull requests, each with a later one that lists a commit of it and so may carry it on."""


def save_history(
    connection: Connection,
    repositories: Iterable[str],
    history: History,
    commits: Commits,
    before: _Known | None = None,
) -> None:
    """Write down a history as lineage has seen it; what it does not tell of is as it was before."""
    ownership = history.ownership
    owned = before.owned if before else {}
    ids = [change.id for change in ownership.changes]
    now = {sha: ids[at] if at >= 0 else owned[sha] for sha, at in ownership.owner.items()}
    times = [change.merged_at for change in ownership.changes]
    last_merged = max([before.last_merged if before else MISSING, *times])
    listed = {(now.get(sha), one.id) for one in ownership.changes for sha in one.commits}
    pairs = {(of, by) for of, by in listed if of is not None and of != by}
    pairs |= before.listed if before else frozenset()
    columns: dict[str, Collection[int] | Ints] = {
        "ids": commits.ids,
        "first": commits.first,
        "second": commits.second,
        "authored_at": commits.authored_at,
        "committed_at": commits.committed_at,
        "is_bot": commits.is_bot,
        "reverting": commits.reverts,
        "reverted": commits.reverts.values(),
        "picking": commits.picked_from,
        "picked": commits.picked_from.values(),
        "owned": now,
        "owners": now.values(),
        "merged": before.merged.union(ids) if before else ids,
        "undecided": ownership.undecided,
        "listed": [of for of, _ in pairs],
        "listing": [by for _, by in pairs],
    }
    key, others = _key(repositories), json.dumps([last_merged, list(commits.others.items())])
    table = derived.histories
    connection.execute(delete(table).where(table.c.repositories == key))
    row = (key, *(to_bytes(dtype, columns[name]) for name, dtype in derived.ARRAYS.items()), others)
    insert_rows(connection, table, [row])


def load_history(connection: Connection, repositories: Iterable[str]) -> _Known | None:
    """Read what was written down of a history; None if nothing was."""
    table = derived.histories
    query = table.select().where(table.c.repositories == _key(repositories))
    row = connection.execute(query).first()
    if row is None:
        return None
    columns = {
        name: from_bytes(dtype, getattr(row, name)) for name, dtype in derived.ARRAYS.items()
    }
    last_merged, others = json.loads(row.others)

    def pairs(keys: str, values: str) -> Iterable[tuple[int, int]]:
        return zip(columns[keys].tolist(), columns[values].tolist(), strict=True)

    return _Known(
        commits=Commits(
            ids=columns["ids"],
            first=columns["first"],
            second=columns["second"],
            authored_at=columns["authored_at"],
            committed_at=columns["committed_at"],
            is_bot=columns["is_bot"],
            others={sha: tuple(parents) for sha, parents in others},
            reverts=dict(pairs("reverting", "reverted")),
            picked_from=dict(pairs("picking", "picked")),
        ),
        owned=dict(pairs("owned", "owners")),
        merged=frozenset(columns["merged"].tolist()),
        last_merged=last_merged,
        undecided=frozenset(columns["undecided"].tolist()),
        listed=frozenset(pairs("listed", "listing")),
    )


def keep_histories(connection: Connection, wanted: Iterable[Iterable[str]]) -> None:
    """Forget the histories of other repositories than these: nobody brings them up to date."""
    keys, table = {_key(repositories) for repositories in wanted}, derived.histories
    gone = set(connection.scalars(select(table.c.repositories))) - keys
    connection.execute(delete(table).where(table.c.repositories.in_(gone)))


def _key(repositories: Iterable[str]) -> str:
    return json.dumps(sorted(repositories))


class Resuming:
    """A resumption of services of one history, from where lineage was after a save.

    `history` is what it has become.
    """

    history: History

    def __init__(self, facts: Facts, news: News, repositories: Collection[str]) -> None:
        self._facts, self._news = facts, news
        self._repositories = repositories
        self._where = facts.in_repositories(repositories)
        self._later = f"{self._where} AND batch > {news.since}"
        known = load_history(facts.connection, repositories)
        if known is None:
            raise Disturbed
        self._known = known

    def services(
        self,
        names: Mapping[str, int],
        *,
        commits: Collection[int],
        changes: Collection[int],
        paths: bool,
    ) -> dict[str, Resumed]:
        """The state to go on from, of those services, by name and id, with which one can go on.

        `commits` and `changes` are those that incidents or people name, by id. Disturbed if
        something new concerns what is settled in all of them.
        """
        tails = dict(self._tails(names))
        rows = self._rows(tails.values(), commits, changes)
        touched = self._paths(rows, commits) if paths else {}
        self.history = history = self._facts.built(self.commits, rows, touched, self._known.owned)
        self._check_claims(history)
        ids = [row.id for row in rows]
        resumed = {}
        for name, tail in tails.items():
            past = tail.past(history, ids, self._known.undecided)
            if self._completed.isdisjoint(past.shipped):
                resumed[name] = Resumed(past, tail.settled, tail.dropped, tail.rows)
        return resumed

    def _tails(self, names: Mapping[str, int]) -> Iterable[tuple[str, "_Tail"]]:
        """The services that deployed no new commit before it was known."""
        for name, id_ in names.items():
            with suppress(Disturbed):
                tail = _Tail(self._facts, self._news.since, id_, name)
                if self._new.isdisjoint(one.commit for one in tail.deployed):
                    yield name, tail

    def save(self) -> None:
        """Write down the history where it has got longer."""
        if self._new or self._changed:
            save_history(
                self._facts.connection,
                self._repositories,
                self.history,
                self.commits,
                self._known,
            )

    @cached_property
    def commits(self) -> Commits:
        """All commits; the new ones only if no more than pull requests have named them before."""
        old, new = self._known.commits, self._latest
        if not len(new.ids):
            return old
        named = [old.ids, old.first, old.second]
        named += map(_array, (old.reverts.values(), old.picked_from.values()))
        named += map(_array, old.others.values())
        if np.isin(new.ids, np.concatenate(named)).any():
            raise Disturbed
        order = np.argsort(np.concatenate([old.ids, new.ids]))
        columns = (np.concatenate(pair)[order] for pair in zip(old[:6], new[:6], strict=True))
        ids, first, second, authored_at, committed_at, is_bot = columns
        return Commits(
            ids=ids,
            first=first,
            second=second,
            authored_at=authored_at,
            committed_at=committed_at,
            is_bot=is_bot,
            others=old.others | new.others,
            reverts=old.reverts | new.reverts,
            picked_from=old.picked_from | new.picked_from,
        )

    @cached_property
    def _latest(self) -> Commits:
        return self._news.commits_of(self._repositories)

    @cached_property
    def _new(self) -> frozenset[int]:
        return frozenset(self._latest.ids.tolist())

    @cached_property
    def _completed(self) -> frozenset[int]:
        """The pull requests that were known before some of their commits."""
        owned = self._known.owned
        return frozenset(owned[sha] for sha in self._new if sha in owned)

    @cached_property
    def _changed(self) -> list[ChangeRow]:
        """Pull requests that are new or changed, none of which had been merged before."""
        if not self._known.merged.isdisjoint(self._news.changes):
            raise Disturbed
        return list(self._facts.changes(self._later))

    def _rows(
        self, tails: Iterable["_Tail"], commits: Iterable[int], changes: Collection[int]
    ) -> list[ChangeRow]:
        """The pull requests that matter: new, open, waiting, about to ship anew, or named."""
        open_ = self._facts.changes(f"{self._where} AND merged_at IS NULL AND closed_at IS NULL")
        found = {row.id: row for row in (*open_, *self._changed)}
        self._take(found, self._completed.union(*(tail.unshipped for tail in tails)))
        self._take_carriers(found)
        owned, reverts = self._known.owned, self.commits.reverts
        targets = [of for sha, of in reverts.items() if sha not in owned or owned[sha] in found]
        named = (*targets, *commits, *self._latest.picked_from.values())
        guests = {owned[sha] for sha in named if sha in owned}
        guests |= self._known.merged.intersection(changes)
        guests |= self._facts.changes_named({key for row in found.values() for key in row.reverts})
        self._take(found, self._known.merged & guests)
        return list(found.values())

    def _take_carriers(self, found: dict[int, ChangeRow]) -> None:
        """Add what may carry pull requests on, though no service waits for it."""
        carriers: dict[int, set[int]] = defaultdict(set)
        for of, by in self._known.listed:
            carriers[of].add(by)
        more = set(found)
        while more := {by for of in more for by in carriers.get(of, ()) if by not in found}:
            self._take(found, more)

    def _take(self, found: dict[int, ChangeRow], ids: Iterable[int]) -> None:
        if wanted := [id_ for id_ in ids if id_ not in found]:
            listed = ", ".join(map(str, wanted))
            found.update((row.id, row) for row in self._facts.changes(f" WHERE id IN ({listed})"))

    def _paths(self, rows: Iterable[ChangeRow], named: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """The paths of commits that may decide whose a change is."""
        commits = self.commits
        loose = commits.ids[~np.isin(commits.ids, _array(self._known.owned))]
        wanted = {sha for row in rows for sha in (*row.commits, row.merge_commit)}
        wanted.update(named, loose.tolist())
        listed = ", ".join(map(str, wanted.intersection(commits.ids.tolist()))) or "NULL"
        return self._facts.paths(f" WHERE sha_id IN ({listed})")

    def _check_claims(self, history: History) -> None:
        """Disturbed if a pull request that is new takes what was another's, or nobody's."""
        known, ownership = self._known, history.ownership
        graph, changes = ownership.graph, ownership.changes
        fresh = {at for at, row in enumerate(changes) if row.id not in known.merged}
        for at, row in enumerate(changes):
            merge = graph.index.get(row.merge_commit, NONE)
            if not row.commits and merge >= 0 and graph.is_merge[merge]:
                raise Disturbed  # what it brought is known from the whole history only
            late = at in fresh and row.merged_at <= known.last_merged
            if late and any(sha in known.owned for sha in (*row.commits, row.merge_commit)):
                raise Disturbed
            copies = ownership.rebased(row) if row.id in self._completed else ()
            if any(known.owned.get(sha, row.id) != row.id for sha in copies):
                raise Disturbed
        claimed = {sha for sha, at in ownership.owner.items() if at >= 0 and sha not in known.owned}
        undecided = known.undecided ^ ownership.undecided
        taken = {ownership.pick_roots.get(sha, sha) for sha in (claimed | undecided) - self._new}
        if self._facts.shipped_directly(taken) or self._moves_picks(ownership, undecided):
            raise Disturbed

    def _moves_picks(self, ownership: Ownership, undecided: frozenset[int]) -> bool:
        """Tell whether a cherry-pick is no longer whose it was, or may not be."""
        owned, picked_from = self._known.owned, self._known.commits.picked_from
        owner, changes = ownership.owner, ownership.changes

        def stays(pick: int) -> bool:
            at = owner.get(pick, NONE)
            return at == SETTLED or (at >= 0 and changes[at].id == owned[pick])

        return not undecided.isdisjoint(picked_from.values()) or not all(
            stays(pick) for pick in picked_from if pick in owned
        )


class _SettledPart(NamedTuple):
    """A record that is part of a deployment."""

    deployed: int
    id: int
    key: str
    environment: int
    finished_at: Micros
    batch: int


class _Made(NamedTuple):
    """A deployment as it was saved."""

    id: int
    record: int
    kind: str
    started_at: Micros | None
    finished_at: Micros
    commit: int | None
    rolled_back: int
    first: int
    ships: int
    unplanned: str | None
    removed: int | None
    reached: bytes | None


class _Tail:
    """A service's deployments: those that are settled, and what comes after them.

    A deployment is settled if nothing new can become a part of it, or of one before it.
    """

    def __init__(self, facts: Facts, since: int, service: int, name: str) -> None:
        self._facts, self._since, self._service = facts, since, service
        found = facts.rows(f"SELECT attribution, marks FROM traced WHERE service_id = {service}")
        if not found or found[0][0] != "graph":
            raise Disturbed
        self._marks = derived.read_marks(found[0][1])
        self._parts: dict[int, list[_SettledPart]] = defaultdict(list)
        for row in facts.rows(f"{_PARTS} WHERE p.service_id = {service}"):
            self._parts[row[0]].append(_SettledPart._make(row))
        made = facts.rows(f"{_MADE} WHERE service_id = {service} ORDER BY id")
        rows = list(map(_Made._make, made))
        real = [row for row in rows if row.kind != Kind.ATTEMPT]
        new = facts.deployments([name], f" AND batch > {since}")[name]
        begin = self._begin(real, new)
        self._settled, redone = real[:begin], real[begin:]
        self.settled = [row.id for row in self._settled]
        attempts = (row for row in rows if row.kind == Kind.ATTEMPT and self._is_changed(row))
        self.dropped = [row.id for row in (*redone, *attempts)]
        again = self._unchanged(redone)
        self.rows = [*new, *(facts.deployments([name], _in("id", again))[name] if again else ())]
        sql = f"SELECT change_id, reason FROM waiting WHERE service_id = {service}"
        waiting = dict(facts.rows(sql))
        self.unshipped = waiting.keys() | self._shipped_by([row.id for row in redone])
        self._empty = frozenset(id_ for id_, why in waiting.items() if why == "no_commit_left")

    def _is_changed(self, row: _Made) -> bool:
        return any(part.batch > self._since for part in self._parts[row.id])

    def _unchanged(self, rows: Iterable[_Made]) -> list[int]:
        parts = (part for row in rows for part in self._parts[row.id])
        return [part.id for part in parts if part.batch <= self._since]

    def _begin(self, rows: Sequence[_Made], new: Iterable[DeploymentRow]) -> int:
        """The position of the first deployment that is to be made anew, or that is still to come.

        Those before it ended more than an hour before anything new, and before any later one began.
        """
        live = (row.finished_at for row in new if row.status in LIVE)
        limit = min((at for at in live if at != MISSING), default=_NEVER) - TOGETHER
        latest = list(accumulate((self._ended(row) for row in rows), max))
        begin = next((at for at, row in enumerate(rows) if self._is_changed(row)), len(rows))
        for row in rows[begin:]:
            limit = min(limit, self._earliest(row))
        while begin and latest[begin - 1] >= limit:
            begin -= 1
            limit = min(limit, self._earliest(rows[begin]))
        return begin

    def _ended(self, row: _Made) -> Micros:
        return max(part.finished_at for part in self._parts[row.id])

    def _earliest(self, row: _Made) -> Micros:
        """The finish of a deployment's first part; the earliest possible one of what changed."""
        parts = self._parts[row.id]
        if self._is_changed(row):
            return row.finished_at - TOGETHER * (len(parts) + 1)
        return min(part.finished_at for part in parts)

    def _shipped_by(self, redone: Collection[int]) -> set[int]:
        """The pull requests that some deployments shipped."""
        shipped = "SELECT item FROM shipped WHERE item > 0" + _in("deployed_id", redone)
        return {row[0] for row in self._facts.rows(shipped)} if redone else set()

    @cached_property
    def deployed(self) -> list[Deployed]:
        """The settled deployments; whether they were hotfixes themselves is in the marks."""
        return [self._deployed(row) for row in self._settled]

    def _deployed(self, row: _Made) -> Deployed:
        parts = self._parts[row.id]
        if len(parts) > 1:
            parts = sorted(parts, key=lambda part: (part.finished_at, part.key))
        return Deployed(
            id=row.record,
            parts=tuple([part.id for part in parts]),
            keys=tuple([part.key for part in parts]),
            kind=Kind(row.kind),
            started_at=MISSING if row.started_at is None else row.started_at,
            finished_at=row.finished_at,
            commit=NONE if row.commit is None else row.commit,
            environments=frozenset([self._facts.names[part.environment] for part in parts]),
            rolled_back=bool(row.rolled_back),
            first=bool(row.first),
            removed=NONE if row.removed is None else row.removed,
            planned=None,
            hotfix=False,
            ships=bool(row.ships),
            unplanned=row.unplanned,
        )

    def past(self, history: History, changes: Iterable[int], undecided: frozenset[int]) -> Past:
        """The settled deployments, and where those of some changes were shipped."""
        return Past(
            deployed=self.deployed,
            live=self._live(history),
            reached=self._reached(history),
            shipped=self._shipped(changes),
            empty=self._empty,
            undecided=undecided,
            marks=self._marks.before(len(self.deployed)),
        )

    def _live(self, history: History) -> dict[str, DeploymentRow]:
        """The records that the settled deployments left live in each environment."""
        live: dict[str, tuple[tuple[Micros, str], _SettledPart, int]] = {}
        for row in self._settled:
            if row.rolled_back or row.commit not in history.graph.index:
                continue
            for part in self._parts[row.id]:
                name, when = self._facts.names[part.environment], (part.finished_at, part.key)
                if name not in live or live[name][0] < when:
                    live[name] = when, part, row.commit
        return {name: _standing(name, part, commit) for name, (_, part, commit) in live.items()}

    def _reached(self, history: History) -> list[int]:
        """For each commit of the graph the position of the first deployment that reached it."""
        ids, positions = unpack([row.reached or b"" for row in self._settled])
        reached = np.full(len(history.graph), NONE)
        reached[np.searchsorted(history.graph.ids, ids)] = positions
        return reached.tolist()

    def _shipped(self, changes: Iterable[int]) -> dict[int, int]:
        sql = f"SELECT item, deployed_id FROM shipped WHERE service_id = {self._service}"
        position = {id_: at for at, id_ in enumerate(self.settled)}
        found = self._facts.rows(sql + _in("item", changes))
        return {item: position[id_] for item, id_ in found if id_ in position}


def _standing(environment: str, part: _SettledPart, commit: int) -> DeploymentRow:
    """A record as far as later ones are judged against it."""
    return DeploymentRow(
        id=part.id,
        key=part.key,
        environment=environment,
        status=Status.SUCCEEDED,
        commit=commit,
        version=None,
        started_at=MISSING,
        finished_at=part.finished_at,
        planned=None,
        hotfix=None,
        rollback=None,
        repository=None,
    )


_NEVER = 2**62
_MADE = (
    "SELECT id, record_id, kind, started_at, finished_at, sha_id, rolled_back, first, ships, "
    "unplanned, removed_id, reached FROM deployed"
)
_PARTS = (
    "SELECT p.deployed_id, r.id, r.key, r.environment_id, r.finished_at, r.batch "
    "FROM deployed_parts p JOIN deployments r ON r.id = p.record_id"
)


def _in(column: str, ids: Iterable[int]) -> str:
    """One more condition, that a column holds one of these ids."""
    return f" AND {column} IN ({', '.join(map(str, ids)) or 'NULL'})"


def _array(ids: Iterable[int]) -> Ints:
    return np.fromiter(ids, dtype=np.int64)
