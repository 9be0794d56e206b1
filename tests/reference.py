"""A slow, obvious second reading of docs/metrics.md, to hold the engine against: D, C, T and F.

Everything is done by brute force over the records: sets of ancestors, plain loops, no index
that a definition could hide in. It shares nothing with the product but the record types and
the rules, so where both agree, two readings of the same text agree.
Where the text leaves a choice, the comment beginning with "Choice" names the rule.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property

import pathspec

from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Repository,
    Status,
    Triage,
    Verdict,
)
from vpemetrics.rules import LeadTimeStart, Rules, Service
from vpemetrics.store.shas import commit_id

ONE_HOUR = timedelta(minutes=60)
CLOCK_SKEW = timedelta(minutes=5)
YEAR = timedelta(weeks=52)
REVERT_SUPPORT = timedelta(days=7)
REMEMBERED = 64
CONFIRMED = ("A", "B", "C")
ATTEMPTS = (Status.FAILED, Status.CANCELLED, Status.SKIPPED, Status.SUPERSEDED)

Parts = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One service reaching production once, in one or several environments (rule D3)."""

    service: str
    parts: Parts
    kind: str
    started_at: datetime
    finished_at: datetime
    commit: str | None
    known: bool
    rolled_back: bool
    first: bool
    environments: frozenset[str]
    removed: str | None = None
    unplanned: bool = False
    records: tuple[Deployment, ...] = field(repr=False, compare=False)

    @property
    def identity(self) -> str | None:
        """What was deployed: its commit, else its version."""
        return _identity(_last(self.records))

    @property
    def ships(self) -> bool:
        """Whether anything reached production by it that can be named."""
        return self.known and not self.rolled_back


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """Where a change went, and its samples of lead time in seconds (rules C2, T1, C3)."""

    deployment: Parts | None
    excluded: str | None = None
    start_at: datetime | None = None
    starts_at_merge: bool = False
    leads: tuple[float, ...] = ()

    @property
    def lead(self) -> float | None:
        """The lead time where the change has one sample."""
        return self.leads[0] if len(self.leads) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A piece of evidence that a deployment failed (rule F1).

    `by` is the deployment that gives it (the rollback, the one with the revert or the fix).
    `counts` is False where stronger evidence, or a person, decided otherwise.
    """

    service: str
    deployment: Parts
    grade: str
    evidence: str
    incident: str | None = None
    by: Parts | None = None
    counts: bool = True


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What caused an incident on a service: a deployment, or why none is known (grade E)."""

    grade: str
    service: str | None = None
    deployment: Parts | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """From the first start to the last restore of a failed deployment; None is still open."""

    start: datetime
    restored: datetime | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything rules D1 to D6, C1 to C3, T1 and F1 to F5 say about a history."""

    deployments: dict[str, tuple[Deployed, ...]]
    failed_attempts: dict[str, Parts]
    shipped: dict[tuple[str, str], Shipped]
    waiting: frozenset[tuple[str, str]]
    failures: tuple[Failure, ...]
    incident_causes: dict[tuple[str, str], Cause]
    recoveries: dict[tuple[str, Parts], Recovery]


def trace(records: Iterable[AnyRecord], rules: Rules) -> Result:
    """What a history means under the rules."""
    facts = Facts(records, rules)
    stories = {name: Story(facts, name) for name in facts.services}
    evidence = Evidence(facts, stories)
    failures = evidence.failures()
    return Result(
        deployments={name: evidence.with_rework(story) for name, story in stories.items()},
        failed_attempts={name: story.attempts for name, story in stories.items()},
        shipped={(name, key): it for name, s in stories.items() for key, it in s.shipped.items()},
        waiting=frozenset((name, key) for name, s in stories.items() for key in s.waiting),
        failures=failures,
        incident_causes=evidence.causes,
        recoveries=evidence.recoveries(failures),
    )


class Facts:
    """The records by kind, and who owns which commit (rules D2, D6, C1, C3)."""

    def __init__(self, records: Iterable[AnyRecord], rules: Rules) -> None:
        rows = list(records)
        self.rules = rules
        self.repositories = [row for row in rows if isinstance(row, Repository)]
        self.commits = {row.sha: row for row in rows if isinstance(row, Commit)}
        # A fork has commits of another repository too, so this is more than what `commits` says.
        self.with_commits = {row.repository for row in rows if isinstance(row, Commit)}
        self.homes: dict[str, set[str]] = {}
        for row in rows:
            if isinstance(row, Commit):
                self.homes.setdefault(row.sha, set()).add(row.repository)
        self.deployments = [row for row in rows if isinstance(row, Deployment)]
        self.incidents = [row for row in rows if isinstance(row, Incident)]
        merged = [row for row in rows if isinstance(row, Change) and row.merged_at is not None]
        self.changes = {change.id: change for change in sorted(merged, key=_merge_order)}
        self.proposed = {
            sha
            for row in rows
            if isinstance(row, Change) and row.merged_at is None and row.closed_at is None
            for sha in row.commit_shas
        }
        triage = sorted((row for row in rows if isinstance(row, Triage)), key=_decision_order)
        self.triage = {row.record: row for row in triage}
        self._reach: dict[str, frozenset[str]] = {}

    # Services and production

    @cached_property
    def services(self) -> dict[str, list[Deployment]]:
        """The production records of every service, by our name for it."""
        found: dict[str, list[Deployment]] = {}
        for row in self.deployments:
            name = self.service_of(row.service, row.repository)
            if name is not None and self._is_production(name, row.environment):
                found.setdefault(name, []).append(row)
        return found

    def service_of(self, own: str | None, repository: str | None) -> str | None:
        """Our name for what a source calls `own`, or deploys from a repository (rule D6)."""
        name = own if own is not None else self.repository_name(repository)
        if name is None:
            return None
        # Choice (D6): a name spelled out wins over any pattern, then the first pattern.
        for service in self.rules.services:
            if service.name == name:
                return service.name
        for service in self.rules.services:
            if any(fnmatchcase(name, pattern) for pattern in service.sources):
                return service.name
        if own is None:
            # Choice (D6): a record without a service is of the one service of its repository.
            ours = [
                s.name for s in self.rules.services if self.repository_name(s.repository) == name
            ]
            if len(ours) == 1:
                return ours[0]
        return name

    def service_rules(self, name: str) -> Service:
        return next((s for s in self.rules.services if s.name == name), Service(name=name))

    def _is_production(self, service: str, environment: str) -> bool:
        patterns = self.service_rules(service).environments or self.rules.environments
        return any(fnmatchcase(environment.lower(), pattern.lower()) for pattern in patterns)

    def repository_name(self, given: str | None) -> str | None:
        """The present name of a repository that may be given by id or an old name."""
        for repository in self.repositories:
            if given in (repository.id, repository.name, *repository.aliases):
                return repository.name
        return given

    def repositories_of(self, service: str) -> set[str | None]:
        configured = self.service_rules(service).repository
        given = [configured] if configured else [row.repository for row in self.services[service]]
        return {self.repository_name(name) for name in given if name is not None}

    def default_branch(self, repository: str) -> str | None:
        name = self.repository_name(repository)
        return next((r.default_branch for r in self.repositories if r.name == name), None)

    # The graph

    def ancestors(self, sha: str) -> frozenset[str]:
        """The commit and everything reachable from it (the last few answers are kept)."""
        if sha not in self._reach:
            reach = self._walk(sha)
            if len(self._reach) == REMEMBERED:
                del self._reach[next(iter(self._reach))]
            self._reach[sha] = reach
        return self._reach[sha]

    def _walk(self, sha: str) -> frozenset[str]:
        seen: set[str] = set()
        todo = [sha]
        while todo:
            at = todo.pop()
            if at in self._reach:
                seen |= self._reach[at]
            elif at not in seen:
                seen.add(at)
                todo += self.commits[at].parents if at in self.commits else ()
        return frozenset(seen)

    def is_merge(self, sha: str) -> bool:
        return sha in self.commits and len(self.commits[sha].parents) > 1

    # Changes and their commits

    def originals(self, change: Change) -> tuple[str, ...]:
        """The commits of a pull request before squash or rebase, () where unknown."""
        if change.commit_shas or change.merge_commit_sha is None:
            return change.commit_shas
        # Choice (C1, T1): a real merge commit says itself which commits it brought.
        commit = self.commits.get(change.merge_commit_sha)
        if commit is None or len(commit.parents) != 2 or commit.parents[1] not in self.commits:
            return ()
        base, head = commit.parents
        return tuple(sorted(self.ancestors(head) - self.ancestors(base)))

    def rebased(self, change: Change) -> list[str]:
        """The copies a rebase left before the last one, told by author and author date.

        Choice (C1): without this they would be direct commits, as are those from the first one
        down of which that is not known.
        """
        originals = [sha for sha in change.commit_shas if not self.is_merge(sha)]
        at, copies = change.merge_commit_sha, []
        for original in reversed(originals):
            if at is None or at == original or not self._is_copy(at, original):
                break
            copies.append(at)
            at = next(iter(self.commits[at].parents), None)
        return copies

    def _is_copy(self, sha: str, original: str) -> bool:
        one, other = self.commits.get(sha), self.commits.get(original)
        if one is None or other is None or len(one.parents) > 1 or one.authored_at is None:
            return False
        return (one.authored_at, one.author) == (other.authored_at, other.author)

    @cached_property
    def owners(self) -> dict[str, str]:
        """The earliest-merged pull request that lists a commit (rule C1).

        Choice (C1): a pull request's merge, squash and rebased commits are its own too.
        Choice (C1): a pull request that is not merged owns nothing.
        """
        return {
            sha: key
            for sha, key in self._claims.items()
            if key not in self._brought_in.get(sha, ())
        }

    @cached_property
    def _claims(self) -> dict[str, str]:
        claims: dict[str, str] = {}
        for change in self.changes.values():
            for sha in (*self.originals(change), *self.rebased(change), change.merge_commit_sha):
                if sha is not None:
                    claims.setdefault(sha, change.id)
        return claims

    # Imported history

    @cached_property
    def imported(self) -> set[str]:
        """The commits that a merge brought in from elsewhere (rule C6)."""
        return set().union(*(self.ancestors(head) & self._elsewhere for _, head in self._joins))

    @cached_property
    def importing_merges(self) -> set[str]:
        return {merge for merge, _ in self._joins}

    @cached_property
    def _joins(self) -> list[tuple[str, str]]:
        """Merges of what began elsewhere with what did not, each with a parent from there."""
        return [
            (sha, parent)
            for sha, commit in self.commits.items()
            if sha not in self._elsewhere
            for parent in commit.parents
            if parent in self._elsewhere
        ]

    @cached_property
    def _elsewhere(self) -> set[str]:
        """The commits that descend from none of the roots of the main lines."""
        begins, parents = set(), {p for c in self.commits.values() for p in c.parents}
        for repository in self.with_commits:
            mine = [c for c in self.commits.values() if repository in self.homes[c.sha]]
            heads = [c for c in mine if c.sha not in parents]
            if not heads:
                continue
            newest = max(heads, key=lambda c: (c.committed_at, commit_id(c.sha))).sha
            while self.commits[newest].parents:
                newest = self.commits[newest].parents[0]
                if newest not in self.commits:  # the line is cut: where it begins is not known
                    return set()
            begins.add(newest)
        return {sha for sha in self.commits if not self._descends(sha, begins)}

    def _descends(self, sha: str, begins: set[str]) -> bool:
        whole = self.ancestors(sha)
        cut = any(parent not in self.commits for a in whole for parent in self.commits[a].parents)
        return cut or not whole.isdisjoint(begins)

    @cached_property
    def _brought_in(self) -> dict[str, set[str]]:
        """The commits that pull requests brought in from elsewhere, with these pull requests.

        Choice (C6): what was merged there is this repository's by its source's word.
        """
        found: dict[str, set[str]] = {}
        for sha in self.imported & self._claims.keys():
            if self.changes[self._claims[sha]].merge_commit_sha not in self.imported:
                found.setdefault(sha, set()).add(self._claims[sha])
        return found

    @cached_property
    def importing(self) -> set[str]:
        """The pull requests that brought in history from elsewhere."""
        return set().union(*self._brought_in.values())

    def change_of(self, sha: str) -> str:
        """The change a commit belongs to: a pull request's id, or a commit's own sha."""
        source = self._picked_from(sha)
        return self.owners.get(source, source)

    def _picked_from(self, sha: str) -> str:
        """The first commit in a chain of cherry-picks, as far as the sources are known."""
        chain = [sha]
        while True:
            commit = self.commits.get(chain[-1])
            source = commit.picked_from_sha if commit else None
            if source is None or source in chain:
                break
            if source not in self.commits and source not in self.owners:
                break
            chain.append(source)
        # Choice (C1): an open pull request takes nothing from those who picked from it.
        while len(chain) > 1 and chain[-1] in self.proposed and chain[-1] not in self.owners:
            chain.pop()
        return chain[-1]

    @cached_property
    def picks(self) -> dict[str, set[str]]:
        """The cherry-picks of a commit."""
        picks: dict[str, set[str]] = {}
        for sha in self.commits:
            source = self._picked_from(sha)
            if source != sha:
                picks.setdefault(source, set()).add(sha)
        return picks

    @cached_property
    def own_commits(self) -> dict[str, tuple[str, ...]]:
        """The commits that are left to a pull request; merge commits are no changes."""
        return {
            change.id: tuple(
                sha
                for sha in self.originals(change)
                if self.change_of(sha) == change.id and not self.is_merge(sha)
            )
            for change in self.changes.values()
        }

    def brought_on(self, change: Change) -> set[str]:
        """The merged pull requests that a back-port brings on; of a chain the first (rule C4)."""
        found, seen, todo = set[str](), {change.id}, [change.id]
        while todo:
            key = todo.pop()
            named = [name for name in self.changes[key].backports if name in self.changes]
            named = [name for name in named if name != key]
            if not named and key != change.id:
                found.add(key)
            todo += [name for name in named if name not in seen]
            seen.update(named)
        return found

    @cached_property
    def backports_of(self) -> dict[str, list[Change]]:
        copies: dict[str, list[Change]] = {}
        for change in self.changes.values():
            for key in self.brought_on(change):
                copies.setdefault(key, []).append(change)
        return copies

    def nothing_left(self, change: Change) -> bool:
        """Whether a pull request is no change, all its commits being others' (rule C1)."""
        if self.own_commits[change.id] or change.id in self.importing:
            return False
        if self.originals(change):
            return True
        merge = change.merge_commit_sha
        return merge is not None and self.change_of(merge) != change.id

    @cached_property
    def released(self) -> set[str]:
        """The changes that only make a release, as deployments of tags say (rule C5).

        Choice (C5): a commit speaks for a pull request that it is all of, or was merged as.
        """
        found = set[str]()
        for row in self.deployments:
            if not row.release_commit or row.commit_sha is None:
                continue
            key = self.change_of(row.commit_sha)
            change = self.changes.get(key)
            is_all = (
                change is None
                or len(self.own_commits[key]) <= 1
                or change.merge_commit_sha == row.commit_sha
            )
            found.update([key] if is_all else ())
        return found

    @cached_property
    def light(self) -> set[str | None]:
        """The commits of tags without a time of their own (rule C5)."""
        return {row.commit_sha for row in self.deployments if row.light_tag}

    def is_picked(self, change: Change) -> bool:
        """Whether a pull request lost commits because they are picks of others' (rule C4)."""
        mine = (sha for sha, key in self._claims.items() if key == change.id)
        return any(
            self._picked_from(sha) != sha and self.change_of(sha) != change.id for sha in mine
        )

    @cached_property
    def carriers(self) -> dict[str, list[Change]]:
        """The later pull requests that list a pull request's merge or all its own commits."""
        carriers: dict[str, list[Change]] = {}
        listing: dict[str, set[str]] = {}
        for other in self.changes.values():
            for sha in other.commit_shas:
                listing.setdefault(sha, set()).add(other.id)
        for change in self.changes.values():
            found = set(listing.get(change.merge_commit_sha or "", ()))
            own = self.own_commits[change.id]
            if own:
                found |= set.intersection(*(listing.get(sha, set()) for sha in own))
            carriers[change.id] = [
                self.changes[key]
                for key in sorted(found)
                if _merge_order(self.changes[key]) > _merge_order(change)
            ]
        return carriers

    # People

    def is_automation(self, author: str | None, kind: AuthorKind | None) -> bool:
        if kind is not None or author is None:
            return kind is AuthorKind.AUTOMATION
        return author.endswith("[bot]") or any(fnmatchcase(author, p) for p in self.rules.bots)

    def by_automation(self, change: Change) -> bool:
        """Whether nobody asked for a pull request: by its author, else its oldest commit's (C3)."""
        if change.author is not None or change.author_kind is not None:
            return self.is_automation(change.author, change.author_kind)
        shas = self.own_commits[change.id] or (change.merge_commit_sha or "",)
        known = [self.commits[sha] for sha in shas if sha in self.commits]
        dated = [commit for commit in known if commit.authored_at is not None]
        oldest = min(dated, key=lambda c: (c.authored_at, c.sha), default=next(iter(known), None))
        return oldest is not None and self.is_automation(oldest.author, oldest.author_kind)

    # Reverts

    def commits_of(self, key: str) -> list[Commit]:
        """All commits that belong to a change."""
        return [self.commits[sha] for sha in self._shas_by_change.get(key, ())]

    @cached_property
    def _shas_by_change(self) -> dict[str, list[str]]:
        shas: dict[str, list[str]] = {}
        for sha in self.commits:
            shas.setdefault(self.change_of(sha), []).append(sha)
        return shas

    def reverts(self, key: str) -> set[str]:
        """The changes (or unknown commits) a change reverts, itself and other reverts never."""
        named = {sha for commit in self.commits_of(key) for sha in commit.reverts_sha}
        targets = {self.change_of(sha) for sha in named if not self._reverts_itself(sha)}
        if key in self.changes:
            targets |= set(self.changes[key].reverts)
        return {target for target in targets - {key} if not self._is_revert(target)}

    def _reverts_itself(self, sha: str) -> bool:
        return sha in self.commits and bool(self.commits[sha].reverts_sha)

    def _is_revert(self, key: str) -> bool:
        """Whether a change is nothing but a revert.

        Choice (F1): what brings work of its own beside a revert can be reverted like any change.
        """
        if key not in self.changes:
            return self._reverts_itself(key)
        change = self.changes[key]
        shas = self.own_commits[key] or (change.merge_commit_sha or "",)
        return bool(change.reverts) or all(self._reverts_itself(sha) for sha in shas)


