"""The fields of GraphQL that are no plain attributes, each with what answers it.

A resolver takes the object that has the field, graphql-core's information about the query and
the field's arguments, by their names in the schema.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, Final

from github_server import lists
from github_server.files import Blob, blob_at
from github_server.refusal import Refused
from github_server.things import (
    Account,
    Commit,
    Deployment,
    Kind,
    Pull,
    Ref,
    Release,
    Tag,
    read_node_id,
)
from github_server.world import Repo, World

Resolver = Callable[..., Any]
Listing = Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True, kw_only=True)
class BotAsUser:
    """A bot where GitHub's schema has room for people only."""

    TYPENAME: ClassVar = "User"
    account: Account

    @property
    def login(self) -> str:
        """The login, which tells that it is a bot."""
        return f"{self.account.login}[bot]"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)


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
    """Find what git would understand by `main`, `v1.2`, an oid or `main:path`."""
    revision, colon, path = expression.partition(":")
    if revision == "HEAD":
        revision = repo.default_branch or ""
    named = ref(repo, revision)
    found = git_object(repo, named.target if named else revision)
    if not colon:
        return found
    return blob_at(repo, path) if found else None


def _repository(
    world: World,
    _info: Any,
    *,
    owner: str,
    name: str,
    followRenames: bool,  # noqa: N803
) -> Repo:
    wanted = f"{owner}/{name}"
    found = world.find(wanted)
    renamed = found is not None and found.full_name.lower() != wanted.lower()
    if found is None or (renamed and not followRenames):
        raise Refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{wanted}'.")
    return found


def _account(world: World, _info: Any, *, login: str, kind: Kind) -> Account:
    found = world.accounts.get(login.lower())
    if found is None or found.kind is not kind:
        raise Refused("NOT_FOUND", f"Could not resolve to {_a(kind)} with the login of '{login}'.")
    return found


def _owner(world: World, _info: Any, *, login: str) -> Account | None:
    found = world.accounts.get(login.lower())
    return found if found and found.kind in (Kind.USER, Kind.ORGANIZATION) else None


def _nodes(world: World, _info: Any, *, ids: list[str]) -> list[Any]:
    return [_or_refusal(world, identity) for identity in ids]


def _or_refusal(world: World, identity: str) -> Any:
    try:
        return node(world, identity)
    except Refused as refusal:
        return refusal


def _object(
    repo: Repo, _info: Any, *, oid: str | None = None, expression: str | None = None
) -> Commit | Tag | Blob | None:
    if oid:
        return git_object(repo, oid)
    return resolve_expression(repo, expression or "HEAD")


def _numbered(of: Mapping[int, Any], number: int, kind: str) -> Any:
    if number not in of:
        raise Refused("NOT_FOUND", f"Could not resolve to {_a(kind)} with the number of {number}.")
    return of[number]


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "IO" else f"a {kind}"


def _default_branch(repo: Repo, _info: Any) -> Ref | None:
    return ref(repo, f"refs/heads/{repo.default_branch}") if repo.default_branch else None


def _release_author(release: Release, _info: Any) -> Account | BotAsUser | None:
    author = release.author
    if author is None or author.kind is Kind.USER:
        return author
    return BotAsUser(account=author)


def _target(one: Ref | Tag, _info: Any) -> Commit | Tag | None:
    return git_object(one.repo, one.target)


def _deployed_commit(deployment: Deployment, _info: Any) -> Commit | None:
    return deployment.repo.commits.get(deployment.commit)


def _deployed_ref(deployment: Deployment, _info: Any) -> Ref | None:
    return ref(deployment.repo, deployment.ref)


def _tag_commit(release: Release, _info: Any) -> Commit | None:
    return release.repo.commits.get(release.repo.commit_of_tag(release.tag_name) or "")


def _merge_commit(pull: Pull, _info: Any) -> Commit | None:
    return pull.repo.commits.get(pull.merge_commit or "")


def _page_of(listing: Listing) -> Resolver:
    return lambda one, _info, **arguments: listing(one, arguments)


def _attributes(**named: str) -> Iterator[tuple[str, Resolver]]:
    """Fields that are attributes of another name."""
    for name, path in named.items():
        yield name, _attribute(path)


def _attribute(path: str) -> Resolver:
    get = attrgetter(path)
    return lambda one, _info: get(one)


_IN_REPO: Final = dict(_attributes(repository="repo"))
_OWNER: Final = {"repositories": _page_of(lists.repositories)}
_LINK: Final = dict(_attributes(subject="other"))

RESOLVERS: Final[Mapping[str, Mapping[str, Resolver]]] = {
    "Query": {
        "repository": _repository,
        "repositoryOwner": _owner,
        "organization": partial(_account, kind=Kind.ORGANIZATION),
        "user": partial(_account, kind=Kind.USER),
        "node": lambda world, _info, *, id: node(world, id),
        "nodes": _nodes,
        "rateLimit": lambda _world, info: info.context,
    },
    "User": _OWNER,
    "Organization": _OWNER,
    "Repository": {
        **dict(_attributes(nameWithOwner="full_name", isArchived="archived", isFork="fork")),
        "isEmpty": lambda repo, _info: not repo.branches,
        "defaultBranchRef": _default_branch,
        "object": _object,
        "refs": _page_of(lists.refs),
        "labels": _page_of(lists.labels),
        "pullRequests": _page_of(lists.pulls),
        "pullRequest": lambda repo, _info, *, number: _numbered(repo.pulls, number, "PullRequest"),
        "issues": _page_of(lists.issues),
        "issue": lambda repo, _info, *, number: _numbered(repo.issues, number, "Issue"),
        "deployments": _page_of(lists.deployments),
        "releases": _page_of(lists.releases),
    },
    "Ref": {"target": _target},
    "Tag": {"target": _target},
    "Blob": dict(_attributes(byteSize="size")),
    "Commit": {
        **dict(_attributes(authoredDate="author.date", committedDate="committer.date")),
        "messageHeadline": lambda commit, _info: commit.message.partition("\n")[0],
        "parents": _page_of(lists.parents),
        "history": _page_of(lists.history),
    },
    "PullRequest": {
        **_IN_REPO,
        **dict(_attributes(baseRefName="base", headRefName="head")),
        "mergeCommit": _merge_commit,
        "commits": _page_of(lists.pull_commits),
        "reviews": _page_of(lists.reviews),
        "timelineItems": _page_of(lists.timeline),
    },
    "Issue": {
        **_IN_REPO,
        "comments": _page_of(lists.comments),
        "labels": _page_of(lists.labels),
        "timelineItems": _page_of(lists.timeline),
    },
    "ConnectedEvent": _LINK,
    "DisconnectedEvent": _LINK,
    "Deployment": {
        **dict(_attributes(commitOid="commit", latestStatus="latest")),
        "commit": _deployed_commit,
        "ref": _deployed_ref,
        "statuses": _page_of(lists.statuses),
    },
    "Release": {
        "tagCommit": _tag_commit,
        "author": _release_author,
        "updatedAt": lambda release, _info: release.published_at or release.created_at,
    },
}
"""The resolvers by type and field; every other field is the attribute of its name."""
