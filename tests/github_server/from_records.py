"""A simulated GitHub on which happened what records say, so that collecting finds it again.

An incident is an issue that is closed when the trouble is over. Where several services are
deployed from one repository, its environments are called `service/environment`. What GitHub has
no place for is lost; `as_told` says what remains.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha1
from typing import Final, TypeVar

from github_server import things
from github_server.things import BORN, Issue
from github_server.world import WEB, Repo, World, signature
from vpemetrics.records import (
    AnyRecord,
    Change,
    Commit,
    Deployment,
    Incident,
    Repository,
    Run,
    Status,
)

INCIDENT: Final = "incident"
"""The label of issues that are incidents."""

_ENDS: Final = {
    Status.SUCCEEDED: "SUCCESS",
    Status.FAILED: "FAILURE",
    Status.ROLLED_BACK: "FAILURE",
    Status.CANCELLED: "INACTIVE",
    Status.SKIPPED: "INACTIVE",
    Status.SUPERSEDED: "INACTIVE",
}
_NUMBER: Final = re.compile(r"\d+$")
_Said = tuple[datetime, str, things.Deployment]
_Kept = TypeVar("_Kept", bound=AnyRecord)


def world_of(records: Iterable[AnyRecord], *, incidents_in: str | None = None) -> World:
    """The GitHub behind records; incidents are issues of a repository named here.

    By default that is `incidents` beside the first repository.
    """
    told = _Told.sorted_out(records)
    world = World()
    for one in told.repositories.values():
        repo = world.repository(one.name)
        repo.former += one.aliases
        repo.default_branch = one.default_branch or "main"
    owner = next(iter(told.names)).partition("/")[0] if told.names else "example"
    noted = _Issues(world, told, incidents_in or f"{owner}/incidents")
    for name in told.names:
        _fill(world.repository(name), name, told, noted)
    return world


def as_told(records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
    """Yield the records with no more than GitHub can tell of them.

    Its deployments know no roll-back by their own run. An issue knows neither customers nor when
    its impact began, nor that its cause lies outside; its cause is a commit, not a deployment, and
    its closing is the one end it has.
    """
    known = list(records)
    shipped = {one.id: one.commit_sha for one in known if isinstance(one, Deployment)}
    for record in known:
        match record:
            case Deployment(status=Status.ROLLED_BACK):
                yield replace(record, status=Status.FAILED)
            case Incident():
                yield _as_issue(record, shipped.get(record.cause_deployment or ""))
            case _:
                yield record


def _as_issue(incident: Incident, deployed: str | None) -> Incident:
    return replace(
        incident,
        customer_affecting=None,
        impact_started_at=None,
        acknowledged_at=None,
        mitigated_at=None,
        resolved_at=incident.mitigated_at or incident.resolved_at,
        external=None,
        cause_deployment=None,
        cause_sha=deployed if incident.cause_deployment else incident.cause_sha,
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """Records by what they are, and by the repository that they belong to."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    commits: dict[str, list[Commit]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    deployments: dict[str, list[Deployment]] = field(default_factory=lambda: defaultdict(list))
    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    incidents: dict[str, Incident] = field(default_factory=dict)

    @classmethod
    def sorted_out(cls, records: Iterable[AnyRecord]) -> "_Told":
        told = cls()
        for record in records:
            match record:
                case Repository():
                    told.repositories[record.name] = record
                case Commit():
                    told.commits[record.repository].append(record)
                case Change():
                    told.changes[record.repository].append(record)
                case Deployment(repository=str(name)):
                    told.deployments[name].append(record)
                case Run():
                    told.runs[record.repository].append(record)
                case Incident():
                    told.incidents[record.id] = record
        return told

    @property
    def names(self) -> dict[str, None]:
        """All repositories in the order in which they were met."""
        parts = (self.repositories, self.commits, self.changes, self.deployments, self.runs)
        return {name: None for part in parts for name in part}

    def commit_deployed(self, deployment: str) -> str | None:
        """The commit of a deployment by its record's id."""
        every = (one for part in self.deployments.values() for one in part)
        return next((one.commit_sha for one in every if one.id == deployment), None)