def _merge_order(change: Change) -> tuple[datetime, str]:
    assert change.merged_at is not None
    return change.merged_at, change.id


class Story:
    """One service's deployments in order of finish, and the changes they shipped."""

    def __init__(self, facts: Facts, name: str) -> None:
        self.facts = facts
        self.name = name
        rows = sorted(facts.services[name], key=lambda row: row.id)
        self.attempts = tuple(row.id for row in rows if row.status in ATTEMPTS)
        self.repositories = facts.repositories_of(name)
        # Choice (C2): where no deployment names a commit, the graph is of no use.
        self.has_graph = any(row.commit_sha for row in _arrivals(rows)) and self._has_commits(rows)
        self._alive: set[tuple[str, str | None]] = set()
        """Branches of which something shipped in the 52 weeks before the last deployment."""
        self.deployments = self._judge(_group(_arrivals(rows)))
        self._paths = pathspec.GitIgnoreSpec.from_lines(facts.service_rules(name).paths)
        self.shipped: dict[str, Shipped] = {}
        self.waiting: set[str] = set()
        self._ship()

    def _has_commits(self, rows: Iterable[Deployment]) -> bool:
        return any(
            self.facts.repository_name(repository) in self.repositories
            for repository in self.facts.with_commits
        ) or any(row.commit_sha in self.facts.commits for row in rows)

    # Kinds (rules D4 and D5)

    def _judge(self, groups: list[list[Deployment]]) -> list[Deployed]:
        kinds = _Kinds(self)
        group_of = {row.id: index for index, group in enumerate(groups) for row in group}
        arrivals = sorted((row for group in groups for row in _firsts(group)), key=_finish)
        for row in arrivals:
            kinds.arrive(row, group_of[row.id])
        made = [self._deployed(group, kinds) for group in groups]
        return sorted(made, key=lambda d: (d.finished_at, _last(d.records).id))

    def _deployed(self, group: list[Deployment], kinds: "_Kinds") -> Deployed:
        firsts = _firsts(group)
        judged = [kinds.of[row.id] for row in firsts]
        # Choice (D4): judged per environment; of several kinds the one that matters most.
        kind = next(kind for kind in _Kinds.ORDER if kind in [it for it, _, _ in judged])
        removed = [before for it, before, _ in judged if it == "rollback"]
        return Deployed(
            service=self.name,
            parts=tuple(row.id for row in group),
            kind=kind,
            started_at=min(_start(row) for row in firsts),
            finished_at=max(_finish(row)[0] for row in firsts),
            commit=group[0].commit_sha,
            known=self.knows(group[0].commit_sha),
            rolled_back=group[0].status is Status.ROLLED_BACK,
            first=all(first for _, _, first in judged),
            environments=frozenset(row.environment for row in group),
            removed=removed[0] if removed else None,
            records=tuple(group),
        )

    def knows(self, sha: str | None) -> bool:
        # Choice (D4): where there is a graph, a commit outside it is an unknown one.
        return sha is not None and (not self.has_graph or sha in self.facts.commits)

    # Changes in deployments (rule C2)

    def _ship(self) -> None:
        ours = [c for c in self.facts.changes.values() if self._belongs(c)]
        if self.has_graph:
            self._ship_by_graph(ours)
        else:
            for change in ours:
                self._book(change, self._by_time(change))

    def _belongs(self, change: Change) -> bool:
        if self.facts.repository_name(change.repository) not in self.repositories:
            return False
        commits, squash = self.facts.commits, change.merge_commit_sha or ""
        own = [sha for sha in self.facts.own_commits[change.id] if sha in commits]
        told = [sha for sha in own if commits[sha].paths is not None]
        is_told = squash in commits and commits[squash].paths is not None
        # Choice (C2): where no original is known, or not all they touched, the squash shows it.
        if own and (told == own or self.facts.is_merge(squash) or not is_told):
            return any(self._touches(sha) for sha in own)
        return self.facts.is_merge(squash) or self._touches(squash)

    def _touches(self, sha: str) -> bool:
        commit = self.facts.commits.get(sha)
        if not self._paths.patterns or commit is None or commit.paths is None:
            return True
        return any(self._paths.match_file(path) for path in commit.paths)

    def _ship_by_graph(self, ours: list[Change]) -> None:
        pending = list(ours)
        seen: set[str] = set()
        for deployment in self.deployments:
            if not deployment.ships:
                continue
            assert deployment.commit is not None
            reach = self.facts.ancestors(deployment.commit)
            new = reach - seen
            if not new:
                continue
            seen |= new
            held = [change for change in pending if self._holds(reach, change)]
            for change in held:
                if deployment.finished_at >= self.deployments[-1].finished_at - YEAR:
                    self._alive.add((change.repository, change.base_branch))
                pending.remove(change)
                self._book(change, deployment)
            for key in sorted(set(self._direct(new)) - set(self.shipped)):
                self.shipped[key] = self._sample_direct(self.facts.commits[key], deployment)
        for change in pending:
            self._book(change, None)

    def _holds(self, reach: frozenset[str], change: Change) -> bool:
        copies = self.facts.backports_of.get(change.id, ())
        return any(self._holds_itself(reach, one) for one in (change, *copies))

    def _holds_itself(self, reach: frozenset[str], change: Change) -> bool:
        own = self.facts.own_commits[change.id]
        if own and all(self._has(reach, sha) for sha in own):
            return True
        return self._landed(reach, change)

    def _landed(self, reach: frozenset[str], change: Change) -> bool:
        merge = change.merge_commit_sha
        if merge is not None and self._has(reach, merge):
            return True
        return any(self._landed(reach, other) for other in self.facts.carriers[change.id])

    def _has(self, reach: frozenset[str], sha: str) -> bool:
        """Whether a deployment holds a commit or a cherry-pick of it.

        Choice (C2): a pull request is picked when its merge, or every one of its commits, is.
        """
        picks = self.facts.picks.get(sha)
        return sha in reach or (picks is not None and not reach.isdisjoint(picks))

    def _direct(self, new: Iterable[str]) -> Iterator[str]:
        for sha in new:
            if sha not in self.facts.commits:
                continue
            imports = self.facts.importing_merges | self.facts.imported
            if self.facts.is_merge(sha) and sha not in imports:
                continue
            # Choice (C1): what an open pull request lists waits for it, as do picks of it.
            source = self.facts.commits[sha].picked_from_sha
            if sha in self.facts.proposed:
                continue
            if source in self.facts.proposed and source not in self.facts.owners:
                continue
            key = self.facts.change_of(sha)
            if key in self.facts.commits and key not in self.facts.changes and self._touches(sha):
                yield key

    def _by_time(self, change: Change) -> Deployed | None:
        assert change.merged_at is not None
        for deployment in self.deployments:
            ships = deployment.kind == "forward" and not deployment.rolled_back
            # Choice (C2): "after its merge" leaves out the same instant.
            if ships and deployment.started_at > change.merged_at:
                return deployment
        return None

    # Samples (rules T1 and C3)

    def _book(self, change: Change, deployment: Deployed | None) -> None:
        """Put a merged pull request under shipped or waiting."""
        parts = deployment.parts if deployment else None
        reason = self._left_out(change, deployment)
        if reason is not None:
            self.shipped[change.id] = Shipped(deployment=parts, excluded=reason)
        elif deployment is None:
            self.waiting.add(change.id)
        else:
            self.shipped[change.id] = self._sample(change, deployment)

    def _left_out(self, change: Change, deployment: Deployed | None) -> str | None:
        if self.facts.brought_on(change):
            return "backport"
        if self.facts.nothing_left(change):
            return "backport" if self.facts.is_picked(change) else "no_commit_left"
        if deployment is None or not self.has_graph:
            default = self.facts.default_branch(change.repository)
            is_other = default and change.base_branch and change.base_branch != default
            if is_other and (change.repository, change.base_branch) not in self._alive:
                return "other_branch"
        if deployment is None:
            return None
        if deployment.first:
            return "first_deployment"
        if change.id in self.facts.released:
            return "release_commit"
        names_commits = any(d.commit is not None for d in self.deployments)
        if not deployment.known and names_commits:
            return "unknown_commit"
        return "automation" if self.facts.by_automation(change) else None

    def _sample(self, change: Change, deployment: Deployed) -> Shipped:
        starts, at_merge = self._starts(change)
        if not starts:
            return Shipped(deployment=deployment.parts, excluded="no_author_date")
        leads = [_lead(deployment.finished_at - start) for start in starts]
        kept = tuple(lead for lead in leads if lead is not None)
        by_merge = self.facts.rules.lead_time_start is LeadTimeStart.MERGE
        reason = "deployed_before_merge" if by_merge else "negative"
        return Shipped(
            deployment=deployment.parts,
            excluded=None if kept else reason,
            start_at=min(starts),
            starts_at_merge=at_merge,
            leads=kept,
        )

    def _starts(self, change: Change) -> tuple[list[datetime], bool]:
        """Where the samples of a pull request start; True if at the merge for want of better."""
        assert change.merged_at is not None
        mode = self.facts.rules.lead_time_start
        if mode is LeadTimeStart.MERGE:
            return [change.merged_at], False
        own = self.facts.own_commits[change.id]
        commits = [self.facts.commits[sha] for sha in own if sha in self.facts.commits]
        dates = [commit.authored_at for commit in commits if commit.authored_at is not None]
        if len(dates) < len(own) or not own:
            # Choice (T1): the source's own first_commit_at stands in for commits not known.
            each = mode is LeadTimeStart.EACH_COMMIT and dates
            said = None if change.id in self.facts.importing else change.first_commit_at
            dates += [said] if said and not each else []
        if not dates:
            return [change.merged_at], True
        return (dates if mode is LeadTimeStart.EACH_COMMIT else [min(dates)]), False

    def _sample_direct(self, commit: Commit, deployment: Deployed) -> Shipped:
        parts = deployment.parts
        if deployment.first:
            return Shipped(deployment=parts, excluded="first_deployment")
        if commit.sha in self.facts.imported and deployment.commit not in self.facts.imported:
            return Shipped(deployment=parts, excluded="imported_history")
        if commit.sha in self.facts.released:
            return Shipped(deployment=parts, excluded="release_commit")
        if self.facts.is_automation(commit.author, commit.author_kind):
            return Shipped(deployment=parts, excluded="automation")
        if commit.sha == deployment.commit and commit.sha in self.facts.light:
            return Shipped(deployment=parts, excluded="light_tag")
        start = commit.authored_at
        if self.facts.rules.lead_time_start is LeadTimeStart.MERGE:
            # Choice (T1): a direct commit is merged when it is committed.
            start = commit.committed_at or start
        if start is None:
            return Shipped(deployment=parts, excluded="no_author_date")
        lead = _lead(deployment.finished_at - start)
        by_merge = self.facts.rules.lead_time_start is LeadTimeStart.MERGE
        reason = "deployed_before_merge" if by_merge else "negative"
        return Shipped(
            deployment=parts,
            excluded=reason if lead is None else None,
            start_at=start,
            leads=() if lead is None else (lead,),
        )

    # What the evidence asks for

    def of_record(self, record: str) -> Deployed | None:
        return next((d for d in self.deployments if record in d.parts), None)

    def of_parts(self, parts: Parts | None) -> Deployed | None:
        return next((d for d in self.deployments if d.parts == parts), None)

    def of_change(self, key: str) -> Deployed | None:
        """The deployment that shipped a change; the first one shipped nothing that counts."""
        it = self.shipped.get(key)
        if it is None or it.excluded == "other_branch":
            return None
        found = self.of_parts(it.deployment)
        return None if found is None or found.first else found

    def of_commit(self, sha: str) -> Deployed | None:
        """The deployment that first held a commit, else the one that shipped its change."""
        held = next((d for d in self.deployments if d.ships and self._is_in(sha, d)), None)
        key = self.facts.change_of(sha)
        booked = self.shipped.get(key)
        shipped = self.of_parts(booked.deployment) if booked else None
        found = min(filter(None, (held, shipped)), key=self.place, default=None)
        return None if found is None or found.first else found

    def _is_in(self, sha: str, deployment: Deployed) -> bool:
        return sha in self.facts.ancestors(deployment.commit or "") and self._touches(sha)

    def place(self, deployment: Deployed) -> int:
        return [d.parts for d in self.deployments].index(deployment.parts)

    def removed_by(self, rollback: Deployed) -> list[Deployed]:
        """The forward deployments a rollback took back, the first one first (rule F1, grade B)."""
        place = self.place(rollback)
        # Choice (F1): only what was deployed where the rollback happened.
        before = [
            (i, d)
            for i, d in enumerate(self.deployments[:place])
            if d.environments & rollback.environments and not d.rolled_back
        ]
        target = self._target(rollback, before)
        return [d for i, d in before if target is not None and i > target and d.kind == "forward"]

    def _target(self, rollback: Deployed, before: list[tuple[int, Deployed]]) -> int | None:
        live = [(i, d) for i, d in before if d.ships]
        same = [i for i, d in before if d.identity and d.identity == rollback.identity]
        if not rollback.known:
            return max(same, default=None)
        assert rollback.commit is not None
        older = self.facts.ancestors(rollback.commit)
        return max(same or [i for i, d in live if d.commit in older], default=None)

    def put_back(self, rollback: Deployed) -> bool:
        """Whether what a rollback removed came again before any other forward deployment."""
        for deployment in self.deployments[self.place(rollback) + 1 :]:
            if deployment.rolled_back or not deployment.environments & rollback.environments:
                continue
            if deployment.identity == rollback.removed:
                return True
            if deployment.kind == "forward":
                return False
        return False

    def _is_back(self, removed: Deployed, rollback: Deployed, by: datetime) -> bool:
        """Whether a removed commit was put back where it was by a moment.

        Choice (F1): then it is live again, and no longer "rolled back since".
        """
        return any(
            d.identity == removed.identity and d.identity is not None
            for d in self.deployments[self.place(rollback) + 1 :]
            if d.finished_at <= by and not d.rolled_back and d.environments & rollback.environments
        )

    def live_at(self, began: datetime, fix: Deployed | None = None) -> Deployed | None:
        """The latest forward deployment that had started then and was not rolled back since."""
        gone = [
            removed
            for rollback in self.deployments
            if rollback.kind == "rollback" and rollback.finished_at <= began
            for removed in self.removed_by(rollback)
            if not self._is_back(removed, rollback, began)
        ]
        candidates = [
            d
            for d in self.deployments
            if d.kind == "forward" and d.started_at <= began and d not in gone and d != fix
            # Choice (F1): "since" is between the deployment and the incident.
            if not (d.rolled_back and d.finished_at <= began)
        ]
        # Choice (F1): "latest" is the latest to start; ties by order of finish.
        return max(candidates, key=lambda d: (d.started_at, self.place(d)), default=None)


