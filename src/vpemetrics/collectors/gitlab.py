"""GitLab as a source: merge requests, commits, deployments, pipelines, and issues as incidents."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import ClassVar, Final
from urllib.parse import quote

from vpemetrics import records
from vpemetrics.collectors import http
from vpemetrics.collectors.backports import backported_pulls
from vpemetrics.collectors.base import Batch, CollectionContext, Finding, Level, Vendor
from vpemetrics.collectors.git.subjects import picked_from, wholly_reverted
from vpemetrics.collectors.http import Node, instant
from vpemetrics.collectors.marks import MarksOf, mark_test
from vpemetrics.collectors.own_words import own_words
from vpemetrics.names import first_few
from vpemetrics.records import AnyRecord, CoverageKind, Status
from vpemetrics.release_titles import tag_fields
from vpemetrics.window import format_instant, parse_instant

_PATHS: Final = http.RepositoryPaths(
    one="projects/{}",
    many="groups/{}/projects?include_subgroups=true&archived=false&order_by=id&per_page=100",
    name="path_with_namespace",
)
# Lists of what is switched off are forbidden: https://docs.gitlab.com/api/projects/
_SWITCHES: Final = {"deployments": "environments", "pipelines": "builds"}
_Read = Callable[[Node], Iterable[AnyRecord]]
_Tiers = Callable[[], dict[int, str | None]]
# https://docs.gitlab.com/api/deployments/#list-project-deployments
_STATUS = dict.fromkeys(("created", "running", "blocked"), Status.IN_PROGRESS)
_STATUS |= {"success": Status.SUCCEEDED, "failed": Status.FAILED}
_STATUS |= {"canceled": Status.CANCELLED, "skipped": Status.SKIPPED}
# https://docs.gitlab.com/operations/incident_management/incidents/#change-severity
_SEVERITY: Final = {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 3, "LOW": 4}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The projects to collect; `acme/*` is a group with all below it, and `!` leaves out."""

    # https://docs.gitlab.com/cli/
    vendor: ClassVar = Vendor(hosts=("gitlab.com",), tokens=("env:GITLAB_TOKEN",))
    token: str
    projects: tuple[str, ...]
    url: str = "https://gitlab.com/api/v4"
    incident_labels: tuple[str, ...] = ()  # instead of the type incident
    runs: bool = False  # pipelines, which take a request each
    since: date | None = None
    max_answer: str = "64MiB"

    def __post_init__(self) -> None:
        http.check_patterns(self.projects, setting="projects")
        http.check_settings(self.token, self.max_answer, example="env:GITLAB_TOKEN")


def parse_commit(node: Node, project: str, marks_of: MarksOf) -> records.Commit:
    """A commit of a repository; those of merge requests come without parents."""
    return records.Commit(
        sha=node["id"],
        repository=project,
        parents=tuple(node["parent_ids"]),
        authored_at=instant(node["authored_date"]),
        committed_at=instant(node["committed_date"]),
        author=node["author_email"],
        marks=marks_of(node["message"]),
        reverts_sha=wholly_reverted(node["message"]),
        picked_from_sha=picked_from(node["message"]),
    )


def parse_change(node: Node, project: str, own: list[Node], marks_of: MarksOf) -> records.Change:
    """A merge request with its original commits, which come newest first."""
    author, merged_at = node.get("author") or {}, instant(node["merged_at"])
    # A fast-forward makes no commit of its own: https://docs.gitlab.com/api/merge_requests/
    sha = node["merge_commit_sha"] or node["squash_commit_sha"] or node["sha"]
    texts = [own_words(node.get("description") or ""), *(c["message"] for c in own)]
    brought = backported_pulls(node["title"], node["source_branch"], "", project, node["iid"])
    return records.Change(
        id=f"{project}!{node['iid']}",
        repository=project,
        number=node["iid"],
        url=node["web_url"],
        title=node["title"],
        author=author.get("username"),
        marks=marks_of("\n".join(texts)),
        created_at=instant(node["created_at"]),
        first_commit_at=min((parse_instant(c["authored_date"]) for c in own), default=None),
        merged_at=merged_at,
        closed_at=instant(node["closed_at"]),
        merge_commit_sha=sha if merged_at else None,
        commit_shas=tuple(commit["id"] for commit in reversed(own)),
        base_branch=node["target_branch"],
        head_branch=node["source_branch"],
        labels=tuple(node["labels"]),
        backports=tuple(f"{project}!{number}" for number in brought),
    )


