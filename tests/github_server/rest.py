"""The REST API of a simulated GitHub: which address gives what, in which pages.

Renamed repositories answer 301 with an address that holds their id, and so do the links to
further pages. Lists of runs that are filtered end after a thousand.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from operator import attrgetter
from typing import Any, Final
from urllib.parse import unquote, urlencode

from github_server import shapes
from github_server.answer import Answer, problem
from github_server.fields import resolve_expression
from github_server.files import blob_at
from github_server.lists import MOST_COMMITS
from github_server.things import Attempt, Commit, Issue, Kind, Pull, Run, Tag
from github_server.walks import touching
from github_server.world import Repo, World

MOST_RUNS: Final = 1000
"""Of filtered runs GitHub gives no more."""

_FILTERS: Final = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")
_IN_REPO: Final = re.compile(r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)(?P<rest>/.*)?")
_BY_ID: Final = re.compile(r"/repositories/(?P<id>\d+)(?P<rest>/.*)?")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: where it goes, and the address that links begin with."""

    world: World
    path: str
    query: Mapping[str, str]
    api: str

    def listed(
        self,
        items: Sequence[Any],
        shape: Callable[[Any, str], Any],
        *,
        key: str | None = None,
        most: int | None = None,
    ) -> Answer:
        """A page of a list, under a key beside the count where GitHub does so."""
        size = min(max(self._number("per_page", 30), 1), 100)
        page = max(self._number("page", 1), 1)
        shown = items[:most]
        body: Any = [shape(one, self.api) for one in shown[(page - 1) * size : page * size]]
        if key:
            body = {"total_count": len(items), key: body}
        answer = found(body)
        links = self._links(page, max(1, -(-len(shown) // size)))
        return replace(answer, headers={**answer.headers, "link": links}) if links else answer

    def _links(self, page: int, last: int) -> str:
        to = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del to["next"], to["last"]
        if page <= 1:
            del to["prev"], to["first"]
        return ", ".join(f'<{self._address(number)}>; rel="{rel}"' for rel, number in to.items())

    def _address(self, page: int) -> str:
        return f"{self.api}{self.path}?{urlencode({**self.query, 'page': page})}"

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default


InRepo = Callable[..., Answer]


def rest(
    world: World, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> Answer:
    """The answer to a request; `path` begins behind the API's own address."""
    call = Call(world=world, path=path, query=query, api=f"http://{headers['host']}/api/v3")
    if method not in ("GET", "HEAD"):
        return not_found()
    if match := _BY_ID.fullmatch(path):
        repo = world.repositories.get(int(match["id"]))
        return _of_repo(call, repo, match["rest"] or "") if repo else not_found()
    if match := _IN_REPO.fullmatch(path):
        return _by_name(call, unquote(f"{match['owner']}/{match['name']}"), match["rest"] or "")
    return _routed(_ROUTES, path, call) or not_found()


def found(body: Any) -> Answer:
    """The thing asked for, with what tells it apart from later versions."""
    digest = sha1(json.dumps(body).encode(), usedforsecurity=False).hexdigest()
    return Answer(headers={"etag": f'W/"{digest}"'}, body=body)


def not_found() -> Answer:
    """There is nothing there, or the token may not see it."""
    return problem(404, "Not Found")


def _by_name(call: Call, name: str, rest_of_path: str) -> Answer:
    repo = call.world.find(name)
    if repo is None:
        return not_found()
    by_id = f"/repositories/{repo.database_id}{rest_of_path}"
    if repo.full_name.lower() == name.lower():
        return _of_repo(replace(call, path=by_id), repo, rest_of_path)
    asked = f"?{urlencode(call.query)}" if call.query else ""
    moved = problem(301, "Moved Permanently", location=f"{call.api}{by_id}{asked}")
    return replace(moved, body={**moved.body, "url": f"{call.api}{by_id}{asked}"})


def _of_repo(call: Call, repo: Repo, path: str) -> Answer:
    return _routed(_REPO_ROUTES, path, call, repo) or not_found()


def _routed(
    routes: Iterable[tuple[str, Callable[..., Answer | None]]], path: str, *given: Any
) -> Answer | None:
    for pattern, answer in routes:
        if match := re.fullmatch(pattern, path):
            return answer(
                *given, **{name: unquote(text) for name, text in match.groupdict().items()}
            )
    return None


# Accounts


def _viewer(call: Call) -> Answer:
    return found(shapes.account(call.world.viewer, call.api))


def _account(call: Call, login: str) -> Answer:
    known = call.world.accounts.get(login.removesuffix("[bot]").lower())
    return found(shapes.account(known, call.api)) if known else not_found()


def _organization(call: Call, login: str) -> Answer:
    known = call.world.accounts.get(login.lower())
    if known is None or known.kind is not Kind.ORGANIZATION:
        return not_found()
    return found(shapes.account(known, call.api))


def _issue_types(call: Call, login: str) -> Answer:
    """The types of issues that an organisation has, which are those of its issues here."""
    known = call.world.accounts.get(login.lower())
    if known is None or known.kind is not Kind.ORGANIZATION:
        return not_found()
    issues = (one for repo in call.world.owned_by(known) for one in repo.issues.values())
    names = sorted({one.type for one in issues if one.type})
    return found([{"name": name, "description": None, "is_enabled": True} for name in names])


def _repositories_of(call: Call, login: str) -> Answer:
    known = call.world.accounts.get(login.lower())
    if known is None:
        return not_found()
    return call.listed(_sorted(call, call.world.owned_by(known)), shapes.repository)


def _repositories(call: Call) -> Answer:
    return call.listed(_sorted(call, call.world.repositories.values()), shapes.repository)


def _installed(call: Call) -> Answer:
    every = list(call.world.repositories.values())
    return call.listed(every, shapes.repository, key="repositories")


def _sorted(call: Call, repos: Iterable[Repo]) -> list[Repo]:
    """By name upwards or by a time downwards, unless another direction is asked for."""
    by = call.query.get("sort", "full_name")
    keys: dict[str, Callable[[Repo], Any]] = {
        "created": attrgetter("created_at"),
        "updated": attrgetter("updated_at"),
        "pushed": lambda repo: repo.pushed_at or repo.created_at,
    }
    upwards = call.query.get("direction", "desc" if by in keys else "asc") == "asc"
    name: Callable[[Repo], Any] = lambda repo: repo.full_name.lower()  # noqa: E731
    return sorted(repos, key=keys.get(by, name), reverse=not upwards)


# Repositories


def _repository(call: Call, repo: Repo) -> Answer:
    return found(shapes.repository(repo, call.api))


def _branches(call: Call, repo: Repo) -> Answer:
    return call.listed(sorted(repo.branches), lambda name, api: shapes.branch(repo, name, api))


def _tags(call: Call, repo: Repo) -> Answer:
    names = sorted(repo.tags, reverse=True)
    return call.listed(names, lambda name, api: shapes.tag(repo, name, api))


def _labels(call: Call, repo: Repo) -> Answer:
    return call.listed(list(repo.labels.values()), shapes.label)


def _contents(call: Call, repo: Repo, path: str = "") -> Answer:
    if blob := blob_at(repo, path):
        return found(shapes.file(blob, call.api))
    inside = f"{path}/" if path else ""
    below = [one.removeprefix(inside) for one in repo.files if one.startswith(inside)]
    if not below:
        return not_found()
    return found(
        [
            shapes.entry(repo, f"{inside}{name}", call.api, kind)
            for name, kind in sorted({_kind_below(one) for one in below})
        ]
    )


def _kind_below(path: str) -> tuple[str, str]:
    name, inner, _ = path.partition("/")
    return name, "dir" if inner else "file"


# Commits


def _commits(call: Call, repo: Repo) -> Answer:
    tip = _commit_at(repo, call.query.get("sha", "HEAD"))
    if tip is None:
        return problem(409, "Git Repository is empty.") if not repo.branches else not_found()
    every = repo.walks.behind(tip.oid, repo.commits)
    since, until = (_moment(call.query.get(name)) for name in ("since", "until"))
    every = [one for one in every if _within(one.committer.date, since, until)]
    if path := call.query.get("path"):
        every = touching(every, path)
    return call.listed(every, shapes.commit)


def _commit(call: Call, repo: Repo, revision: str) -> Answer:
    one = _commit_at(repo, revision)
    if one is None:
        return problem(422, f"No commit found for SHA: {revision}")
    return found(shapes.commit(one, call.api))


def _comparison(call: Call, repo: Repo, base: str, head: str) -> Answer:
    """The commits that head has and base has not, oldest first; 250 at most come at once."""
    ends = [_commit_at(repo, revision) for revision in (base, head)]
    if None in ends:
        return not_found()
    before, after = ({one.oid: one for one in _behind(repo, end)} for end in ends if end)
    ahead = [one for oid, one in reversed(after.items()) if oid not in before]
    behind = sum(oid not in after for oid in before)
    size = min(int(call.query.get("per_page", MOST_COMMITS)), MOST_COMMITS)
    page = int(call.query.get("page", 1))
    status = ("diverged" if behind else "ahead") if ahead else "behind" if behind else "identical"
    return found(
        {
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": [
                shapes.commit(one, call.api) for one in ahead[(page - 1) * size : page * size]
            ],
            "files": [],
        }
    )


def _behind(repo: Repo, commit: Commit) -> list[Commit]:
    return repo.walks.behind(commit.oid, repo.commits)


def _commit_at(repo: Repo, revision: str) -> Commit | None:
    one = resolve_expression(repo, revision)
    if isinstance(one, Tag):
        return repo.commits.get(one.target)
    return one if isinstance(one, Commit) else None


# Pull requests and issues


def _pulls(call: Call, repo: Repo) -> Answer:
    states = _wanted_states(call)
    every = [
        one
        for one in repo.pulls.values()
        if ("closed" if one.closed_at else "open") in states
        and call.query.get("base") in (None, one.base)
        and call.query.get("head") in (None, one.head, f"{repo.owner.login}:{one.head}")
    ]
    return call.listed(_by_time(call, every), shapes.pull)


def _pull(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.pulls.get(int(number))
    return found(shapes.whole_pull(one, call.api)) if one else not_found()


def _pull_commits(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.pulls.get(int(number))
    if one is None:
        return not_found()
    shown = one.commits[:MOST_COMMITS]
    return call.listed(shown, lambda oid, api: shapes.commit(repo.commits[oid], api))


def _reviews(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.pulls.get(int(number))
    return call.listed(one.reviews, shapes.review) if one else not_found()


def _issues(call: Call, repo: Repo) -> Answer:
    """Issues, and the pull requests among them."""
    states, since = _wanted_states(call), _moment(call.query.get("since"))
    labels = [name.lower() for name in call.query.get("labels", "").split(",") if name]
    both: list[Issue | Pull] = [*repo.issues.values(), *repo.pulls.values()]
    every = [
        one
        for one in both
        if ("closed" if one.closed_at else "open") in states
        and _within(one.updated_at, since, None)
        and {label.name.lower() for label in one.labels}.issuperset(labels)
        and _typed(one, call.query.get("type"))
    ]
    return call.listed(_by_time(call, every), shapes.issue)


def _issue(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.issues.get(int(number)) or repo.pulls.get(int(number))
    return found(shapes.issue(one, call.api)) if one else not_found()


def _typed(one: Issue | Pull, kind: str | None) -> bool:
    """True if it has the type asked for; no pull request has any."""
    if kind in (None, "*"):
        return True
    has = one.type if isinstance(one, Issue) else None
    return has is None if kind == "none" else (has or "").lower() == str(kind).lower()


def _wanted_states(call: Call) -> set[str]:
    state = call.query.get("state", "open")
    return {"open", "closed"} if state == "all" else {state}


def _by_time(call: Call, every: Iterable[Issue | Pull]) -> list[Issue | Pull]:
    """The latest made first, unless another order is asked for."""
    by = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    upwards = call.query.get("direction", "desc") == "asc"
    return sorted(every, key=attrgetter(by, "database_id"), reverse=not upwards)


# Deployments and releases


def _deployments(call: Call, repo: Repo) -> Answer:
    asked = {"sha": "commit", "ref": "ref", "task": "task", "environment": "environment"}
    every = [
        one
        for one in repo.deployments.values()
        if all(call.query.get(name) in (None, getattr(one, of)) for name, of in asked.items())
    ]
    every.sort(key=attrgetter("created_at", "database_id"), reverse=True)
    return call.listed(every, shapes.deployment)


def _deployment(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.deployments.get(int(number))
    return found(shapes.deployment(one, call.api)) if one else not_found()


def _statuses(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.deployments.get(int(number))
    return call.listed(one.statuses[::-1], shapes.deployment_status) if one else not_found()


def _environments(call: Call, repo: Repo) -> Answer:
    every = sorted(repo.environments.values(), key=attrgetter("name"))
    return call.listed(every, shapes.environment, key="environments")


def _releases(call: Call, repo: Repo) -> Answer:
    every = sorted(repo.releases.values(), key=attrgetter("created_at"), reverse=True)
    return call.listed(every, shapes.release)


# Actions


def _workflows(call: Call, repo: Repo) -> Answer:
    return call.listed(list(repo.workflows.values()), shapes.workflow, key="workflows")


def _runs(call: Call, repo: Repo) -> Answer:
    return _listed_runs(call, repo.runs.values())


def _runs_of(call: Call, repo: Repo, workflow: str) -> Answer:
    """Of a workflow by its id or the name of its file."""
    return _listed_runs(
        call,
        (
            run
            for run in repo.runs.values()
            if workflow in (str(run.workflow.database_id), run.workflow.path.rpartition("/")[2])
        ),
    )


def _listed_runs(call: Call, runs: Iterable[Run]) -> Answer:
    start, end = _range(call.query.get("created"))
    every = [run for run in runs if start <= run.created_at <= end and _asked_for(run, call.query)]
    every.sort(key=attrgetter("created_at", "database_id"), reverse=True)
    filtered = any(name in call.query for name in _FILTERS)
    most = MOST_RUNS if filtered else None
    return call.listed(every, shapes.run, key="workflow_runs", most=most)


def _run(call: Call, repo: Repo, number: str) -> Answer:
    one = repo.runs.get(int(number))
    return found(shapes.run(one, call.api)) if one else not_found()


def _attempt(call: Call, repo: Repo, number: str, attempt: str) -> Answer:
    one = repo.runs.get(int(number))
    shown = _attempt_of(one, attempt) if one else None
    return found(shapes.run(one, call.api, shown)) if one and shown else not_found()


def _jobs(call: Call, repo: Repo, number: str, attempt: str | None = None) -> Answer:
    one = repo.runs.get(int(number))
    if one is None:
        return not_found()
    shown = [one.latest] if call.query.get("filter") != "all" else one.attempts
    if attempt is not None:
        shown = [each for each in one.attempts if str(each.number) == attempt]
    every = [(job, each) for each in shown for job in each.jobs]
    return call.listed(every, lambda of, api: shapes.job(of[0], one, of[1], api), key="jobs")


def _attempt_of(run: Run, number: str) -> Attempt | None:
    return next((one for one in run.attempts if str(one.number) == number), None)


def _asked_for(run: Run, query: Mapping[str, str]) -> bool:
    last = run.latest
    return (
        query.get("branch") in (None, run.branch)
        and query.get("event") in (None, run.event)
        and query.get("head_sha") in (None, run.sha)
        and query.get("status") in (None, last.status, last.conclusion)
        and query.get("actor") in (None, run.actor and run.actor.login)
    )


def _range(asked: str | None) -> tuple[datetime, datetime]:
    """The first and last moment of what GitHub's search calls a range: `A..B`, `>=A`, `<B`, `A`.

    Both ends belong to it, and a date is the whole day.
    """
    if not asked:
        return _EVER
    start, dots, end = asked.partition("..")
    if dots:
        return (
            _EVER[0] if start == "*" else _first(start),
            _EVER[1] if end == "*" else _last(end),
        )
    for mark, range_of in _COMPARED:
        if asked.startswith(mark):
            return range_of(asked.removeprefix(mark))
    return _first(asked), _last(asked)


def _first(text: str) -> datetime:
    found_at = datetime.fromisoformat(text)
    return found_at if found_at.tzinfo else found_at.replace(tzinfo=UTC)


def _last(text: str) -> datetime:
    """A date's last moment; GitHub's times have whole seconds, which belong to it."""
    whole_day = len(text) == len("2026-01-31")
    return _first(text) + (timedelta(days=1) if whole_day else timedelta(seconds=1)) - _TICK


_TICK: Final = timedelta(microseconds=1)
_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_COMPARED: Final[tuple[tuple[str, Callable[[str], tuple[datetime, datetime]]], ...]] = (
    (">=", lambda text: (_first(text), _EVER[1])),
    ("<=", lambda text: (_EVER[0], _last(text))),
    (">", lambda text: (_last(text) + _TICK, _EVER[1])),
    ("<", lambda text: (_EVER[0], _first(text) - _TICK)),
)


def _moment(text: str | None) -> datetime | None:
    return _first(text) if text else None


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)


_NUMBER: Final = r"(?P<number>\d+)"
_ROUTES: Final = (
    ("/user", _viewer),
    ("/user/repos", _repositories),
    ("/installation/repositories", _installed),
    ("/users/(?P<login>[^/]+)", _account),
    ("/orgs/(?P<login>[^/]+)", _organization),
    ("/orgs/(?P<login>[^/]+)/issue-types", _issue_types),
    ("/(?:users|orgs)/(?P<login>[^/]+)/repos", _repositories_of),
)
_REPO_ROUTES: Final = (
    ("", _repository),
    ("/branches", _branches),
    ("/tags", _tags),
    ("/labels", _labels),
    ("/contents/?", _contents),
    ("/contents/(?P<path>.+)", _contents),
    ("/commits", _commits),
    ("/commits/(?P<revision>.+)", _commit),
    (r"/compare/(?P<base>.+?)\.\.\.(?P<head>.+)", _comparison),
    ("/pulls", _pulls),
    (f"/pulls/{_NUMBER}", _pull),
    (f"/pulls/{_NUMBER}/commits", _pull_commits),
    (f"/pulls/{_NUMBER}/reviews", _reviews),
    ("/issues", _issues),
    (f"/issues/{_NUMBER}", _issue),
    ("/deployments", _deployments),
    (f"/deployments/{_NUMBER}", _deployment),
    (f"/deployments/{_NUMBER}/statuses", _statuses),
    ("/environments", _environments),
    ("/releases", _releases),
    ("/actions/workflows", _workflows),
    ("/actions/workflows/(?P<workflow>[^/]+)/runs", _runs_of),
    ("/actions/runs", _runs),
    (f"/actions/runs/{_NUMBER}", _run),
    (rf"/actions/runs/{_NUMBER}/attempts/(?P<attempt>\d+)", _attempt),
    (f"/actions/runs/{_NUMBER}/jobs", _jobs),
    (rf"/actions/runs/{_NUMBER}/attempts/(?P<attempt>\d+)/jobs", _jobs),
)
