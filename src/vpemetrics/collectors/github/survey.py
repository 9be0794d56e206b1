"""A first look at repositories on GitHub: what they have, before anything is configured.

It takes a point for every twenty repositories, and a few requests for each that knows of
deployments or deploys by a workflow.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from vpemetrics.collectors.discovery import (
    DAYS,
    EnvironmentOverview,
    RepositoryOverview,
    Survey,
    Tally,
    Versions,
    WorkflowOverview,
    sounds_like_deploying,
    sounds_like_incident,
)
from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Access, Client
from vpemetrics.collectors.github.connections import check_following
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.http import (
    BadAnswer,
    Forbidden,
    Gone,
    Node,
    SourceProblem,
    TooHeavy,
    as_object,
    count,
    given,
    need,
    part,
    parts,
    read_shape,
)
from vpemetrics.rules import is_chosen, matches
from vpemetrics.version_tags import is_release, service_of

AT_ONCE: Final = 20
FULL: Final = 100
"""As many of anything as one page has."""
PAGES: Final = 5
"""So many pages of deployments are counted, then it is "at least"."""
FILTERED: Final = 1000
"""GitHub counts no further in lists that are filtered.

https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
"""
_TOGETHER: Final = 8

Value = TypeVar("Value")
Progress = Callable[[int, int], None]


def find_named(access: Access, patterns: Sequence[str], now: datetime) -> list[str]:
    """The repositories that patterns mean: those named, and of the others those in use."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    named = [name for name in wanted if "*" not in name and "?" not in name]
    owners = dict.fromkeys(name.partition("/")[0] for name in wanted if name not in named)
    listed = [name for owner in owners for name in active_of(access.client(owner), owner, now)]
    return list(dict.fromkeys([*named, *(name for name in listed if is_chosen(name, patterns))]))


def active_of(client: Client, owner: str, now: datetime) -> list[str]:
    """The repositories of an owner that were pushed to of late, no forks and none archived.

    Nobody pushes to one that only holds issues: if its name sounds like incidents it is among
    them, as far as it stands on a page that is read. Gone if there is no such owner.
    """
    about = f"the repositories of {owner}"
    return _read(about, lambda: list(_active_of(client, owner, _since(now))))


def _active_of(client: Client, owner: str, since: str) -> Iterator[str]:
    after, seen = None, set[str]()
    while True:
        variables = {"owner": owner, "first": FULL, "after": after}
        told = client.query(queries.OWNED, variables).data.get("repositoryOwner")
        if told is None:
            raise Gone(f"{owner}: GitHub has no user or organisation of this name")
        page = told["repositories"]
        listed = [node for node in page["nodes"] if node]
        late = [node for node in listed if (node["pushedAt"] or "") >= since]
        quiet = [node for node in listed if node not in late]
        holding = [node for node in quiet if sounds_like_incident(_name(node).partition("/")[2])]
        wanted = [node for node in late + holding if not node["isArchived"] and not node["isFork"]]
        yield from map(_name, wanted)
        if len(late) < len(page["nodes"]) or not page["pageInfo"]["hasNextPage"]:
            return
        after = need(page["pageInfo"], "endCursor", str)
        check_following(after, seen)


def list_own(client: Client, now: datetime) -> list[str]:
    """The repositories that whoever asks may see and that were pushed to of late, at most 20.

    None for a token that nobody is behind, as in Actions.
    """
    try:
        told = client.get("/user/repos", {"sort": "pushed", "per_page": 20})
    except (Gone, Forbidden):
        return []
    return _read("your own repositories", lambda: [*_active(told, _since(now))])


def _active(told: Sequence[Node], since: str) -> Iterator[str]:
    for repository in told:
        is_left = repository["archived"] or repository["fork"]
        if (repository["pushed_at"] or "") >= since and not is_left:
            yield need(repository, "full_name", str)


def survey(access: Access, names: Sequence[str], now: datetime, progress: Progress) -> Survey:
    """The environments, versions, merges, incidents and owners of repositories."""
    progress(0, len(names))
    nodes, trouble = _nodes(access, names, now)
    first = [_read(_name(node), partial(_first_overview, node, now)) for node in nodes]
    labelled = _with_labels(access, first, _since(now))
    types = _types(access, nodes)
    overviews: list[RepositoryOverview] = []
    with ThreadPoolExecutor(_TOGETHER) as pool:
        looks = pool.map(
            lambda node, overview: _read(
                overview.repository,
                partial(_look_closer, access, node, overview, types, now),
            ),
            nodes,
            labelled,
        )
        for overview in looks:
            overviews.append(overview)
            progress(len(overviews), len(nodes))
    return Survey(
        overviews=tuple(overviews),
        trouble=(*trouble, *(line for overview in overviews for line in overview.trouble)),
    )


def _read(about: str, read: Callable[[], Value]) -> Value:
    return read_shape(read, server="GitHub", about=about)


