"""The world of a simulated GitHub: accounts, and repositories with all that happens in them.

Everything may be changed at any time, as GitHub changes while it is read. The methods do what a
person or a machine does there: commit, open, review, merge, deploy, close, run again; each moves
the times that GitHub would move. `at` is the moment it happens.
"""

import re
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1
from itertools import count
from typing import ClassVar, Final

from github_server.things import (
    BORN,
    Account,
    Attempt,
    Commit,
    Deployment,
    DeploymentStatus,
    Environment,
    Event,
    Issue,
    Job,
    Kind,
    Label,
    Pull,
    Release,
    Review,
    Run,
    Signature,
    Tag,
    Workflow,
    node_id,
)
from github_server.walks import Walks
from vpemetrics.demo.mainline import Joining

WEB: Final = "noreply@github.com"
"""The committer's address of what is merged on the web."""

_CLOSES: Final = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)", re.IGNORECASE)


@dataclass(kw_only=True, eq=False)
class Repo:
    """A repository; `former` are the names, with owner, it had before.

    `commits` may be a mapping that reads them when they are asked for.
    """

    TYPENAME: ClassVar = "Repository"
    world: "World" = field(repr=False)
    database_id: int
    owner: Account
    name: str
    created_at: datetime = BORN
    pushed_at: datetime | None = None
    updated_at: datetime = BORN
    default_branch: str | None = "main"
    archived: bool = False
    fork: bool = False
    private: bool = True
    former: list[str] = field(default_factory=list)
    commits: MutableMapping[str, Commit] = field(default_factory=dict, repr=False)
    tag_objects: dict[str, Tag] = field(default_factory=dict, repr=False)
    branches: dict[str, str] = field(default_factory=dict, repr=False)
    tags: dict[str, str] = field(default_factory=dict, repr=False)
    labels: dict[str, Label] = field(default_factory=dict, repr=False)
    pulls: dict[int, Pull] = field(default_factory=dict, repr=False)
    issues: dict[int, Issue] = field(default_factory=dict, repr=False)
    deployments: dict[int, Deployment] = field(default_factory=dict, repr=False)
    releases: dict[int, Release] = field(default_factory=dict, repr=False)
    environments: dict[str, Environment] = field(default_factory=dict, repr=False)
    workflows: dict[int, Workflow] = field(default_factory=dict, repr=False)
    runs: dict[int, Run] = field(default_factory=dict, repr=False)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    walks: Walks = field(default_factory=Walks, repr=False)
    _active: dict[str, list[Deployment]] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        """The repository's node id, which renames and transfers keep."""
        return node_id("R", 0, self.database_id)

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner.login}/{self.name}"

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.world.web}/{self.full_name}"

    @property
    def tip(self) -> str | None:
        """The default branch's newest commit; None in an empty repository."""
        return self.branches.get(self.default_branch or "")

    def commit(
        self,
        message: str,
        *,
        author: Account,
        at: datetime,
        authored_at: datetime | None = None,
        branch: str | None = None,
        parents: Sequence[str] | None = None,
        oid: str | None = None,
        paths: tuple[str, ...] | None = None,
    ) -> Commit:
        """A commit pushed to a branch, by default to the default one."""
        branch = branch or self.default_branch or "main"
        if parents is None:
            parents = [tip] if (tip := self.branches.get(branch) or self.tip) else []
        made = Commit(
            oid=oid or self._new_oid(message),
            repo=self,
            parents=tuple(parents),
            author=signature(author, authored_at or at),
            committer=signature(author, at),
            message=message,
            paths=paths,
        )
        self.commits[made.oid] = made
        self.point(branch, made.oid, at=at)
        return made

    def point(self, branch: str, oid: str, *, at: datetime) -> None:
        """A branch's new tip: a push, forced if need be."""
        self.branches[branch] = oid
        self._pushed(at)

    def tag(self, name: str, oid: str, *, at: datetime, tagger: Account | None = None) -> None:
        """A tag pushed: an annotated one if somebody signed it."""
        self.tags[name] = oid
        if tagger:
            made = Tag(
                oid=self._new_oid(name),
                name=name,
                repo=self,
                target=oid,
                tagger=signature(tagger, at),
                message=name,
            )
            self.tag_objects[made.oid] = made
            self.tags[name] = made.oid
        self._pushed(at)

    def commit_of_tag(self, name: str) -> str | None:
        """The commit that a tag stands for, through what annotates it."""
        oid = self.tags.get(name)
        found = self.tag_objects.get(oid or "")
        return found.target if found else oid

    def open_pull(
        self,
        title: str,
        *,
        author: Account | None,
        commits: Sequence[str],
        at: datetime,
        body: str = "",
        head: str | None = None,
        base: str | None = None,
        draft: bool = False,
        number: int | None = None,
        from_fork: bool = False,
    ) -> Pull:
        """A pull request of commits that are in the repository, on a branch of its own.

        One `from_fork` has no branch here, and its fork is gone already.
        """
        number = number or self._next_number()
        base = base or self.default_branch or "main"
        tip = commits[-1] if commits else self.tip or ""
        made = Pull(
            number=number,
            database_id=self.world.next_id(),
            repo=self,
            title=title,
            body=body,
            author=author,
            created_at=at,
            updated_at=at,
            is_draft=draft,
            base=base,
            base_oid=self.branches.get(base, tip),
            head=head or f"work-{number}",
            head_oid=tip,
            head_repo=None if from_fork else self,
            commits=list(commits),
            closes=[self.issues[n] for n in _closed_by(body) if n in self.issues],
        )
        if not from_fork:
            self.branches[made.head] = tip
        self.pulls[number] = made
        self.updated_at = at
        return made

    def push(self, pull: Pull, commits: Sequence[str], *, at: datetime) -> None:
        """The commits a pull request consists of from now on; a forced push if others go."""
        before = pull.head_oid
        forced = list(pull.commits) != list(commits)[: len(pull.commits)]
        pull.commits, pull.head_oid = list(commits), commits[-1]
        if pull.head_repo:
            self.point(pull.head, pull.head_oid, at=at)
        pull.updated_at = at
        if forced:
            self._event(pull, "HeadRefForcePushedEvent", at, pull.author, before=before)

    def ready(self, pull: Pull, *, at: datetime) -> None:
        """A draft becomes ready for review."""
        pull.is_draft = False
        self._event(pull, "ReadyForReviewEvent", at, pull.author)

    def to_draft(self, pull: Pull, *, at: datetime) -> None:
        """A pull request becomes a draft again."""
        pull.is_draft = True
        self._event(pull, "ConvertToDraftEvent", at, pull.author)

    def review(
        self, pull: Pull, state: str, *, by: Account | None, at: datetime, body: str = ""
    ) -> Review:
        """A review that was submitted."""
        made = Review(
            database_id=self.world.next_id(),
            pull=pull,
            author=by,
            state=state,
            submitted_at=at,
            created_at=at,
            body=body,
            commit=pull.head_oid,
        )
        pull.timeline.append(made)
        pull.updated_at = max(pull.updated_at, at)
        return made

    def comment(
        self, subject: Pull | Issue, body: str, *, at: datetime, by: Account | None = None
    ) -> None:
        """A comment in the conversation."""
        self._event(subject, "IssueComment", at, by, body=body)

    def connect(self, pull: Pull, issue: Issue, *, at: datetime, by: Account | None = None) -> None:
        """An issue linked by hand as one that the pull request closes."""
        pull.closes.append(issue)
        self._event(pull, "ConnectedEvent", at, by, other=issue)
        self._event(issue, "ConnectedEvent", at, by, other=pull)

    def disconnect(
        self, pull: Pull, issue: Issue, *, at: datetime, by: Account | None = None
    ) -> None:
        """A link taken away again."""
        pull.closes.remove(issue)
        self._event(pull, "DisconnectedEvent", at, by, other=issue)
        self._event(issue, "DisconnectedEvent", at, by, other=pull)

    def label(
        self, subject: Pull | Issue, name: str, *, at: datetime, by: Account | None = None
    ) -> None:
        """A label put on."""
        found = self.labels.get(name.lower())
        if found is None:
            found = Label(name=name, database_id=self.world.next_id(), repo=self, created_at=at)
            self.labels[name.lower()] = found
        subject.labels.append(found)
        self._event(subject, "LabeledEvent", at, by, label=found)

    def unlabel(
        self, subject: Pull | Issue, name: str, *, at: datetime, by: Account | None = None
    ) -> None:
        """A label taken off."""
        found = self.labels[name.lower()]
        subject.labels.remove(found)
        self._event(subject, "UnlabeledEvent", at, by, label=found)

    def merge(
        self,
        pull: Pull,
        *,
        at: datetime,
        how: Joining = Joining.SQUASH,
        by: Account | None = None,
        oids: Sequence[str] | None = None,
    ) -> Commit:
        """A pull request merged into its base; issues that it closes are closed.

        The commit on the base that stands for it; `oids` are those of the new commits.
        """
        joined = list(self._joined(pull, how, at, by, oids))
        for one in joined:
            self.commits[one.oid] = one
        self.land(pull, joined[-1].oid, at=at, by=by)
        self.point(pull.base, joined[-1].oid, at=at)
        return joined[-1]

    def land(self, pull: Pull, oid: str, *, at: datetime, by: Account | None = None) -> None:
        """A pull request counts as merged by a commit that is there already."""
        pull.merge_commit, pull.merged_by = oid, by
        pull.merged_at = pull.closed_at = at
        pull.is_draft = False
        self._event(pull, "MergedEvent", at, by, commit=oid)
        self._event(pull, "ClosedEvent", at, by)
        for issue in pull.closes:
            if issue.closed_at is None:
                issue.repo.close(issue, at=at, by=by, closer=pull)

    def close(
        self,
        subject: Pull | Issue,
        *,
        at: datetime,
        by: Account | None = None,
        reason: str = "COMPLETED",
        closer: Pull | None = None,
    ) -> None:
        """An issue closed, or a pull request without merging it."""
        subject.closed_at = at
        if isinstance(subject, Issue):
            subject.state_reason = reason
            self._event(subject, "ClosedEvent", at, by, state_reason=reason, closer=closer)
        else:
            self._event(subject, "ClosedEvent", at, by)

    def reopen(self, subject: Pull | Issue, *, at: datetime, by: Account | None = None) -> None:
        """An issue or pull request opened again."""
        subject.closed_at = None
        if isinstance(subject, Issue):
            subject.state_reason = "REOPENED"
        self._event(subject, "ReopenedEvent", at, by)

    def open_issue(
        self,
        title: str,
        *,
        author: Account | None,
        at: datetime,
        body: str = "",
        labels: Iterable[str] = (),
        kind: str | None = None,
        number: int | None = None,
    ) -> Issue:
        """An issue, with its labels put on at once; `kind` is the name of its issue type."""
        made = Issue(
            number=number or self._next_number(),
            database_id=self.world.next_id(),
            repo=self,
            title=title,
            body=body,
            author=author,
            created_at=at,
            updated_at=at,
            type=kind,
        )
        self.issues[made.number] = made
        for label in labels:
            self.label(made, label, at=at, by=author)
        return made

    def deploy(
        self,
        oid: str,
        environment: str,
        *,
        at: datetime,
        by: Account,
        ref: str | None = None,
        task: str = "deploy",
        payload: str = "",
        production: bool | None = None,
        transient: bool = False,
    ) -> Deployment:
        """A deployment that was asked for; `say` tells how it goes on.

        It is of production if somebody says so or the environment is called exactly that.
        """
        made = Deployment(
            database_id=self.world.next_id(),
            repo=self,
            commit=oid,
            ref=ref or self.default_branch or oid,
            environment=environment,
            created_at=at,
            creator=by,
            task=task,
            payload=payload,
            production=environment == "production" if production is None else production,
            transient=transient,
        )
        self.deployments[made.database_id] = made
        if environment not in self.environments:
            self.environments[environment] = Environment(
                database_id=self.world.next_id(), name=environment, repo=self, created_at=at
            )
        return made

    def say(self, deployment: Deployment, state: str, *, at: datetime) -> DeploymentStatus:
        """Say how a deployment goes; a success makes those that succeeded before it inactive."""
        said = self._status(deployment, state, at)
        if state == "SUCCESS" and not deployment.transient:
            for other in self._active.get(deployment.environment, ()):
                if other is not deployment and other.state == "ACTIVE":
                    self._status(other, "INACTIVE", at)
            self._active[deployment.environment] = [deployment]
        return said

    def release(
        self,
        tag: str,
        *,
        at: datetime | None,
        created_at: datetime,
        by: Account | None,
        prerelease: bool = False,
    ) -> Release:
        """A release of a tag; a draft if it is published at no time.

        `created_at` is the time of the tagged commit, as GitHub has it.
        """
        made = Release(
            database_id=self.world.next_id(),
            repo=self,
            tag_name=tag,
            name=tag,
            author=by,
            created_at=created_at,
            published_at=at,
            is_draft=at is None,
            is_prerelease=prerelease,
        )
        self.releases[made.database_id] = made
        return made

    def start_run(
        self,
        workflow: str,
        oid: str,
        *,
        at: datetime,
        by: Account | None = None,
        event: str = "push",
        branch: str | None = None,
        jobs: Sequence[str] = (),
    ) -> Run:
        """A run of the workflow of this name, with its jobs, in progress."""
        of, found = self._workflow(workflow, at), self.commits.get(oid)
        of.runs += 1
        made = Run(
            database_id=self.world.next_id(),
            number=of.runs,
            repo=self,
            workflow=of,
            title=found.message.partition("\n")[0] if found else workflow,
            event=event,
            branch=branch or self.default_branch,
            sha=oid,
            created_at=at,
            attempts=[self._attempt(1, at, jobs, by)],
            actor=by,
        )
        self.runs[made.database_id] = made
        return made

    def finish_run(self, run: Run, conclusion: str, *, at: datetime) -> None:
        """The last attempt's end, and that of those of its jobs that run yet."""
        last = run.latest
        last.status, last.conclusion, last.updated_at = "completed", conclusion, at
        for job in last.jobs:
            if job.conclusion is None:
                self.finish_job(job, conclusion, at=at)

    def finish_job(self, job: Job, conclusion: str, *, at: datetime) -> None:
        """A job's end."""
        job.status, job.conclusion, job.completed_at = "completed", conclusion, at

    def run_again(self, run: Run, *, at: datetime, by: Account | None = None) -> None:
        """A further attempt of a run, under the same id."""
        jobs = [job.name for job in run.latest.jobs]
        run.attempts.append(self._attempt(len(run.attempts) + 1, at, jobs, by))

    def delete_branch(self, name: str) -> None:
        """A branch deleted; what only it held is found by oid no longer than GitHub likes."""
        del self.branches[name]

    def _pushed(self, at: datetime) -> None:
        self.pushed_at = max(at, self.pushed_at or at)

    def _event(
        self,
        subject: Pull | Issue,
        kind: str,
        at: datetime,
        actor: Account | None,
        *,
        label: Label | None = None,
        state_reason: str | None = None,
        closer: Pull | None = None,
        commit: str | None = None,
        before: str | None = None,
        other: Pull | Issue | None = None,
        body: str = "",
    ) -> None:
        subject.timeline.append(
            Event(
                kind=kind,
                database_id=self.world.next_id(),
                subject=subject,
                created_at=at,
                actor=actor,
                label=label,
                state_reason=state_reason,
                closer=closer,
                commit=commit,
                before=before,
                other=other,
                body=body,
            )
        )
        subject.updated_at = max(subject.updated_at, at)

    def _joined(
        self,
        pull: Pull,
        how: Joining,
        at: datetime,
        by: Account | None,
        oids: Sequence[str] | None,
    ) -> Iterable[Commit]:
        """The commits that the base gains."""
        committer = Signature(name="GitHub", email=WEB, date=at)
        parent = self.branches.get(pull.base, pull.base_oid)
        merger = by or pull.author or self.world.ghost
        names = iter(oids or ())
        if how is Joining.REBASE:
            for original in pull.commits:
                old = self.commits[original]
                parents, parent = (parent,), next(names, None) or self._new_oid(old.message)
                yield Commit(
                    oid=parent,
                    repo=self,
                    parents=parents,
                    author=old.author,
                    committer=signature(merger, at),
                    message=old.message,
                    paths=old.paths,
                )
            return
        merged = how is Joining.MERGE
        message = (
            f"Merge pull request #{pull.number} from {self.owner.login}/{pull.head}\n\n{pull.title}"
            if merged
            else f"{pull.title} (#{pull.number})"
        )
        yield Commit(
            oid=next(names, None) or self._new_oid(message),
            repo=self,
            parents=(parent, pull.head_oid) if merged else (parent,),
            author=signature(merger if merged else pull.author or self.world.ghost, at),
            committer=committer,
            message=message,
        )

    def _status(self, deployment: Deployment, state: str, at: datetime) -> DeploymentStatus:
        made = DeploymentStatus(
            database_id=self.world.next_id(),
            deployment=deployment,
            state=state,
            created_at=at,
            environment=deployment.environment,
            creator=deployment.creator,
        )
        deployment.statuses.append(made)
        return made

    def _workflow(self, name: str, at: datetime) -> Workflow:
        for known in self.workflows.values():
            if known.name == name:
                return known
        file = re.sub(r"\W+", "-", name.lower()).strip("-")
        made = Workflow(
            database_id=self.world.next_id(),
            name=name,
            path=f".github/workflows/{file}.yml",
            repo=self,
            created_at=at,
        )
        self.workflows[made.database_id] = made
        return made

    def _attempt(
        self, number: int, at: datetime, jobs: Iterable[str], by: Account | None
    ) -> Attempt:
        started = [
            Job(
                database_id=self.world.next_id(),
                name=name,
                status="in_progress",
                conclusion=None,
                started_at=at,
                completed_at=None,
            )
            for name in jobs
        ]
        return Attempt(
            number=number,
            started_at=at,
            updated_at=at,
            status="in_progress",
            conclusion=None,
            jobs=started,
            actor=by,
        )

    def _next_number(self) -> int:
        """The next number: issues and pull requests share them."""
        return 1 + max([0, *self.pulls, *self.issues])

    def _new_oid(self, text: str) -> str:
        seed = f"{self.database_id} {self.world.next_id()} {text}"
        return sha1(seed.encode(), usedforsecurity=False).hexdigest()