def _lead(elapsed: timedelta) -> float | None:
    """Seconds of lead time; at most 5 minutes below zero is clock skew (rule T1)."""
    if elapsed < -CLOCK_SKEW:
        return None
    return max(elapsed, timedelta()).total_seconds()


def _start(row: Deployment) -> datetime:
    return row.started_at or _finish(row)[0]


def _finish(row: Deployment) -> tuple[datetime, str]:
    when = row.finished_at or row.started_at
    assert when is not None
    return when, row.id


def _arrivals(rows: Iterable[Deployment]) -> list[Deployment]:
    """What reached production, in order of finish; without a time it cannot be placed."""
    reached = (Status.SUCCEEDED, Status.ROLLED_BACK)
    return sorted(
        (row for row in rows if row.status in reached and (row.finished_at or row.started_at)),
        key=_finish,
    )


def _firsts(group: Sequence[Deployment]) -> list[Deployment]:
    """The first part in every environment; the others are repeats."""
    found: dict[str, Deployment] = {}
    for row in group:
        found.setdefault(row.environment, row)
    return list(found.values())


def _last(group: Sequence[Deployment]) -> Deployment:
    return _firsts(group)[-1]


def _group(arrivals: list[Deployment]) -> list[list[Deployment]]:
    """Parts that are one deployment together (rule D3)."""
    groups: list[list[Deployment]] = []
    latest: dict[str, list[Deployment]] = {}
    for row in arrivals:
        home = next((g for g in reversed(groups) if _joins(row, g, latest)), None)
        if home is None:
            home = []
            groups.append(home)
        home.append(row)
        latest[row.environment] = home
    return groups


