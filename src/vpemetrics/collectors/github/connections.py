"""The lists of a repository, which GitHub calls connections: their pages, and signs of news.

A page is as large as GitHub can bear, and nothing of it is lost in silence.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Client, GraphQLResult, Missing
from vpemetrics.collectors.github.cursor import OVERLAP, GitHubCursor, ListGap, ListProgress
from vpemetrics.collectors.github.repository import RepositoryTarget, instant, tagged
from vpemetrics.collectors.http import (
    BadAnswer,
    Forbidden,
    Gone,
    Malformed,
    Node,
    TooHeavy,
    as_object,
    given,
    moment,
    need,
    part,
    parts,
    read_shape,
)

# https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#node-limit
FULL: Final = 100
"""The most that GitHub gives of anything."""

PULLS: Final = "pull requests"
DEPLOYMENTS: Final = "deployments"
RELEASES: Final = "releases"
TAGS: Final = "tags"
ISSUES: Final = "issues"
TYPES: Final = "issues of type"
RUNS: Final = "runs"

RULES: Final = {
    DEPLOYMENTS: "environments",
    RELEASES: "releases",
    TAGS: "tags",
    PULLS: "merges",
    RUNS: "workflow",
}
"""The kinds of deployments that lists are read for, in the words of the settings."""

RUN_MINUTES: Final = 54 * 7 * 24 * 60
"""The length of a window of workflow runs at first, and at most."""

SAME_PAGE: Final = "GitHub gives the same page of a list again and again; try again later"
_TRIES: Final = 2
"""The number of times that a page of one is asked for again."""
_GONE: Final = "NOT_FOUND"
_FORBIDDEN: Final = ("FORBIDDEN", "INSUFFICIENT_SCOPES")


class Absent(Gone):
    """The thing that was asked about is not there, and GitHub does not call that an error."""


def _no_moment(_node: Node) -> datetime | None:
    """No moment: in a list that is in no order."""
    return None


def _created_at(node: Node) -> datetime | None:
    return moment(node, "createdAt")


def _updated_at(node: Node) -> datetime | None:
    return moment(node, "updatedAt")


def _committed_at(tag: Node) -> datetime | None:
    return moment(tagged(tag), "committedDate")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A list of GitHub's: its query, where it is in the answer, and the moment it is ordered by.

    `start` is how much is asked for at first, `largest` at most; `overlap` is how far behind what
    was read something new may turn up. Of what is `whole` a part is worth nothing; other things
    are fetched again by their ids where some of them is missing. `kind` is GitHub's for what is
    on it.
    """

    query: queries.Query
    path: tuple[str, ...]
    moment: Callable[[Node], datetime | None] = _no_moment
    start: int = FULL
    largest: int = FULL
    overlap: timedelta = OVERLAP
    whole: bool = False
    kind: str = ""

    @property
    def name(self) -> str:
        """GitHub's name for it."""
        return self.path[-1]


# Releases and tags are ordered by their commits, which may be old ones:
# https://docs.github.com/en/rest/releases/releases#get-the-latest-release
_LATE: Final = timedelta(days=90)

# The most for which a query still costs one point, and a bit less: 70 pull requests with two lists
# each are 141 connections, 45 issues with three are 136.
# https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#predicting-the-point-value-of-a-query
_PULLS: Final = 70
_ISSUES: Final = 45

CONNECTIONS: Final = {
    PULLS: Connection(
        query=queries.PULLS,
        path=("node", "pullRequests"),
        moment=_updated_at,
        start=50,
        largest=_PULLS,
        kind="PullRequest",
    ),
    DEPLOYMENTS: Connection(
        query=queries.DEPLOYMENTS,
        path=("node", "deployments"),
        moment=_created_at,
        kind="Deployment",
    ),
    RELEASES: Connection(
        query=queries.RELEASES,
        path=("node", "releases"),
        moment=_created_at,
        overlap=_LATE,
        whole=True,
        kind="Release",
    ),
    TAGS: Connection(
        query=queries.TAGS,
        path=("node", "refs"),
        moment=_committed_at,
        overlap=_LATE,
        whole=True,
        kind="Tag",
    ),
    ISSUES: Connection(
        query=queries.ISSUES,
        path=("node", "issues"),
        moment=_updated_at,
        start=_ISSUES,
        largest=_ISSUES,
        kind="Issue",
    ),
}
"""The lists of a repository by our names."""


