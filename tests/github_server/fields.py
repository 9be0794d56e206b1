"""What GraphQL asks of a simulated GitHub, and how it is answered: type, field, resolver.

Names, arguments and meaning are those of GitHub's public schema, for what tells of software
delivery; asking for another field is an error, as asking for one that GitHub lacks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from github_server import lists
from github_server.execute import Fields, Refused
from github_server.files import Blob, blob_at
from github_server.things import (
    Account,
    Commit,
    Deployment,
    Event,
    Issue,
    Kind,
    Pull,
    Ref,
    Release,
    Signature,
    Tag,
    read_node_id,
    timestamp,
)
from github_server.world import Repo, World

Arguments = Mapping[str, Any]
Resolver = Callable[[Any, Arguments], Any]


@dataclass(frozen=True, kw_only=True)
class AsUser:
    """A bot where GitHub's schema has room for people only."""

    TYPENAME: ClassVar = "User"
    INTERFACES: ClassVar = frozenset({"Actor", "Node", "RepositoryOwner"})
    account: Account

    @property
    def login(self) -> str:
        """The login, which tells that it is a bot."""
        return f"{self.account.login}[bot]"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)


def as_user(account: Account | None) -> Account | AsUser | None:
    """An account where only a user may stand."""
    if account is None or account.kind is Kind.USER:
        return account
    return AsUser(account=account)


def node(world: World, identity: str) -> Any:
    """The object with a node id; Refused if there is none."""
    found = _found(world, identity)
    if found is None:
        raise Refused(
            "NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'"
        )
    return found


def _found(world: World, identity: str) -> Any:
    read = read_node_id(identity)
    if read is None:
        return None
    prefix, owner, key = read
    if prefix == "R":
        return world.repositories.get(int(key))
    if not owner:
        return next((one for one in world.accounts.values() if one.id == identity), None)
    repo = world.repositories.get(owner)
    return _within(repo, prefix, key) if repo else None


def _within(repo: Repo, prefix: str, key: str) -> Any:
    match prefix:
        case "PR":
            return repo.pulls.get(int(key))
        case "I":
            return repo.issues.get(int(key))
        case "DE":
            return repo.deployments.get(int(key))
        case "RE":
            return repo.releases.get(int(key))
        case "C":
            return repo.commits.get(key)
        case "TA":
            return repo.tag_objects.get(key)
        case "REF":
            return ref(repo, key)
        case _:
            return None


def ref(repo: Repo, name: str) -> Ref | None:
    """A branch or tag by its whole name, or by as much of it as is needed."""
    for prefix, named in (("refs/heads/", repo.branches), ("refs/tags/", repo.tags)):
        short = name.removeprefix(prefix)
        if (short != name or not name.startswith("refs/")) and short in named:
            return Ref(name=short, prefix=prefix, repo=repo, target=named[short])
    return None


def git_object(repo: Repo, oid: str | None) -> Commit | Tag | None:
    """A commit or annotated tag by its oid."""
    if oid is None:
        return None
    return repo.commits.get(oid) or repo.tag_objects.get(oid)


def resolve_expression(repo: Repo, expression: str) -> Commit | Tag | Blob | None:
    """What git would understand by `main`, `v1.2`, an oid or `main:path`."""
    revision, colon, path = expression.partition(":")
    if revision == "HEAD":
        revision = repo.default_branch or ""
    named = ref(repo, revision)
    found = git_object(repo, named.target if named else revision)
    if not colon:
        return found
    return blob_at(repo, path) if found else None


def commit_of(repo: Repo, oid: str | None) -> Commit | None:
    """A commit by its oid, through an annotated tag if that is what it is."""
    found = git_object(repo, oid)
    return repo.commits.get(found.target) if isinstance(found, Tag) else found


def _repository(world: World, arguments: Arguments) -> Repo:
    wanted = f"{arguments['owner']}/{arguments['name']}"
    found = world.find(wanted)
    renamed = found is not None and found.full_name.lower() != wanted.lower()
    if found is None or (renamed and arguments.get("followRenames") is False):
        raise Refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{wanted}'.")
    return found


def _account(world: World, arguments: Arguments, kind: Kind) -> Account:
    found = world.accounts.get(arguments["login"].lower())
    if found is None or found.kind is not kind:
        raise Refused(
            "NOT_FOUND",
            f"Could not resolve to {_a(kind)} with the login of '{arguments['login']}'.",
        )
    return found


def _owner(world: World, arguments: Arguments) -> Account | None:
    found = world.accounts.get(arguments["login"].lower())
    return found if found and found.kind in (Kind.USER, Kind.ORGANIZATION) else None