def _joins(
    row: Deployment, group: list[Deployment], latest: Mapping[str, list[Deployment]]
) -> bool:
    if row.status is not group[0].status or not _same(row, group[0]):
        return False
    there = [part for part in _firsts(group) if part.environment == row.environment]
    if not there:
        return _finish(row)[0] - _finish(_last(group))[0] <= ONE_HOUR
    # Choice (D1, D3): the pipeline's own rollback lies between two tries that were rolled back.
    again = row.status is Status.SUCCEEDED and latest[row.environment] is group
    return again and _finish(row)[0] - _finish(there[0])[0] <= ONE_HOUR


def _numbers(version: str | None) -> tuple[list[str], list[int]] | None:
    """What stands around the numbers of a version, and these."""
    if version is None or not any(map(str.isdigit, version)):
        return None
    return re.split(r"\d+", version), [int(number) for number in re.findall(r"\d+", version)]


def _identity(one: Deployment) -> str | None:
    """What was deployed: the commit, else the version."""
    return one.commit_sha or (one.version and f"version {one.version}")


def _same(one: Deployment, other: Deployment) -> bool:
    if one.commit_sha is None and other.commit_sha is None:
        return one.version is not None and one.version == other.version
    return one.commit_sha == other.commit_sha


class _Kinds:
    """What is and was live in every environment, and so the kind of every arrival."""

    ORDER = ("rollback", "forward", "redeploy", "stale", "rollout")

    def __init__(self, story: Story) -> None:
        self.story = story
        self.live: dict[str, str] = {}
        self.ever: dict[str, dict[str, int]] = {}
        self.reached: set[str] = set()
        self.newest: dict[str, Deployment] = {}
        self.versions: dict[str, list[tuple[str, int]]] = {}
        self.of: dict[str, tuple[str, str | None, bool]] = {}

    def arrive(self, row: Deployment, group: int) -> None:
        """Judge a part, then make its commit the live one."""
        before = self.live.get(row.environment)
        lives = row.status is not Status.ROLLED_BACK and self.story.knows(row.commit_sha)
        # Choice (D5): what is unknown or did not stay follows whatever came there before it.
        first = before is None and (lives or row.environment not in self.reached)
        kind, removed = self._by_version(row, group), self._removed(row, before)
        if kind is None:
            kind, removed = self._kind(row, before, group), before
        self.of[row.id] = (kind, removed, first)
        self.reached.add(row.environment)
        if row.status is not Status.ROLLED_BACK:
            self.newest[row.environment] = row
            if row.version is not None:
                self.versions.setdefault(row.version, []).append((row.environment, group))
        if row.status is Status.ROLLED_BACK or not self.story.knows(row.commit_sha):
            return
        assert row.commit_sha is not None
        self.live[row.environment] = row.commit_sha
        self.ever.setdefault(row.environment, {}).setdefault(row.commit_sha, group)

    def _kind(self, row: Deployment, before: str | None, group: int) -> str:
        sha = row.commit_sha
        if row.status is Status.ROLLED_BACK or not self.story.knows(sha):
            return "forward"
        # Choice (D5): also where another environment has the commit already.
        if before is None or sha is None:
            return "forward"
        if sha == before:
            return "redeploy"
        here = self.ever[row.environment]
        if sha in here:
            return "redeploy" if self._contains(sha, before) else "rollback"
        older = sha in self.story.facts.ancestors(before)
        if row.rollback and (older or not self.story.has_graph):
            return "rollback"
        # Choice (D4): "never live" is nowhere, so a commit known elsewhere is a rollout.
        elsewhere = [env for env, ever in self.ever.items() if ever.get(sha, group) != group]
        if elsewhere:
            return "rollout"
        return "stale" if older else "forward"

    def _removed(self, row: Deployment, before: str | None) -> str | None:
        newest = self.newest.get(row.environment)
        return before if newest is None else _identity(newest)

    def _by_version(self, row: Deployment, group: int) -> str | None:
        """The kind by versions where a commit is unknown; None where they say nothing."""
        before = self.newest.get(row.environment)
        if row.status is Status.ROLLED_BACK or before is None:
            return None
        if self.story.knows(row.commit_sha) and self.story.knows(before.commit_sha):
            return None
        mine, other = _numbers(row.version), _numbers(before.version)
        if mine is None or other is None or mine[0] != other[0]:
            return None
        assert row.version is not None
        seen = self.versions.get(row.version, [])
        if mine == other:
            return "redeploy"
        if row.environment in [environment for environment, _ in seen]:
            return "redeploy" if mine > other else "rollback"
        if row.rollback and mine < other:
            return "rollback"
        if any(by != group for _, by in seen):
            return "rollout"
        late = mine < other and _start(row) < _start(before)
        return "stale" if late else "forward"

    def _contains(self, sha: str, before: str) -> bool:
        if self.story.has_graph:
            return before in self.story.facts.ancestors(sha)
        # Choice (D4): without a graph, what first went live later, anywhere, contains the earlier.
        return min(ever[sha] for ever in self.ever.values() if sha in ever) > min(
            ever[before] for ever in self.ever.values() if before in ever
        )