def _within(query: queries.Query, name: str) -> Connection:
    return Connection(query=query, path=("node", name), whole=True)


_WITHIN: Final[Mapping[str, Sequence[Connection]]] = {
    "PullRequest": (
        _within(queries.PULL_COMMITS, "commits"),
        _within(queries.PULL_EVENTS, "timelineItems"),
    ),
    "Deployment": (_within(queries.STATUSES, "statuses"),),
    "Issue": (
        _within(queries.ISSUE_COMMENTS, "comments"),
        _within(queries.ISSUE_EVENTS, "timelineItems"),
    ),
}
"""The lists within things that are on a list, by kind."""


@dataclass(frozen=True, kw_only=True)
class ConnectionPage:
    """A page: what is on it, GitHub's cursor if another one follows, and the size that went well.

    `partial` are ids of things of which GitHub left something out; `lost` counts those it did
    not give at all. `again` is the gap that has this page read once more.
    """

    nodes: Sequence[Node]
    after: str | None
    size: int
    partial: frozenset[str] = frozenset()
    lost: int = 0
    again: ListGap | None = None


def fetch_page(
    client: Client, connection: Connection, variables: Mapping[str, Any], size: int
) -> ConnectionPage:
    """Fetch the page after `$after`, halved while GitHub finds it too heavy or has gaps in it.

    TooHeavy if a page of one is; Gone or Forbidden if there is no such list for us.
    """
    tries, about = 0, connection.query.wording(dict(variables))
    while True:
        try:
            answer = client.query(connection.query, {**variables, "first": size}, halves=size > 1)
            page = _page_of(answer, connection, size, about)
            if connection.whole and answer.missing:
                raise TooHeavy(f"GitHub leaves something out: {answer.missing[0].message}")
        except TooHeavy:
            tries += size == 1
            if tries > _TRIES:
                raise
        else:
            if not page.lost or size == 1:
                return replace(page, size=min(connection.largest, size + size // 10 + 1))
        size = max(1, size // 2)


def read_gaps(
    client: Client, connection: Connection, variables: Mapping[str, Any], progress: ListProgress
) -> Iterator[tuple[ConnectionPage, ListProgress]]:
    """The pages in the gaps of a list, each with how far it then was read."""
    seen = set[str]()
    while progress.gaps:
        gap = progress.gaps[0]
        page = fetch_page(client, connection, {**variables, "after": gap.after}, progress.size)
        check_following(page.after, seen)
        moments = [at for node in page.nodes if (at := _moment(connection, node))]
        again = replace(gap, top=gap.reached, down_to=min(moments, default=gap.reached))
        progress = replace(progress, size=page.size).advance(
            min(moments, default=None), page.after, max(moments, default=None)
        )
        wanted = [node for node in page.nodes if _is_within(node, connection, gap.down_to)]
        yield replace(page, nodes=wanted, again=again), progress


def check_following(after: str | None, seen: set[str]) -> None:
    """Note GitHub's cursor of the next page; TooHeavy if it leads back to one that was read."""
    if after is not None and after in seen:
        raise TooHeavy(SAME_PAGE)
    seen.add(after or "")


def complete(client: Client, node: Node, kind: str) -> Node:
    """Return a thing with all that is on the lists within it, however many pages that takes."""
    whole = {
        connection.name: _read_rest(client, connection, node)
        for connection in _WITHIN.get(kind, ())
    }
    return {**node, **whole}


@dataclass(frozen=True, kw_only=True)
class Refetched:
    """The things by their ids; the ids of what is `partial` again, and of what is `gone`.

    `bad` tells by ids why there is no answer that can be read.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    bad: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: "Refetched") -> "Refetched":
        return Refetched(
            nodes={**self.nodes, **other.nodes},
            partial=self.partial | other.partial,
            gone=self.gone | other.gone,
            bad={**self.bad, **other.bad},
        )


def refetch(client: Client, ids: Sequence[str]) -> Refetched:
    """Fetch what is behind some ids, half of them at a time where that is too heavy."""
    try:
        answer = client.query(queries.REFETCH, {"ids": list(ids)}, halves=len(ids) > 1)
    except Gone:
        return Refetched(gone=frozenset(ids))
    except (BadAnswer, TooHeavy) as problem:
        if len(ids) == 1 and isinstance(problem, BadAnswer):
            return Refetched(bad={ids[0]: str(problem)})
        if len(ids) == 1:
            raise
        half = len(ids) // 2
        return refetch(client, ids[:half]) | refetch(client, ids[half:])
    found = read_shape(
        lambda: given(answer.data, "nodes", list), server="GitHub", about="things by their ids"
    )
    missing = [
        (ids[at], reason)
        for reason in answer.missing
        if (at := _index(reason, ("nodes",))) is not None and at < len(ids)
    ]
    return Refetched(
        nodes={id_: node for id_, node in zip(ids, found or (), strict=False) if node is not None},
        partial=frozenset(id_ for id_, reason in missing if len(reason.path) > 2),
        gone=frozenset(
            id_ for id_, reason in missing if len(reason.path) == 2 and reason.kind == _GONE
        ),
    )


def wanted_lists(target: RepositoryTarget) -> list[str]:
    """The names of the lists that are wanted of a repository, in the order they are read."""
    lists = [PULLS] if target.is_code else []
    lists += [name for name in (DEPLOYMENTS, RELEASES, TAGS) if target.rules_from(RULES[name])]
    if target.has_incidents:
        incidents = target.options.incidents
        lists += [f"{ISSUES}: {label}" for label in incidents.labels]
        lists += [f"{TYPES}: {type_}" for type_ in incidents.types]
    if target.is_code and (target.options.runs or target.rules_from(RULES[RUNS])):
        lists.append(RUNS)
    return lists


def base(name: str) -> str:
    """The kind of list one is: that of a label is one of issues."""
    return name.partition(":")[0]


def label_of(name: str) -> str:
    """The label or type whose issues are on a list."""
    return name.partition(": ")[2]


def resume(target: RepositoryTarget, cursor: GitHubCursor, name: str) -> ListProgress:
    """The progress of a list, with all that is new as a gap."""
    before, settings = cursor.lists.get(name), list_settings(target, name)
    connection = CONNECTIONS.get(base(name))
    if before is None or before.settings != settings:
        size = connection.start if connection else RUN_MINUTES
        before = ListProgress(start=target.begin, end=target.now, settings=settings, size=size)
    return before.reopen(target.now, connection.overlap if connection else OVERLAP)


def is_quiet(target: RepositoryTarget, cursor: GitHubCursor, name: str) -> bool:
    """Return whether nothing on a list is new, as far as a look at the repository tells."""
    progress = cursor.lists.get(name)
    shown, newest = sign(target, name)
    return progress is not None and progress.is_quiet(
        shown, instant(newest), list_settings(target, name)
    )


def is_empty(target: RepositoryTarget, name: str) -> bool:
    """Return whether a look at a repository shows that there is nothing on a list."""
    return target.probe.total(CONNECTIONS[base(name)].name) == 0


def sign(target: RepositoryTarget, name: str) -> tuple[str, str | None]:
    """The text that a look at a repository shows of a list, and the latest moment on it."""
    if name == RUNS:
        return runs_sign(target), None
    connection = CONNECTIONS[ISSUES if base(name) == TYPES else base(name)]
    return target.probe.sign(connection.name)


def runs_sign(target: RepositoryTarget) -> str:
    """A text that differs where there may be new runs: after a push, or a touched pull request."""
    return json.dumps(
        (given(target.probe.node, "pushedAt", str), target.probe.sign("pullRequests"))
    )


def list_settings(target: RepositoryTarget, name: str) -> str:
    """A short text that differs where the same list would become other records."""
    rules = target.rules_from(RULES.get(name, ""))
    production = sorted({*target.rules.environments, *_own(target)}) if rules else ()
    match base(name):
        case "pull requests":
            more: object = (target.probe.branch if rules else None, bool(target.paths))
        case "runs":
            more = target.options.runs
        case "issues":
            more = target.options.incidents.types
        case _:
            more = None
    return target.fingerprint(name, rules, production, more)


def _own(target: RepositoryTarget) -> set[str]:
    return {pattern for service in target.rules.services for pattern in service.environments}


def _read_rest(client: Client, connection: Connection, node: Node) -> Node:
    """A list within a thing with all that follows its first page."""
    first = part(node, connection.name)
    found, after, seen = parts(first, "nodes"), _after(first), set[str]()
    while after:
        check_following(after, seen)
        variables = {"id": need(node, "id", str), "after": after}
        page = fetch_page(client, connection, variables, FULL)
        found += page.nodes
        after = page.after
    return {**first, "nodes": found}


def _moment(connection: Connection, node: object) -> datetime | None:
    """The moment of a thing on a list; None of one that does not have it as it should."""
    try:
        return connection.moment(as_object(node, "an item"))
    except Malformed:
        return None


def _is_within(node: Node, connection: Connection, down_to: datetime) -> bool:
    at = _moment(connection, node)
    return at is None or at >= down_to or not isinstance(node.get("id"), str)


def _page_of(
    answer: GraphQLResult, connection: Connection, size: int, about: str
) -> ConnectionPage:
    return read_shape(lambda: _page(answer, connection, size), server="GitHub", about=about)


def _page(answer: GraphQLResult, connection: Connection, size: int) -> ConnectionPage:
    holder = _holder(answer.data, connection.path)
    found = given(holder, "nodes", list)
    if found is None:
        raise _refusal(answer.missing)
    # The path of an error says what it left out: https://spec.graphql.org/October2021/#sec-Errors
    within = (_index(reason, (*connection.path, "nodes")) for reason in answer.missing)
    incomplete = {
        found[at]["id"]
        for at in within
        if at is not None and at < len(found) and isinstance(found[at], dict)
        if isinstance(found[at].get("id"), str)
    }
    return ConnectionPage(
        nodes=[node for node in found if node is not None],
        after=_after(holder),
        size=size,
        partial=frozenset(incomplete),
        lost=sum(node is None for node in found),
    )


def _after(connection: Node) -> str | None:
    """GitHub's cursor, if another page follows."""
    info = part(connection, "pageInfo")
    return given(info, "endCursor", str) if given(info, "hasNextPage", bool) else None


def _index(missing: Missing, path: tuple[str, ...]) -> int | None:
    """The number of a list's item that something missing is in."""
    depth = len(path)
    at = missing.path[depth] if len(missing.path) > depth else None
    return at if missing.path[:depth] == path and isinstance(at, int) else None


def _refusal(missing: Sequence[Missing]) -> Exception:
    """The reason why a whole list was not given."""
    kinds: dict[str, str] = {reason.kind: reason.message for reason in missing}
    if not missing:
        return Absent("there is no such thing")
    if _GONE in kinds:
        return Gone(kinds[_GONE])
    for kind in _FORBIDDEN:
        if kind in kinds:
            return Forbidden(kinds[kind])
    return TooHeavy(f"GitHub left a whole list out of its answer: {missing[0].message}")


def _holder(data: Node, path: Sequence[str]) -> Node:
    """The object at a path; an empty one if there is none."""
    for key in path:
        data = part(data, key)
    return data
