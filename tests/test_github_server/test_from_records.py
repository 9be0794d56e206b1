"""A GitHub made of records: what the collector's parsers read there are those records again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from builders import at, commit
from github_server.execution import execute, read_query
from github_server.from_records import world_of
from github_server.rest import rest
from github_server.world import Repo, World
from sample import records

from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.deployment_builder import build_deployment, build_run
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.queries import DEPLOYMENTS, HISTORY, ISSUES, PULLS
from vpemetrics.collectors.github.record_builder import build_change, build_commit, build_incident
from vpemetrics.collectors.github.repository import Naming
from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Repository,
    Run,
    Status,
)
from vpemetrics.rules import Rules

SAME = (
    "number",
    "title",
    "created_at",
    "ready_at",
    "first_review_at",
    "approved_at",
    "merged_at",
    "closed_at",
    "merge_commit_sha",
    "commit_shas",
    "base_branch",
    "head_branch",
    "additions",
    "deletions",
    "labels",
    "reverts",
)
"""What of a pull request GitHub tells as records do."""


@pytest.fixture(scope="module")
def told() -> list[AnyRecord]:
    return list(records())


@pytest.fixture(scope="module")
def world(told: list[AnyRecord]) -> World:
    return world_of(told)


def nodes(repo: Repo, text: str, *path: str, **variables: Any) -> Iterator[Any]:
    """All that the pages of a query hold."""
    after = None
    while True:
        asked = {"id": repo.id, "first": 50, "after": after, **variables}
        answer = execute(read_query(text, asked), repo.world)
        assert "errors" not in answer
        page = answer["data"]["node"]
        for name in path:
            page = page[name]
        yield from page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return


def naming(repo: Repo) -> Naming:
    return Naming(known=repo.full_name, current=repo.full_name, authors=GitAuthors(Rules()))


def pulls(repo: Repo) -> dict[str, Change]:
    found = (
        build_change(one, naming(repo)).change for one in nodes(repo, PULLS.text, "pullRequests")
    )
    return {one.id: one for one in found}


def deployed(repo: Repo, rule: Rule) -> list[Deployment]:
    every = nodes(repo, DEPLOYMENTS.text, "deployments")
    found = (build_deployment(one, rule, naming(repo)) for one in every)
    return [one for one in found if one]


def of(told: Sequence[AnyRecord], repo: Repo, kind: type[Any]) -> list[Any]:
    return [
        one
        for one in told
        if isinstance(one, kind) and getattr(one, "repository", None) == repo.full_name
    ]


def repositories(world: World, told: Sequence[AnyRecord]) -> list[Repo]:
    names = [one.name for one in told if isinstance(one, Repository)]
    assert len(names) > 1
    return [world.repository(name) for name in names]


def test_the_history_of_the_default_branch_comes_out_as_it_was(
    told: list[AnyRecord], world: World
) -> None:
    for repo in repositories(world, told):
        known = {one.sha: one for one in of(told, repo, Commit)}
        authors = GitAuthors(Rules())
        found = [
            build_commit(one, repo.full_name, authors)
            for one in nodes(repo, HISTORY.text, "object", "history", oid=repo.tip)
        ]

        assert len(found) > 100
        joined = {one.merge_commit_sha for one in of(told, repo, Change)} - {None}
        assert joined <= {one.sha for one in found}
        for one in found:
            was = known[one.sha]
            assert one.parents == was.parents
            assert (one.authored_at, one.committed_at) == (was.authored_at, was.committed_at)
            assert one.reverts_sha == was.reverts_sha
            assert (one.author_kind or AuthorKind.PERSON) == (was.author_kind or AuthorKind.PERSON)


def test_pull_requests_come_out_as_they_were(told: list[AnyRecord], world: World) -> None:
    closing = 0
    merges = {one.sha for one in told if isinstance(one, Commit) and len(one.parents) > 1}

    def is_no_merge(sha: str) -> bool:
        return sha not in merges

    for repo in repositories(world, told):
        found, known = pulls(repo), of(told, repo, Change)
        assert found.keys() == {one.id for one in known}
        for was in known:
            one = found[was.id]
            expected = {name: getattr(was, name) for name in SAME}
            expected["title"] = was.title or was.head_branch  # GitHub wants a title
            expected["commit_shas"] = tuple(filter(is_no_merge, was.commit_shas))
            assert {name: getattr(one, name) for name in SAME} == expected
            assert (one.author_kind or AuthorKind.PERSON) == (was.author_kind or AuthorKind.PERSON)
            incidents = [each for each in one.closes if each.startswith("example/incidents#")]
            assert len(incidents) == len(was.closes)
            closing += len(incidents)
            if was.merged_at:
                assert one.first_commit_at == was.first_commit_at

    assert closing


def outcome(one: Deployment, service: str | None) -> tuple[Any, ...]:
    ended = {Status.ROLLED_BACK: Status.FAILED}.get(one.status, one.status)
    began = one.started_at
    commit = one.commit_sha or "unknown"
    return (service, one.environment, ended, began, one.finished_at, bool(one.rollback), commit)


def test_deployments_come_out_as_they_were(told: list[AnyRecord], world: World) -> None:
    kinds = set()
    for repo in repositories(world, told):
        known = of(told, repo, Deployment)
        shas = {one.sha for one in of(told, repo, Commit)}
        found = (
            replace(one, commit_sha=one.commit_sha if one.commit_sha in shas else None)
            for one in deployed(repo, Rule())
        )
        (service,) = {one.service for one in known}

        assert sorted(map(str, (outcome(one, service) for one in found))) == sorted(
            str(outcome(one, service)) for one in known
        )
        kinds |= {one.status for one in known}

    assert {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED} <= kinds


def test_incidents_are_issues_that_end_when_the_trouble_does(
    told: list[AnyRecord], world: World
) -> None:
    repo = world.repository("example/incidents")
    known = {one.title or one.id: one for one in told if isinstance(one, Incident)}
    found = [
        build_incident(one, ["incident"], naming(repo))
        for one in nodes(repo, ISSUES.text, "issues", labels=["incident"])
    ]
    deployments = {one.id: one for one in told if isinstance(one, Deployment)}

    assert {one.title for one in found} == set(known)
    for one in found:
        was = known[one.title or ""]
        over: datetime | None = was.mitigated_at or was.resolved_at
        assert (one.detected_at, one.resolved_at) == (was.detected_at, over)
        assert (one.service, one.severity) == (was.service, was.severity)
        assert one.cause_change == was.cause_change
        cause = deployments.get(was.cause_deployment or "")
        assert one.cause_sha == (cause.commit_sha if cause else was.cause_sha)


def test_runs_come_out_as_they_were(told: list[AnyRecord], world: World) -> None:
    for repo in repositories(world, told):
        known = of(told, repo, Run)
        path, query, headers = (
            f"/repos/{repo.full_name}/actions/runs",
            {"per_page": "100"},
            {"host": "localhost"},
        )
        count = rest(world, "GET", path, query, headers).body["total_count"]
        every = [
            build_run(one, naming(repo))
            for page in range(1, count // 100 + 2)
            for one in rest(world, "GET", path, {**query, "page": str(page)}, headers).body[
                "workflow_runs"
            ]
        ]

        assert sorted(map(ran, every)) == sorted(map(ran, known))


def ran(one: Run) -> tuple[str, ...]:
    told = (one.commit_sha, one.name, one.outcome, one.attempt, one.started_at, one.finished_at)
    return tuple(map(str, told))


def test_the_services_of_one_repository_have_environments_of_their_own() -> None:
    world = world_of(
        [
            commit("a" * 40, repository="acme/shop"),
            deployment("cart/1", "cart", "staging", "Mon 10:00"),
            deployment("cart/2", "cart", "production", "Mon 11:00"),
            deployment("search/1", "search", "production", "Mon 12:00"),
        ]
    )
    shop = world.repository("acme/shop")
    rule = Rule(environment="(?P<service>.+)/(?P<environment>.+)")

    assert list(shop.environments) == ["cart/staging", "cart/production", "search/production"]
    assert [(one.service, one.environment) for one in deployed(shop, rule)] == [
        ("search", "production"),
        ("cart", "production"),
        ("cart", "staging"),
    ]
    assert {one.state for one in shop.deployments.values()} == {"ACTIVE"}  # no one's successor


def deployment(id_: str, service: str, environment: str, when: str) -> Deployment:
    return Deployment(
        id=id_,
        service=service,
        repository="acme/shop",
        environment=environment,
        status=Status.SUCCEEDED,
        commit_sha="a" * 40,
        finished_at=at(when),
    )


def test_a_further_attempt_belongs_to_the_run_before_it() -> None:
    first = Run(
        id="1",
        repository="acme/shop",
        name="CI",
        attempt=1,
        commit_sha="a",
        outcome="failure",
        started_at=at("Mon 10:00"),
        finished_at=at("Mon 10:10"),
    )
    second = replace(
        first,
        id="2",
        attempt=2,
        outcome="success",
        started_at=at("Mon 11:00"),
        finished_at=at("Mon 11:10"),
    )
    other = replace(first, id="3", started_at=at("Mon 12:00"))
    shop = world_of([other, second, first]).repository("acme/shop")

    assert [[one.conclusion for one in run.attempts] for run in shop.runs.values()] == [
        ["failure", "success"],
        ["failure"],
    ]


def test_a_branch_named_like_ours_came_from_a_fork() -> None:
    change = Change(
        id="acme/shop#1",
        repository="acme/shop",
        number=1,
        head_branch="main",
        created_at=at("Mon 10:00"),
        commit_shas=("f",),
    )
    shop = world_of([commit("a", repository="acme/shop"), change]).repository("acme/shop")

    assert (shop.tip, shop.pulls[1].head_repo) == ("a", None)


def test_former_names_lead_to_the_repository() -> None:
    world = world_of([Repository(id="1", name="acme/shop", aliases=("acme/old",))])

    assert world.find("acme/old") is world.find("acme/shop") is not None