def parse_deployment(node: Node, project: str, tier: str | None) -> records.Deployment:
    """A deployment to `TIER/NAME`, with the times of its job or, made over the API, its own."""
    if (status := _STATUS.get(node["status"])) is None:
        raise http.NotUnderstood(f"status {node['status']!r}")
    name = node["environment"]["name"]
    own = {"started_at": node["created_at"], "finished_at": node.get("updated_at")}
    job = node.get("deployable") or own  # its last change is all that tells its end
    title = http.given(http.part(job, "commit"), "title", str)
    return records.Deployment(
        id=str(node["id"]),
        environment=name if not tier or name.startswith(tier) else f"{tier}/{name}",
        status=status,
        repository=project,
        commit_sha=node["sha"],
        started_at=instant(job.get("started_at")),
        finished_at=None if status is Status.IN_PROGRESS else instant(job.get("finished_at")),
        is_bot=(job.get("user") or {}).get("bot"),
        url=job.get("web_url"),
        **tag_fields(node["ref"] if job.get("tag") else None, title),
    )


def parse_incident(node: Node, project: str) -> records.Incident:
    """An issue; where it was opened again it is not closed."""
    return records.Incident(
        id=f"{project}#{node['iid']}",
        service=(project,),
        title=node["title"],
        severity=_SEVERITY.get(node.get("severity") or ""),
        detected_at=instant(node["created_at"]),
        resolved_at=instant(node["closed_at"]),
        updated_at=instant(node["updated_at"]),
        url=node["web_url"],
    )


def parse_run(node: Node, project: str) -> records.Run:
    """A pipeline with its details, as a list has no times."""
    return records.Run(
        id=str(node["id"]),
        repository=project,
        outcome=node["status"],
        name=node.get("name"),
        commit_sha=node["sha"],
        started_at=instant(node["started_at"]),
        finished_at=instant(node["finished_at"]),
    )


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """The news of each project since the cursors."""
    with _projects(options, context) as (projects, problems, cursors):
        yield Batch(records=[project.repository for project in projects.values()], cursors=cursors)
        names, batches = list(projects), lambda name: projects[name].batches()
        yield from http.collect_scopes(names, batches, context, problems=problems)


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """The projects that the token sees, and how many deploy to the tier production."""
    with _projects(options, context) as (projects, problems, _):
        looked_at = list(projects.values())[:5]
        live = sum("production" in project.tiers().values() for project in looked_at)
    yield Finding(topic="projects", text=f"{len(projects)}: {first_few(list(projects), 5)}")
    yield from (Finding(topic="projects", level=Level.ERROR, text=text) for text in problems)
    text = f"{live} of {len(looked_at)} projects looked at deploy to the tier production"
    yield Finding(topic="production", level=Level.OK if live else Level.WARNING, text=text)


@contextmanager
def _projects(options: Options, context: CollectionContext) -> Iterator[http.Found["_Project"]]:
    """The projects that are wanted, by name, and what of them cannot be found."""
    with http.connect(options, context, server="GitLab", header="PRIVATE-TOKEN") as client:
        make = partial(_Project, client, options, context)
        yield http.find_by_patterns(client, _PATHS, options.projects, make, context)