class _Issues:
    """The issues that incidents are, by the ids of the incidents."""

    def __init__(self, world: World, told: _Told, repository: str) -> None:
        self._told = told
        self._found: dict[str, Issue] = {}
        if told.incidents:
            self._repo = world.repository(repository)
            for incident in sorted(told.incidents.values(), key=_noticed_at):
                self._found[incident.id] = self._open(incident)

    def __getitem__(self, incident: str) -> Issue:
        return self._found[incident]

    def known(self, incidents: Iterable[str]) -> list[Issue]:
        """Those of the incidents that there are."""
        return [self._found[one] for one in incidents if one in self._found]

    def _open(self, incident: Incident) -> Issue:
        repo, at = self._repo, _noticed_at(incident)
        number = _NUMBER.search(incident.id)
        free = number is not None and int(number[0]) not in repo.issues
        made = repo.open_issue(
            incident.title or incident.id,
            author=repo.world.account("on-call"),
            at=at,
            body=self._body(incident),
            labels=_incident_labels(incident),
            number=int(number[0]) if number and free else None,
        )
        over = incident.mitigated_at or incident.resolved_at
        if over:
            repo.close(made, at=over, by=made.author)
        made.updated_at = max(made.updated_at, incident.updated_at or at)
        return made

    def _body(self, incident: Incident) -> str:
        """A line that names the cause, as far as it is known."""
        cause = incident.cause_change or incident.cause_sha
        if incident.cause_deployment and not cause:
            cause = self._told.commit_deployed(incident.cause_deployment)
        return f"root cause: {cause}" if cause else ""


def _incident_labels(incident: Incident) -> Iterator[str]:
    yield INCIDENT
    yield from (f"service: {service}" for service in incident.service)
    if incident.severity is not None:
        yield f"sev{incident.severity}"


def _noticed_at(incident: Incident) -> datetime:
    return incident.detected_at or incident.impact_started_at or incident.updated_at or BORN


def _fill(repo: Repo, name: str, told: _Told, noted: _Issues) -> None:
    """Everything that records tell of one repository."""
    changes = told.changes.get(name, [])
    _fill_commits(repo, told.commits.get(name, []), changes)
    for change in _in_time(changes, _opened_at):
        _fill_pull(repo, change, noted)
    _fill_deployments(repo, told.deployments.get(name, []))
    _fill_runs(repo, told.runs.get(name, []))


def _fill_commits(repo: Repo, commits: Sequence[Commit], changes: Iterable[Change]) -> None:
    """The commits, and the default branch: what was committed last and is no original."""
    merged = {change.merge_commit_sha: change for change in changes}
    own = {sha: change for change in changes for sha in change.commit_shas}
    tip, tip_at = None, None
    for one in commits:
        made = _commit(repo, one, merged.get(one.sha), own.get(one.sha))
        repo.commits[one.sha] = made
        if one.sha in own and one.sha not in merged:
            continue
        if tip_at is None or made.committer.date >= tip_at:
            tip, tip_at = one.sha, made.committer.date
    if tip and tip_at:
        repo.point(repo.default_branch or "main", tip, at=tip_at)


def _commit(repo: Repo, one: Commit, merged: Change | None, own: Change | None) -> things.Commit:
    author = repo.world.account(_login(one.author))
    committed_at = one.committed_at or one.authored_at or BORN
    by_author = signature(author, committed_at)
    by_web = things.Signature(name="GitHub", email=WEB, date=committed_at)
    return things.Commit(
        oid=one.sha,
        repo=repo,
        parents=one.parents,
        author=signature(author, one.authored_at or committed_at),
        committer=by_web if merged else by_author,
        message=_message(repo, one, merged, own),
        paths=one.paths,
    )


def _message(repo: Repo, one: Commit, merged: Change | None, own: Change | None) -> str:
    change = merged or own
    if own and not merged and len(one.parents) > 1:
        return f"Merge branch '{repo.default_branch}' into {own.head_branch}"
    lines = [(change.title if change else None) or "Work"]
    if merged and len(one.parents) > 1:
        origin = f"{repo.owner.login}/{merged.head_branch}"
        lines.insert(0, f"Merge pull request #{merged.number} from {origin}")
    elif merged:
        lines[0] += f" (#{merged.number})"
    lines += [f"This reverts commit {sha}." for sha in one.reverts_sha]
    if one.picked_from_sha:
        lines.append(f"(cherry picked from commit {one.picked_from_sha})")
    return "\n\n".join(lines)