@dataclass(frozen=True)
class _Revert:
    blamed: Deployed
    by: Deployed
    supported: bool


class Evidence:
    """Which deployment failed, by what evidence, and when it was mended (rules F1 to F5)."""

    def __init__(self, facts: Facts, stories: Mapping[str, Story]) -> None:
        self.facts = facts
        self.stories = stories
        self.incidents = {incident.id: incident for incident in facts.incidents}
        self.causes: dict[tuple[str, str], Cause] = {}

    def failures(self) -> tuple[Failure, ...]:
        """All evidence, the strongest first; fills `causes` on the way."""
        found: list[Failure] = []
        for story in self.stories.values():
            found += [
                replace(failure, counts=not self._acquitted(failure))
                for failure in self._without_incident(story)
            ]
        for incident in self.facts.incidents:
            found += self._of_incident(incident)
        return tuple(sorted(found, key=_strength))

    # Evidence without an incident

    def _without_incident(self, story: Story) -> Iterator[Failure]:
        for deployment in story.deployments:
            if deployment.rolled_back:
                yield _failure(deployment, "A", "rolled_back")
            if self._verdict(*deployment.parts) is Verdict.CONFIRM:
                yield _failure(deployment, "A", "triage")
            if deployment.kind == "rollback":
                removed = story.removed_by(deployment)
                grade = "D" if story.put_back(deployment) else "B"
                if removed:
                    yield _failure(removed[0], grade, "rollback", by=deployment)
        for revert in self.reverts(story):
            grade = "B" if revert.supported else "D"
            yield _failure(revert.blamed, grade, "revert", by=revert.by)

    def reverts(self, story: Story) -> Iterator[_Revert]:
        """The reverts that are evidence: of no revert, and in a later deployment."""
        for key in story.shipped:
            by = story.of_change(key)
            if by is None:
                continue
            for target in sorted(self.facts.reverts(key)):
                blamed = story.of_change(target)
                if blamed is None:
                    continue
                if story.place(blamed) < story.place(by):
                    supported = self._supported(story, key, target, blamed, by)
                    yield _Revert(blamed, by, supported)

    def _supported(
        self, story: Story, key: str, target: str, blamed: Deployed, by: Deployed
    ) -> bool:
        """Whether an incident, a hotfix or a label stands beside a revert (rule F1, grade B).

        Choice (F1): an incident that concerns the service and began within 7 days of the
        revert's deployment, before or after, but not before the deployment that is blamed
        started; or a revert within 7 days of its target where either pull request is labelled,
        or the deployment of either is a hotfix or ships one.
        """
        if any(
            abs(began - by.finished_at) <= REVERT_SUPPORT and began >= blamed.started_at
            for incident in self.facts.incidents
            if self._concerns(incident, story) and not incident.external
            # Choice (F1): what a person says no deployment caused is as good as external.
            if self._verdict(incident.id) is not Verdict.REJECT
            if (began := _began(incident)) is not None
        ):
            return True
        if by.finished_at - blamed.finished_at > REVERT_SUPPORT:
            return False
        hotfixes = {
            d.parts for change, d in self._shipped_changes(story) if self._hotfix_change(change)
        }
        if any(_is_hotfix(d) or d.parts in hotfixes for d in (by, blamed)):
            return True
        return any(self._marked(it) for it in (key, target))

    def _shipped_changes(self, story: Story) -> Iterator[tuple[Change, Deployed]]:
        for key in story.shipped:
            if key in self.facts.changes and (found := story.of_change(key)) is not None:
                yield self.facts.changes[key], found

    def _concerns(self, incident: Incident, story: Story) -> bool:
        """Whether an incident names a service, or something that the service deployed."""
        if story.name in self._named(incident):
            return True
        triage = self.facts.triage.get(incident.id)
        exact = [incident.cause_deployment, triage.cause if triage else None]
        if any(cause is not None and self._named_in(story, cause) for cause in exact):
            return True
        if incident.service:
            return False
        causes = _causes(incident, None)
        return bool(self._fixes(story, incident)) or any(self._named_in(story, c) for c in causes)

    def _marked(self, key: str) -> bool:
        change = self.facts.changes.get(key)
        if change is None:
            return False
        labels = {label.lower() for label in change.labels}
        incident = {label.lower() for label in self.facts.rules.incident_labels}
        return bool(labels & incident) or self._hotfix_change(change)

    def _hotfix_change(self, change: Change) -> bool:
        labels = {label.lower() for label in change.labels}
        if labels & {label.lower() for label in self.facts.rules.hotfix_labels}:
            return True
        patterns = self.facts.rules.hotfix_branches
        return any(fnmatchcase(change.head_branch or "", pattern) for pattern in patterns)

    # Evidence of an incident

    def _of_incident(self, incident: Incident) -> list[Failure]:
        found: list[Failure] = []
        for service in self._services_of(incident):
            best, evidence, reason = self._decided(incident, service)
            if best is None:
                cause = Cause(grade="E", reason=reason)
            else:
                cause = Cause(grade=best.grade, service=best.service, deployment=best.deployment)
                found.append(best)
            found += [replace(f, counts=False) for f in evidence if f != best]
            self.causes[incident.id, service] = cause
        return found

    def _services_of(self, incident: Incident) -> list[str]:
        concerned = [s.name for s in self.stories.values() if self._concerns(incident, s)]
        return sorted({*self._named(incident), *concerned}) or [""]

    def _decided(
        self, incident: Incident, service: str
    ) -> tuple[Failure | None, list[Failure], str]:
        """What counts for an incident, all its evidence, and the reason where nothing counts."""
        decision = self.facts.triage.get(incident.id)
        evidence, reason = self._evidence(incident, service, _causes(incident, None))
        if decision is not None and decision.verdict is Verdict.REJECT:
            return None, evidence, "rejected"
        if decision is not None and decision.verdict is Verdict.LINK:
            causes = _causes(incident, decision) or ["nothing"]
            linked, reason = self._evidence(incident, service, causes)
            if not linked:
                return None, evidence, reason
            # Choice (F1): a link stands against an earlier word that its deployment did not fail.
            if not self._acquitted(linked[0], after=decision):
                return replace(linked[0], evidence="triage"), evidence, reason
        standing = [f for f in evidence if not self._acquitted(f)]
        if decision is not None and decision.verdict is Verdict.CONFIRM:
            # Choice (F1): what is confirmed is what was held against the incident by then.
            then = [f for f in evidence if not self._acquitted(f, before=decision)]
            if then and then[0] in standing:
                return replace(then[0], grade="A", evidence="triage"), evidence, reason
        if not standing:
            rejected = evidence or (decision is not None and decision.verdict is Verdict.LINK)
            return None, evidence, "rejected" if rejected else reason
        return standing[0], evidence, reason

    def _evidence(
        self, incident: Incident, service: str, causes: list[str]
    ) -> tuple[list[Failure], str]:
        """The evidence in a service, strongest first, and the reason for E if there is none."""
        story = self.stories.get(service)
        if story is None:
            return [], "unknown" if service else "no_service"
        guilty = [d for cause in causes for d in self._named_in(story, cause)]
        # Choice (F1): a cause that is named but was not shipped here ends the search.
        if causes and not guilty:
            return [], "never_shipped"
        evidence = [_failure(d, "A", "named", incident) for d in guilty]
        if not incident.external:
            evidence += self._by_fix_and_time(incident, story)
        reason = "external" if incident.external else "unknown"
        return sorted(evidence, key=lambda failure: failure.grade), reason

    def _named(self, incident: Incident) -> list[str]:
        names = [self.facts.service_of(name, None) for name in incident.service]
        return sorted({name for name in names if name is not None})

    def _named_in(self, story: Story, cause: str) -> list[Deployed]:
        """The deployment of a service that a deployment, pull request or commit stands for."""
        deployment = story.of_record(cause)
        if deployment is None and cause in self.facts.changes:
            deployment = story.of_change(cause)
        elif deployment is None:
            deployment = self._of_sha(story, cause.lower())
        return [] if deployment is None else [deployment]

    def _of_sha(self, story: Story, given: str) -> Deployed | None:
        deployed = {d.commit for d in story.deployments if d.commit is not None}
        known = {*self.facts.commits, *self.facts.owners, *deployed}
        matching = [sha for sha in known if sha.lower().startswith(given)]
        return story.of_commit(matching[0]) if len(matching) == 1 else None

    def _fixes(self, story: Story, incident: Incident) -> list[Deployed]:
        """The deployments that shipped a change closing the incident, the first one first."""
        closing = [d for c, d in self._shipped_changes(story) if incident.id in c.closes]
        return [d for d in story.deployments if d in closing]

    def _by_fix_and_time(self, incident: Incident, story: Story) -> Iterator[Failure]:
        began = _began(incident)
        if began is None:
            return
        for fix in self._fixes(story, incident):
            # Choice (F1): a fix does not break what it mends.
            blamed = story.live_at(began, fix)
            if blamed is not None:
                yield _failure(blamed, "C", "fix", incident, by=fix)
        suspect = story.live_at(began)
        if suspect is not None and began - suspect.started_at <= self.facts.rules.incident_window:
            yield _failure(suspect, "D", "time", incident)

    # A person's verdict

    def _verdict(self, *records: str) -> Verdict | None:
        """The last word about what these records are together."""
        decision = self._last_word(records)
        return decision.verdict if decision else None

    def _last_word(self, records: Iterable[str]) -> Triage | None:
        rows = [self.facts.triage[key] for key in records if key in self.facts.triage]
        return max(rows, key=_decision_order, default=None)

    def _acquitted(
        self, failure: Failure, before: Triage | None = None, after: Triage | None = None
    ) -> bool:
        """Whether a person says that a deployment did not fail, and said so by or since then."""
        word = self._last_word(failure.deployment)
        if word is None or word.verdict is not Verdict.REJECT:
            return False
        if before is not None:
            return _decision_order(word) < _decision_order(before)
        return after is None or _decision_order(word) > _decision_order(after)

    def _deployment(self, failure: Failure) -> Deployed:
        found = self.stories[failure.service].of_parts(failure.deployment)
        assert found is not None
        return found

    # Rework (rule F4)

    def with_rework(self, story: Story) -> tuple[Deployed, ...]:
        """The deployments of a service with `unplanned` filled in."""
        reverting = {revert.by.parts for revert in self.reverts(story) if revert.supported}
        content = reverting | self._with_unplanned_changes(story, self.incidents)
        return tuple(
            replace(d, unplanned=_is_unplanned(d, d.parts in content)) for d in story.deployments
        )

    def _with_unplanned_changes(self, story: Story, incidents: Iterable[str]) -> set[Parts]:
        """The deployments that ship hotfixes, or fixes of some incidents."""
        changes = (self.facts.changes[key] for key in story.shipped if key in self.facts.changes)
        return {
            deployment.parts
            for change in changes
            if self._unplanned_change(change, story, set(incidents))
            if (deployment := story.of_change(change.id)) is not None
        }

    def _unplanned_change(self, change: Change, story: Story, incidents: set[str]) -> bool:
        # Choice (F4): only known incidents of the service; other issues are closed every day.
        closes = [self.incidents[key] for key in incidents.intersection(change.closes)]
        return self._hotfix_change(change) or any(self._concerns(one, story) for one in closes)

    # Recovery (rule F5)

    def recoveries(self, failures: Iterable[Failure]) -> dict[tuple[str, Parts], Recovery]:
        """One recovery for every deployment with a confirmed failure."""
        by_deployment: dict[tuple[str, Parts], list[Failure]] = {}
        for failure in failures:
            if failure.counts:
                by_deployment.setdefault((failure.service, failure.deployment), []).append(failure)
        found = {
            key: self._recovery(evidence)
            for key, evidence in by_deployment.items()
            if any(failure.grade in CONFIRMED for failure in evidence)
        }
        return {key: recovery for key, recovery in found.items() if recovery is not None}

    def _recovery(self, evidence: list[Failure]) -> Recovery | None:
        """From start to restoration; None where nobody can know when it was restored."""
        deployment = self._deployment(evidence[0])
        incidents = [self.incidents[f.incident] for f in evidence if f.incident is not None]
        if not incidents:
            return self._recovery_without_incident(deployment, evidence)
        # Choice (F5): an incident without times says nothing about the start.
        starts = [began for incident in incidents if (began := _began(incident)) is not None]
        start = max(min(starts, default=deployment.finished_at), deployment.started_at)
        ends = [incident.mitigated_at or incident.resolved_at for incident in incidents]
        closed = [end for end in ends if end is not None]
        return Recovery(start=start, restored=max(closed) if len(closed) == len(ends) else None)

    def _recovery_without_incident(
        self, deployment: Deployed, evidence: list[Failure]
    ) -> Recovery | None:
        """From the deployment to the rollback or hotfix that ended its failure."""
        if deployment.rolled_back:
            # Choice (F5): the pipeline's own rollback ends with the run.
            return Recovery(start=deployment.started_at, restored=deployment.finished_at)
        story = self.stories[deployment.service]
        # Choice (F5): a failure that a person confirmed was mended by what made it suspected,
        # else by the first rollback, hotfix or fix after it, of an incident that nobody rejected
        # or tied to another.
        judged = any(failure.evidence == "triage" for failure in evidence)
        ends = [
            by.finished_at
            for failure in evidence
            if judged or failure.grade in CONFIRMED
            if (by := story.of_parts(failure.by)) is not None
        ]
        if judged and not ends:
            elsewhere = (Verdict.REJECT, Verdict.LINK)
            open_ = [key for key in self.incidents if self._verdict(key) not in elsewhere]
            content = self._with_unplanned_changes(story, open_)
            later = story.deployments[story.deployments.index(deployment) + 1 :]
            mending = (d for d in later if _is_unplanned(d, d.parts in content))
            ends = [d.finished_at for d in mending][:1]
        if not ends:
            return None
        return Recovery(start=deployment.finished_at, restored=min(ends))