@dataclass(kw_only=True, eq=False)
class World:
    """All of GitHub; `web` is where people see it."""

    accounts: dict[str, Account] = field(default_factory=dict)
    repositories: dict[int, Repo] = field(default_factory=dict)
    web: str = "https://github.com"
    _ids: "count[int]" = field(default_factory=lambda: count(1001), repr=False)

    def next_id(self) -> int:
        """A number that nothing else has."""
        return next(self._ids)

    @property
    def viewer(self) -> Account:
        """The account that the token belongs to."""
        return self.account("collector")

    @property
    def ghost(self) -> Account:
        """Stands for accounts that were deleted."""
        return self.account("ghost")

    def account(
        self,
        login: str,
        kind: Kind | None = None,
        *,
        name: str | None = None,
        email: str | None = None,
    ) -> Account:
        """The account of this login, made if need be; `[bot]` at its end makes it a bot."""
        is_bot = login.endswith("[bot]")
        found = self.accounts.get(login.removesuffix("[bot]").lower())
        if found is None:
            found = Account(
                world=self,
                login=login.removesuffix("[bot]"),
                database_id=self.next_id(),
                kind=kind or (Kind.BOT if is_bot else Kind.USER),
                name=name,
                email=email,
            )
            self.accounts[found.login.lower()] = found
        return found

    def repository(self, full_name: str, *, owner: Kind = Kind.ORGANIZATION) -> Repo:
        """The repository of this name, made if need be; `owner` is what a new owner is."""
        found = self.find(full_name)
        if found is None:
            login, _, name = full_name.partition("/")
            found = Repo(
                world=self, database_id=self.next_id(), owner=self.account(login, owner), name=name
            )
            self.repositories[found.database_id] = found
        return found

    def find(self, full_name: str) -> Repo | None:
        """The repository that has this name, or else had it before."""
        wanted = full_name.lower()
        for repo in self.repositories.values():
            if repo.full_name.lower() == wanted:
                return repo
        for repo in self.repositories.values():
            if wanted in (former.lower() for former in repo.former):
                return repo
        return None

    def rename(self, repo: Repo, full_name: str) -> None:
        """Gives a repository another name, or with it another owner."""
        repo.former.append(repo.full_name)
        login, _, repo.name = full_name.partition("/")
        repo.owner = self.account(login, Kind.ORGANIZATION)

    def delete(self, repo: Repo) -> None:
        """Takes a repository away."""
        del self.repositories[repo.database_id]

    def owned_by(self, account: Account) -> list[Repo]:
        """An account's repositories."""
        return [repo for repo in self.repositories.values() if repo.owner is account]


def signature(account: Account, at: datetime) -> Signature:
    """An account's name and address in a commit."""
    login = f"{account.login}[bot]" if account.kind is Kind.BOT else account.login
    email = account.email or f"{account.database_id}+{login}@users.noreply.github.com"
    return Signature(name=account.name or login, email=email, date=at, account=account)


def _closed_by(body: str) -> list[int]:
    """The numbers of the issues that a text says it closes."""
    return [int(number) for number in _CLOSES.findall(body)]