def _nodes(access: Access, names: Sequence[str], now: datetime) -> tuple[list[Node], list[str]]:
    """The nodes of repositories as they present themselves, and which are not there."""
    found: list[Node] = []
    trouble: list[str] = []
    for name, node in _ask(access, names, queries.sight, {}):
        if isinstance(node, str):
            trouble.append(f"{name}: {node}")
            continue
        try:
            own = _read(name, partial(_own_name, node, now))
        except BadAnswer as bad:
            trouble.append(str(bad))
            continue
        if own not in map(_name, found):
            found.append(node)
    return found, trouble


def _own_name(node: Node, now: datetime) -> str:
    """The name of a repository of which an overview can be made."""
    _first_overview(as_object(node, "it"), now)
    need(part(node, "owner"), "login", str)
    return need(node, "nameWithOwner", str)


def _ask(
    access: Access,
    names: Sequence[str],
    query: Callable[[int], queries.Query],
    variables: Mapping[str, Any],
    size: int = AT_ONCE,
) -> Iterator[tuple[str, Node | str]]:
    """Each repository's part of the answer, or why there is none."""
    for client, owned in _by_client(access, names):
        for start in range(0, len(owned), size):
            chunk = owned[start : start + size]
            try:
                yield from _ask_once(client, chunk, query(len(chunk)), variables)
            except TooHeavy:
                if len(chunk) == 1:
                    raise
                yield from _ask(access, chunk, query, variables, (len(chunk) + 1) // 2)


def _by_client(access: Access, names: Sequence[str]) -> Iterator[tuple[Client, list[str]]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault("" if access.everywhere else name.partition("/")[0], []).append(name)
    for account, owned in groups.items():
        yield access.client(account), owned


def _ask_once(
    client: Client, names: Sequence[str], query: queries.Query, variables: Mapping[str, Any]
) -> Iterator[tuple[str, Node | str]]:
    split = [name.partition("/") for name in names]
    owners = {f"owner{at}": owner for at, (owner, _, _) in enumerate(split)}
    own = {f"name{at}": name for at, (_, _, name) in enumerate(split)}
    try:
        answer = client.query(query, {**owners, **own, **variables}, halves=len(names) > 1)
    except (BadAnswer, Gone, Forbidden) as problem:
        yield from ((name, str(problem)) for name in names)
        return
    why = {gap.path[0]: gap.message for gap in answer.missing if gap.path}
    for at, name in enumerate(names):
        yield name, answer.data.get(f"r{at}") or why.get(f"r{at}", "GitHub gave no answer")


def _first_overview(node: Node, now: datetime) -> RepositoryOverview:
    """The overview by the first answer."""
    name, since = _name(node), _since(now)
    merged = [pull["mergedAt"] for pull in _items(node, "pullRequests")]
    texts = [given(part(node, f"owners{at}"), "text", str) for at in range(3)]
    return RepositoryOverview(
        repository=name,
        releases=_versions(name, _releases(node), since),
        tags=_versions(name, _tags(node), since),
        merges=_tally(merged, since),
        labels={
            label["name"]: Tally()
            for label in _items(node, "labels")
            if sounds_like_incident(label["name"])
        },
        codeowners=next(filter(None, texts), None),
        catalog=given(part(node, "catalog"), "text", str),
    )


def _releases(node: Node) -> Iterator[tuple[str, str]]:
    for release in _items(node, "releases"):
        if release["publishedAt"] and not release["isDraft"] and not release["isPrerelease"]:
            yield release["tagName"], release["publishedAt"]


def _tags(node: Node) -> Iterator[tuple[str, str]]:
    for ref in _items(node, "refs"):
        target = ref["target"] or {}
        inner = target.get("target") or {}
        tagger = target.get("tagger") or {}
        at = target.get("committedDate") or tagger.get("date") or inner.get("committedDate")
        if at:
            yield ref["name"], at


def _versions(repository: str, found: Iterable[tuple[str, str]], since: str) -> Versions:
    dated = [(name, at) for name, at in found if is_release(name)]
    services = {service_of(name, repository) or "" for name, at in dated if at >= since}
    return Versions(
        tally=_tally([at for _, at in dated], since),
        ever=len(dated),
        services=tuple(sorted(services)) or ("",),
    )


def _tally(moments: Sequence[str], since: str) -> Tally:
    """The number of a page's moments of late; where all of a full page are, there may be more."""
    count = sum(at >= since for at in moments)
    return Tally(count=count, at_least=count == FULL)


def _with_labels(
    access: Access, overviews: Sequence[RepositoryOverview], since: str
) -> list[RepositoryOverview]:
    """The same with the issues counted that have their labels of incidents."""
    labels = sorted({label for overview in overviews for label in overview.labels})
    named = [overview.repository for overview in overviews if overview.labels]
    found = dict(_ask(access, named, queries.labelled, {"labels": labels}))
    return [
        replace(
            overview,
            labels=_label_tallies(found.get(overview.repository), overview.labels, since),
        )
        for overview in overviews
    ]


def _label_tallies(node: Node | str | None, labels: Iterable[str], since: str) -> dict[str, Tally]:
    issues = _items(node, "issues") if node and not isinstance(node, str) else []
    with_label = {
        label: [issue["createdAt"] for issue in issues if label in _labels_of(issue)]
        for label in labels
    }
    return {label: _tally(moments, since) for label, moments in with_label.items()}


def _labels_of(issue: Node) -> set[str]:
    return {label["name"] for label in _items(issue, "labels")}


def _types(access: Access, nodes: Iterable[Node]) -> dict[str, list[str]]:
    """The issue types of incidents that each organisation has."""
    owners = {node["owner"]["login"]: node["owner"]["__typename"] for node in nodes}
    return {
        login: list(_types_of(access.client(login), login))
        for login, kind in owners.items()
        if kind == "Organization"
    }


def _types_of(client: Client, organisation: str) -> Iterator[str]:
    try:
        told = client.get(f"/orgs/{organisation}/issue-types")
    except (Gone, Forbidden):  # a server or a token that knows of none
        return
    about = f"the types of issues of {organisation}"
    names = _read(about, lambda: [need(kind, "name", str) for kind in told])
    yield from filter(sounds_like_incident, names)


def _look_closer(
    access: Access,
    node: Node,
    overview: RepositoryOverview,
    types: Mapping[str, Sequence[str]],
    now: datetime,
) -> RepositoryOverview:
    """The same with what takes requests of its own; what may not be read is trouble."""
    owner = node["owner"]["login"]
    look = _RepositorySurvey(access.client(owner), overview.repository, now)
    latest = max((made["createdAt"] for made in _items(node, "deployments")), default="")
    environments = look.environments() if latest >= _since(now) else ()
    is_deployed = any(environment.production for environment in environments)
    return replace(
        overview,
        environments=environments,
        workflows=() if is_deployed else look.workflows(),
        types={kind: look.issues(kind) for kind in types.get(owner, ())},
        trouble=tuple(look.trouble),
    )


class _RepositorySurvey:
    """The requests for one repository, and what went wrong with them."""

    def __init__(self, client: Client, repository: str, now: datetime) -> None:
        self._client = client
        self._name = repository
        self._since = _since(now)
        self.trouble: list[str] = []

    def environments(self) -> tuple[EnvironmentOverview, ...]:
        """The environments deployed to of late, the busiest first."""
        found: dict[str, list[Node]] = {}
        pages = 0
        for page in self._pages("deployments", PAGES):
            pages += 1
            late = [made for made in page if made["created_at"] >= self._since]
            for made in late:
                if matches(made["task"], Rule().task):
                    found.setdefault(made["environment"], []).append(made)
            if len(late) < FULL:
                pages = 0
                break
        return tuple(
            EnvironmentOverview(
                name=name,
                production=any(made.get("production_environment") for made in deployments),
                deployments=Tally(count=len(deployments), at_least=pages == PAGES),
            )
            for name, deployments in sorted(found.items(), key=lambda item: -len(item[1]))
        )

    def workflows(self) -> tuple[WorkflowOverview, ...]:
        """The workflows that seem to deploy, with their successful runs."""
        pages = self._pages("actions/workflows", 1, "workflows")
        found = [
            WorkflowOverview(name=listed["name"], runs=self._runs(listed["id"]))
            for page in pages
            for listed in page
            if listed.get("state", "active") == "active" and sounds_like_deploying(listed["name"])
        ]
        return tuple(workflow for workflow in found if workflow.runs)

    def issues(self, kind: str) -> Tally:
        """The issues of a type that were opened of late."""
        parameters = {"type": kind, "state": "all", "since": self._since, "per_page": FULL}
        told = self._get("issues", parameters) or []
        return _tally([issue["created_at"] for issue in told], self._since)

    def _runs(self, workflow: int) -> Tally:
        parameters = {"status": "success", "created": f">={self._since[:10]}", "per_page": 1}
        told = self._get(f"actions/workflows/{workflow}/runs", parameters) or {}
        runs = count(told, "total_count")
        is_open = runs >= FILTERED or str(told.get("total_count")).endswith("+")
        return Tally(count=runs, at_least=is_open)

    def _pages(self, of: str, most: int, key: str | None = None) -> Iterator[list[dict[str, Any]]]:
        try:
            yield from islice(self._client.pages(f"/repos/{self._name}/{of}", key=key), most)
        except SourceProblem as problem:
            self._note(problem)

    def _get(self, of: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return self._client.get(f"/repos/{self._name}/{of}", parameters)
        except SourceProblem as problem:
            self._note(problem)
            return None

    def _note(self, problem: SourceProblem) -> None:
        """Keep what concerns this repository only; raise whatever stops all."""
        if not isinstance(problem, BadAnswer | Gone | Forbidden):
            raise problem
        self.trouble.append(str(problem))


def _since(now: datetime) -> str:
    """The beginning of the days that count, as GitHub writes moments, which sort as texts."""
    return f"{now - timedelta(days=DAYS):%Y-%m-%dT%H:%M:%SZ}"


def _items(node: Node, connection: str) -> list[Node]:
    return parts(part(node, connection), "nodes")


def _name(node: Node) -> str:
    return str(node["nameWithOwner"])