def _failure(
    deployment: Deployed,
    grade: str,
    evidence: str,
    incident: Incident | None = None,
    by: Deployed | None = None,
) -> Failure:
    return Failure(
        service=deployment.service,
        deployment=deployment.parts,
        grade=grade,
        evidence=evidence,
        incident=incident.id if incident else None,
        by=by.parts if by else None,
    )


def _strength(failure: Failure) -> tuple[str, str, Parts, str, str, Parts]:
    f = failure
    return f.grade, f.service, f.deployment, f.evidence, f.incident or "", f.by or ()


def _began(incident: Incident) -> datetime | None:
    return incident.impact_started_at or incident.detected_at


def _causes(incident: Incident, triage: Triage | None) -> list[str]:
    """What is named as the cause, most exact first; a person's link replaces it all."""
    if triage is not None and triage.verdict is Verdict.LINK:
        return [triage.cause] if triage.cause else []
    named = (incident.cause_deployment, incident.cause_sha, incident.cause_change)
    return [cause for cause in named if cause]


def _decision_order(row: Triage) -> tuple[datetime, str, str, str]:
    return row.when, row.record, row.verdict, row.cause or ""


def _is_hotfix(deployment: Deployed) -> bool:
    return any(row.hotfix or row.planned is False for row in deployment.records)


def _is_unplanned(deployment: Deployed, content: bool) -> bool:
    if deployment.kind == "rollback":
        return True
    return deployment.kind == "forward" and (content or _is_hotfix(deployment))