def _nodes(world: World, arguments: Arguments) -> list[Any]:
    return [_or_refusal(world, identity) for identity in arguments["ids"]]


def _or_refusal(world: World, identity: str) -> Any:
    try:
        return node(world, identity)
    except Refused as refusal:
        return refusal


def _object(repo: Repo, arguments: Arguments) -> Commit | Tag | Blob | None:
    if oid := arguments.get("oid"):
        return git_object(repo, oid)
    return resolve_expression(repo, arguments.get("expression") or "HEAD")


def _numbered(of: Mapping[int, Any], arguments: Arguments, kind: str) -> Any:
    number = arguments["number"]
    if number not in of:
        raise Refused("NOT_FOUND", f"Could not resolve to {_a(kind)} with the number of {number}.")
    return of[number]


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "IO" else f"a {kind}"


def _default_branch(repo: Repo, _arguments: Arguments) -> Ref | None:
    return ref(repo, f"refs/heads/{repo.default_branch}") if repo.default_branch else None


def _latest_release(repo: Repo, _arguments: Arguments) -> Release | None:
    shown = [one for one in repo.releases.values() if not one.is_draft and not one.is_prerelease]
    return max(shown, key=attrgetter("created_at"), default=None)


def _release(repo: Repo, arguments: Arguments) -> Release | None:
    wanted = arguments["tagName"]
    return next((one for one in repo.releases.values() if one.tag_name == wanted), None)


def _release_author(release: Release, _arguments: Arguments) -> Account | AsUser | None:
    return as_user(release.author)


def _git_user(one: Signature, _arguments: Arguments) -> Account | AsUser | None:
    return as_user(one.account)


def _deployment_ref(one: Deployment, _arguments: Arguments) -> Ref | None:
    return ref(one.repo, one.ref)


def _tag_ref(release: Release, _arguments: Arguments) -> Ref | None:
    return ref(release.repo, f"refs/tags/{release.tag_name}")


def _tag_commit(release: Release, _arguments: Arguments) -> Commit | None:
    return release.repo.commits.get(release.repo.commit_of_tag(release.tag_name) or "")


def _release_updated(release: Release, _arguments: Arguments) -> str | None:
    return timestamp(release.published_at or release.created_at)


def _merge_commit(pull: Pull, _arguments: Arguments) -> Commit | None:
    return pull.repo.commits.get(pull.merge_commit or "")


def _head_ref(pull: Pull, _arguments: Arguments) -> Ref | None:
    return ref(pull.head_repo, f"refs/heads/{pull.head}") if pull.head_repo else None


def _decision(pull: Pull, _arguments: Arguments) -> str | None:
    """Whether reviewers agree, each by the last that they said."""
    last = {
        one.author: one.state
        for one in pull.reviews
        if one.state in ("APPROVED", "CHANGES_REQUESTED")
    }
    if "CHANGES_REQUESTED" in last.values():
        return "CHANGES_REQUESTED"
    return "APPROVED" if last else None


def _state_reason(issue: Issue, arguments: Arguments) -> str | None:
    if issue.state_reason == "DUPLICATE" and not arguments.get("enableDuplicate"):
        return "NOT_PLANNED"
    return issue.state_reason


def _issue_type(issue: Issue, _arguments: Arguments) -> "IssueType | None":
    return IssueType(name=issue.type) if issue.type else None


@dataclass(frozen=True, kw_only=True)
class IssueType:
    """What an organisation calls an issue."""

    TYPENAME: ClassVar = "IssueType"
    INTERFACES: ClassVar = frozenset({"Node"})
    name: str


def _plain(*paths: str, **named: str) -> dict[str, Resolver]:
    """Fields that are attributes: by the same name in camel case, or as named."""
    found = {_camel(path): path for path in paths} | named
    return {name: _getter(path) for name, path in found.items()}


def _times(*paths: str, **named: str) -> dict[str, Resolver]:
    """Fields that are moments."""
    found = {_camel(path): path for path in paths} | named
    return {name: _time_getter(path) for name, path in found.items()}


def _getter(path: str) -> Resolver:
    get = attrgetter(path)
    return lambda one, _arguments: get(one)


def _time_getter(path: str) -> Resolver:
    get = attrgetter(path)
    return lambda one, _arguments: timestamp(get(one))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _resource_path(one: Any, _arguments: Arguments) -> str:
    return str(urlsplit(one.url).path)


def _state(read: Callable[[Any], str]) -> dict[str, Resolver]:
    return {"state": lambda one, _arguments: read(one)}


def _is_merged(pull: Pull, _arguments: Arguments) -> bool:
    return pull.merged_at is not None