@dataclass(frozen=True)
class _Project:
    """One project in one collection."""

    client: http.HttpClient
    options: Options
    context: CollectionContext
    name: str
    node: Node

    @property
    def repository(self) -> records.Repository:
        """The project under the path it has now; it has no branch where it is empty."""
        path, branch = self.node["path_with_namespace"], self.node.get("default_branch")
        id_, old = str(self.node["id"]), (self.name,) if self.name != path else ()
        return records.Repository(id=id_, name=path, aliases=old, default_branch=branch)

    @property
    def history(self) -> http.CommitHistory:
        """Its commits: https://docs.gitlab.com/api/commits/#list-repository-commits."""
        marks_of = mark_test(self.context.rules.agents)
        parse = partial(parse_commit, project=self.name, marks_of=marks_of)
        return http.CommitHistory(scope=self.name, path=self._at("repository/commits"), parse=parse)

    def tiers(self) -> dict[int, str | None]:
        """Ask for the tiers of the environments by their ids: deployments do not tell them."""
        nodes = self.client.items(self._at("environments?per_page=100"))
        return {http.need(node, "id", int): http.given(node, "tier", str) for node in nodes}

    def batches(self) -> Iterator[Batch]:
        """The news of the project."""
        client, context, since = self.client, self.context, self.context.begin(self.options.since)
        if branch := self.repository.default_branch:
            path = self._at(f"repository/commits/{quote(branch, safe='')}")
            head = http.need(http.as_object(client.get(path), f"{branch}'s tip"), "id", str)
            yield from http.collect_history(client, self.history, context, head=head, since=since)
        yield from http.collect_feeds(client, self._feeds(), context, scope=self.name, since=since)

    def _at(self, path: str) -> str:
        return f"projects/{self.node['id']}/{path}"

    def _feeds(self) -> Iterator[http.Feed]:
        labels = [{"labels": label} for label in self.options.incident_labels]
        deployment = partial(self._deployment, cache(self.tiers))  # asked for with the first one
        yield from self._feed("merge_requests", CoverageKind.PULL_REQUESTS, self._change)
        yield from self._feed("deployments", CoverageKind.DEPLOYMENTS, deployment)
        for chosen in labels or [{"issue_type": "incident"}]:
            yield from self._feed("issues", CoverageKind.INCIDENTS, self._incident, **chosen)
        if self.options.runs:
            yield from self._feed("pipelines", CoverageKind.RUNS, self._run)

    def _feed(self, name: str, kind: CoverageKind, read: _Read, **more: str) -> Iterator[http.Feed]:
        if self.node.get(f"{_SWITCHES.get(name, name)}_access_level") == "disabled":
            return
        # `updated_after` counts in this order only: https://docs.gitlab.com/api/deployments/
        order = {"order_by": "updated_at", "sort": "asc", "per_page": 100, **more}
        yield http.Feed(
            name=" ".join([name, *more.values()]),
            kind=kind,
            path=self._at(name),
            parameters=lambda start, _end: {"updated_after": format_instant(start), **order},
            parse=read,
            moment=lambda node: instant(node.get("updated_at") or node["created_at"]),
        )

    def _change(self, node: Node) -> Iterator[AnyRecord]:
        commits = self.client.items(self._at(f"merge_requests/{node['iid']}/commits?per_page=100"))
        own = list(commits) if node["merged_at"] else []
        yield parse_change(node, self.name, own, mark_test(self.context.rules.agents))

    def _deployment(self, tiers: _Tiers, node: Node) -> Iterator[AnyRecord]:
        tier, branch = tiers().get(node["environment"]["id"]), self.repository.default_branch
        yield parse_deployment(node, self.name, tier)
        if branch and branch != node["ref"] and tier != "development":  # where review apps are
            yield from http.read_range(self.client, self.history, node["sha"], branch)

    def _incident(self, node: Node) -> list[AnyRecord]:
        return [parse_incident(node, self.name)]

    def _run(self, node: Node) -> list[AnyRecord]:
        return [parse_run(self.client.get(self._at(f"pipelines/{node['id']}")), self.name)]