def _fill_pull(repo: Repo, change: Change, noted: _Issues) -> None:
    author = repo.world.account(_login(change.author)) if change.author else None
    created_at = _opened_at(change)
    ready_at = change.ready_at
    for sha in change.commit_shas:
        if sha not in repo.commits:
            repo.commits[sha] = _lost(repo, change, sha)
    made = repo.open_pull(
        change.title or change.head_branch or "Work",
        author=author,
        commits=change.commit_shas,
        at=created_at,
        body=_body(change, noted),
        head=change.head_branch,
        base=change.base_branch,
        draft=ready_at is None or ready_at > created_at,
        number=change.number,
        from_fork=change.head_branch in repo.branches,
    )
    made.closes += noted.known(change.closes)
    made.additions, made.deletions = change.additions or 0, change.deletions or 0
    for label in change.labels:
        repo.label(made, label, at=created_at)
    if ready_at and ready_at > created_at:
        repo.ready(made, at=ready_at)
    for at, state in _reviews(change):
        repo.review(made, state, by=repo.world.account("reviewer"), at=at)
    if change.merged_at and change.merge_commit_sha:
        repo.land(made, change.merge_commit_sha, at=change.merged_at, by=author)
    elif change.closed_at:
        repo.close(made, at=change.closed_at, by=author)
    if made.closed_at and made.head_repo:
        repo.delete_branch(made.head)


def _reviews(change: Change) -> Iterator[tuple[datetime, str]]:
    """The first review and the approval; they may be one."""
    first, approved = change.first_review_at, change.approved_at
    if first and first != approved:
        yield first, "COMMENTED"
    if approved:
        yield approved, "APPROVED"


def _body(change: Change, noted: _Issues) -> str:
    """The words of GitHub's button to revert, and of closed issues."""
    lines = [f"Reverts {other}" for other in change.reverts]
    issues = noted.known(change.closes)
    lines += [f"Fixes {issue.repo.full_name}#{issue.number}" for issue in issues]
    return "\n\n".join(lines)


def _lost(repo: Repo, change: Change, sha: str) -> things.Commit:
    """A commit that no record tells, because it never reached the default branch."""
    at = change.first_commit_at or _opened_at(change)
    author = repo.world.account(_login(change.author))
    return things.Commit(
        oid=sha,
        repo=repo,
        author=signature(author, at),
        committer=signature(author, at),
        message=change.title or "Work",
    )


def _opened_at(change: Change) -> datetime:
    known = (change.created_at, change.ready_at, change.merged_at, change.closed_at)
    return next((at for at in known if at), BORN)


def _fill_deployments(repo: Repo, deployments: Iterable[Deployment]) -> None:
    """All deployments, then what was said of them in the order in which it was."""
    deployments = _in_time(deployments, _started_at)
    several = len({one.service for one in deployments}) > 1
    said = [each for one in deployments for each in _said(one, _deployment(repo, one, several))]
    for at, state, deployment in sorted(said, key=lambda one: one[0]):
        repo.say(deployment, state, at=at)


def _deployment(repo: Repo, one: Deployment, several: bool) -> things.Deployment:
    oid = one.commit_sha or sha1(one.id.encode(), usedforsecurity=False).hexdigest()
    ref = repo.default_branch
    if one.version and not oid.startswith(one.version) and oid in repo.commits:
        repo.tags[one.version], ref = oid, one.version
    return repo.deploy(
        oid,
        f"{one.service}/{one.environment}" if several else one.environment,
        at=_started_at(one),
        by=repo.world.account("deployer[bot]" if one.is_bot else "operator"),
        ref=ref,
        task="rollback" if one.rollback else "deploy:hotfix" if one.hotfix else "deploy",
        production=one.environment.startswith("production"),
    )


def _said(one: Deployment, made: things.Deployment) -> Iterator[_Said]:
    if one.started_at:
        yield one.started_at, "IN_PROGRESS", made
    if one.status in _ENDS:
        yield one.finished_at or _started_at(one), _ENDS[one.status], made


def _started_at(one: Deployment | Run) -> datetime:
    return one.started_at or one.finished_at or BORN


def _fill_runs(repo: Repo, runs: Iterable[Run]) -> None:
    """Runs; a further attempt is that of the last run of its workflow on its commit."""
    last: dict[tuple[str | None, str | None], things.Run] = {}
    for one in _in_time(runs, _started_at):
        of = (one.name, one.commit_sha)
        if of in last and (one.attempt or 1) > 1:
            repo.run_again(last[of], at=_started_at(one))
        else:
            last[of] = repo.start_run(one.name or "CI", one.commit_sha or "", at=_started_at(one))
        if one.finished_at:
            repo.finish_run(last[of], one.outcome, at=one.finished_at)


def _in_time(records: Iterable[_Kept], at: Callable[[_Kept], datetime]) -> list[_Kept]:
    return sorted(records, key=at)


def _login(author: str | None) -> str:
    """An account's name for what records call an author."""
    return re.sub(r"[^\w\[\]-]+", "-", author or "somebody")