def _is_closed(subject: Pull | Issue, _arguments: Arguments) -> bool:
    return subject.closed_at is not None


def _headline(commit: Commit, _arguments: Arguments) -> str:
    return commit.message.partition("\n")[0]


def _text_body(commit: Commit, _arguments: Arguments) -> str:
    return commit.message.partition("\n")[2].strip("\n")


def _target(one: Ref | Tag, _arguments: Arguments) -> Commit | Tag | None:
    return git_object(one.repo, one.target)


def _commit_named(name: str) -> Resolver:
    """The commit that an attribute names by its oid."""

    def found(one: Any, _arguments: Arguments) -> Commit | None:
        repo: Repo = one.subject.repo if isinstance(one, Event) else one.repo
        return commit_of(repo, getattr(one, name))

    return found


_NODE: Final = _plain("id", "database_id")
_URL: Final[dict[str, Resolver]] = {**_plain("url"), "resourcePath": _resource_path}
_IN_REPO: Final = _plain(repository="repo")
_LABELS: Final[dict[str, Resolver]] = {"labels": lists.labels}
_ACTOR: Final = {**_NODE, **_URL, **_plain("login"), **_times("created_at")}
_OWNER: Final[dict[str, Resolver]] = {
    **_ACTOR,
    **_plain("name"),
    "repositories": lists.repositories,
    "repository": lambda one, arguments: _repository(one.world, {"owner": one.login, **arguments}),
}
_EVENT: Final = {**_plain("id", "actor"), **_times("created_at")}
_LINK: Final = {**_EVENT, **_plain(source="subject", subject="other")}
_LABELLING: Final = {**_EVENT, **_plain("label", labelable="subject")}
_CONNECTION: Final = _plain("nodes", "edges", totalCount="total", pageInfo="page")
_EDGE: Final = _plain("node", "cursor")

_LISTED: Final = (
    "Repository",
    "PullRequest",
    "PullRequestCommit",
    "PullRequestReview",
    "PullRequestTimelineItems",
    "Issue",
    "IssueComment",
    "IssueTimelineItems",
    "Deployment",
    "DeploymentStatus",
    "Environment",
    "Release",
    "Ref",
    "Label",
    "Commit",
    "CommitHistory",
    "GitActor",
)

FIELDS: Final[Fields] = {
    "Query": {
        "repository": _repository,
        "repositoryOwner": _owner,
        "organization": partial(_account, kind=Kind.ORGANIZATION),
        "user": partial(_account, kind=Kind.USER),
        "node": lambda world, arguments: node(world, arguments["id"]),
        "nodes": _nodes,
        **_plain("viewer"),
    },
    "User": {**_OWNER, "email": lambda one, _arguments: one.email or ""},
    "Organization": _OWNER,
    "Bot": _ACTOR,
    "Mannequin": _ACTOR,
    "Repository": {
        **_NODE,
        **_URL,
        **_plain("name", "owner", nameWithOwner="full_name"),
        **_plain(isArchived="archived", isFork="fork", isPrivate="private"),
        **_times("created_at", "pushed_at", "updated_at"),
        "isEmpty": lambda repo, _arguments: not repo.branches,
        "defaultBranchRef": _default_branch,
        "object": _object,
        "ref": lambda repo, arguments: ref(repo, arguments["qualifiedName"]),
        "refs": lists.refs,
        "labels": lists.labels,
        "pullRequests": lists.pulls,
        "pullRequest": lambda repo, arguments: _numbered(repo.pulls, arguments, "PullRequest"),
        "issues": lists.issues,
        "issue": lambda repo, arguments: _numbered(repo.issues, arguments, "Issue"),
        "deployments": lists.deployments,
        "environments": lists.environments,
        "environment": lambda repo, arguments: repo.environments.get(arguments["name"]),
        "releases": lists.releases,
        "release": _release,
        "latestRelease": _latest_release,
    },
    "Ref": {**_plain("id", "name", "prefix"), **_IN_REPO, "target": _target},
    "Tag": {**_plain("id", "oid", "name", "message", "tagger"), **_IN_REPO, "target": _target},
    "Blob": {
        **_plain("id", "oid", "text", byteSize="size", isBinary="binary", isTruncated="truncated"),
        **_IN_REPO,
    },
    "Commit": {
        **_plain("id", "oid", "message", "author", "committer"),
        **_IN_REPO,
        **_URL,
        **_times(authoredDate="author.date", committedDate="committer.date"),
        "abbreviatedOid": lambda one, _arguments: one.oid[:7],
        "messageHeadline": _headline,
        "messageBody": _text_body,
        "parents": lists.parents,
        "history": lists.history,
        "authors": lists.authors,
        "associatedPullRequests": lists.pulls_of,
        "deployments": lists.deployments_of,
    },
    "GitActor": {**_plain("name", "email"), **_times("date"), "user": _git_user},
    "PullRequest": {
        **_NODE,
        **_URL,
        **_IN_REPO,
        **_LABELS,
        **_plain("number", "title", "body", "author", "is_draft", "additions", "deletions"),
        **_plain("changed_files", "merged_by", headRepository="head_repo"),
        **_plain(baseRefName="base", baseRefOid="base_oid"),
        **_plain(headRefName="head", headRefOid="head_oid"),
        **_times("created_at", "updated_at", "closed_at", "merged_at"),
        **_state(lists.pull_state),
        "merged": _is_merged,
        "closed": _is_closed,
        "mergeCommit": _merge_commit,
        "headRef": _head_ref,
        "isCrossRepository": lambda pull, _arguments: pull.head_repo is not pull.repo,
        "reviewDecision": _decision,
        "commits": lists.pull_commits,
        "reviews": lists.reviews,
        "comments": lists.comments,
        "timelineItems": lists.timeline,
        "closingIssuesReferences": lists.closing,
    },
    "PullRequestCommit": _plain("id", "commit", pullRequest="pull"),
    "PullRequestReview": {
        **_NODE,
        **_URL,
        **_plain("author", "state", "body", pullRequest="pull"),
        **_times("submitted_at", "created_at"),
    },
    "Issue": {
        **_NODE,
        **_URL,
        **_IN_REPO,
        **_LABELS,
        **_plain("number", "title", "body", "author"),
        **_times("created_at", "updated_at", "closed_at"),
        **_state(lists.issue_state),
        "closed": _is_closed,
        "stateReason": _state_reason,
        "issueType": _issue_type,
        "comments": lists.comments,
        "timelineItems": lists.timeline,
        "closedByPullRequestsReferences": lists.closers,
    },
    "IssueType": _plain("name"),
    "IssueComment": {**_NODE, **_URL, **_plain("body", author="actor"), **_times("created_at")},
    "ReadyForReviewEvent": {**_EVENT, **_plain(pullRequest="subject")},
    "ConvertToDraftEvent": {**_EVENT, **_plain(pullRequest="subject")},
    "LabeledEvent": _LABELLING,
    "UnlabeledEvent": _LABELLING,
    "ClosedEvent": {**_EVENT, **_plain("closer", "state_reason", closable="subject")},
    "ReopenedEvent": {**_EVENT, **_plain("state_reason", closable="subject")},
    "MergedEvent": {
        **_EVENT,
        **_plain(pullRequest="subject", mergeRefName="subject.base"),
        "commit": _commit_named("commit"),
    },
    "HeadRefForcePushedEvent": {
        **_EVENT,
        **_plain(pullRequest="subject"),
        "beforeCommit": _commit_named("before"),
        "afterCommit": _commit_named("commit"),
    },
    "ConnectedEvent": _LINK,
    "DisconnectedEvent": _LINK,
    "Label": {**_plain("id", "name", "color"), **_IN_REPO},
    "Deployment": {
        **_NODE,
        **_IN_REPO,
        **_plain("environment", "task", "payload", "description", "creator", "state"),
        **_plain(originalEnvironment="environment", latestEnvironment="environment"),
        **_plain(commitOid="commit", latestStatus="latest"),
        **_times("created_at", "updated_at"),
        "commit": _commit_named("commit"),
        "ref": _deployment_ref,
        "statuses": lists.statuses,
    },
    "DeploymentStatus": {
        **_plain("id", "state", "environment", "description", "creator", "deployment", "log_url"),
        **_times("created_at", updatedAt="created_at"),
    },
    "Environment": _plain("id", "database_id", "name"),
    "Release": {
        **_NODE,
        **_URL,
        **_IN_REPO,
        **_plain("name", "tag_name", "is_draft", "is_prerelease", description="body"),
        **_times("created_at", "published_at"),
        "updatedAt": _release_updated,
        "author": _release_author,
        "tag": _tag_ref,
        "tagCommit": _tag_commit,
    },
    "PageInfo": _plain(
        hasNextPage="has_next", hasPreviousPage="has_previous", startCursor="start", endCursor="end"
    ),
    **{f"{name}Connection": _CONNECTION for name in _LISTED},
    **{f"{name}Edge": _EDGE for name in _LISTED if name != "CommitHistory"},
}
"""What is known, by type and field; `rateLimit` is the server's own."""
