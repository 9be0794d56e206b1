"""Deployments and runs, in tables of small payloads in the shape of GitHub's."""

from typing import Any

import pytest
from github_nodes import NAMING, SHA, at, moment

from vpemetrics.collectors.github.deployment_builder import (
    GitHubTag,
    build_deployment,
    build_job_deployment,
    build_merge_deployment,
    build_release_deployment,
    build_run,
    build_run_deployment,
    build_tag_deployment,
    is_of,
    may_reach_production,
    parse_tag,
)
from vpemetrics.collectors.github.options import Rule
from vpemetrics.records import Change, Status


def deployed(states: list[tuple[str, int]], **fields: Any) -> dict[str, Any]:
    told = [{"state": state, "createdAt": at(hour)} for state, hour in reversed(states)]
    return {
        "id": "DE_1",
        "databaseId": 1,
        "environment": "production",
        "task": "deploy",
        "createdAt": at(1),
        "commitOid": SHA,
        "state": states[-1][0] if states else "PENDING",
        "statuses": {"nodes": told},
        **fields,
    }


@pytest.mark.parametrize(
    ("states", "status", "started", "finished"),
    [
        ([("QUEUED", 1), ("IN_PROGRESS", 2), ("SUCCESS", 3)], Status.SUCCEEDED, 2, 3),
        ([("SUCCESS", 3), ("INACTIVE", 9)], Status.SUCCEEDED, 1, 3),  # replaced
        ([("SUCCESS", 3), ("SUCCESS", 5)], Status.SUCCEEDED, 1, 3),
        ([("FAILURE", 3), ("SUCCESS", 5)], Status.SUCCEEDED, 1, 5),
        ([("SUCCESS", 3), ("FAILURE", 5)], Status.SUCCEEDED, 1, 3),
        ([("SUCCESS", 3), ("IN_PROGRESS", 5)], Status.SUCCEEDED, 1, 3),  # tried again
        ([("IN_PROGRESS", 2), ("FAILURE", 3)], Status.FAILED, 2, 3),
        ([("ERROR", 3), ("INACTIVE", 4)], Status.FAILED, 1, 3),
        ([("IN_PROGRESS", 2), ("INACTIVE", 4)], Status.CANCELLED, 2, 4),
        ([("INACTIVE", 4)], Status.CANCELLED, 1, 4),
        ([("WAITING", 2)], Status.IN_PROGRESS, 1, None),
        ([], Status.IN_PROGRESS, 1, None),
    ],
)
def test_a_deployment_finishes_with_its_first_success(
    states: list[tuple[str, int]], status: Status, started: int, finished: int | None
) -> None:
    node = deployed(states)
    found = build_deployment(node, Rule(), NAMING)

    assert found
    assert (found.status, found.started_at) == (status, moment(started))
    assert found.finished_at == (moment(finished) if finished else None)


@pytest.mark.parametrize(
    ("rule", "environment", "expected"),
    [
        (Rule(), "live", (None, "live")),
        (Rule(service="cart"), "live", ("cart", "live")),
        (Rule(environment="prod*"), "prod-eu", (None, "prod-eu")),
        (Rule(environment="prod*"), "live", None),
        (Rule(environment=r"(?P<service>\w+)-(?P<environment>\w+)"), "a-live", ("a", "live")),
        (Rule(environment=r"(?P<service>\w+)-live"), "a-live", ("a", "a-live")),
        (Rule(environment=r"(?P<service>\w+)-live"), "a-test", None),
    ],
)
def test_rules_tell_service_and_environment(
    rule: Rule, environment: str, expected: tuple[str | None, str] | None
) -> None:
    found = build_deployment(deployed([], environment=environment), rule, NAMING)

    assert (found and (found.service, found.environment)) == expected


@pytest.mark.parametrize(
    ("task", "rollback"), [("deploy", None), ("deploy:blue", None), ("rollback", True)]
)
def test_tasks_that_deploy_are_taken(task: str, rollback: bool | None) -> None:
    found = build_deployment(deployed([], task=task), Rule(), NAMING)

    assert found
    assert found.rollback is rollback


def test_other_tasks_are_left_out() -> None:
    assert build_deployment(deployed([], task="migrate"), Rule(), NAMING) is None


@pytest.mark.parametrize(
    ("fields", "rule", "expected"),
    [
        ({}, Rule(kind="releases"), True),
        ({"isDraft": True}, Rule(kind="releases"), False),
        ({"publishedAt": None}, Rule(kind="releases"), False),
        ({"isPrerelease": True}, Rule(kind="releases"), False),
        ({"isPrerelease": True}, Rule(kind="releases", tags=("cart/*",)), True),
        ({"tagName": "v1.0.0-rc1"}, Rule(kind="releases"), False),
        ({"tagName": "latest"}, Rule(kind="releases"), False),
        ({"tagName": "latest"}, Rule(kind="releases", tags=("latest",)), True),
    ],
)
def test_published_releases_are_deployments(
    fields: dict[str, Any], rule: Rule, expected: bool
) -> None:
    node = {"id": "RE_1", "databaseId": 5, "tagName": "cart/v1.0", "publishedAt": at(3)}
    found = build_release_deployment({**node, "tagCommit": {"oid": SHA}, **fields}, rule, NAMING)

    assert (found is not None) == expected
    if not fields:
        assert found
        assert (found.id, found.service, found.finished_at) == ("release:5", "cart", moment(3))


@pytest.mark.parametrize(
    ("name", "rule", "expected"),
    [
        ("v1.0", Rule(kind="tags"), (None, None, True)),
        ("web/v1.0", Rule(kind="tags"), ("web", True, True)),
        ("web/v1.0", Rule(kind="tags", tags=("web/*",)), ("web", True, False)),
        ("web/v1.0", Rule(kind="tags", service="web"), ("web", None, True)),  # somebody said so
    ],
)
def test_a_version_tells_how_it_and_its_service_were_chosen(
    name: str, rule: Rule, expected: tuple[str | None, bool | None, bool]
) -> None:
    node = {"id": "RE_1", "databaseId": 5, "tagName": name, "publishedAt": at(3)}
    tag = GitHubTag(name, SHA, moment(1), light=True, title=None)
    made = build_release_deployment({**node, "tagCommit": {"oid": SHA}}, rule, NAMING)

    for one in (made, build_tag_deployment(tag, rule, NAMING)):
        assert one
        assert (one.service, one.service_by_name, one.chosen_by_name) == expected


@pytest.mark.parametrize(
    ("name", "rule", "expected"),
    [
        ("v1.0", Rule(kind="tags"), "production"),
        ("staging/v1.0", Rule(kind="tags"), "staging"),
        ("prod/v1.0", Rule(kind="tags"), "production"),
        ("staging/v1.0", Rule(kind="tags", environment="live"), "live"),
        ("staging/v1.0", Rule(kind="tags", tags=("staging/*",)), "production"),  # as was said
    ],
)
def test_a_tag_may_name_its_environment(name: str, rule: Rule, expected: str) -> None:
    made = build_tag_deployment(
        GitHubTag(name, SHA, moment(1), light=True, title=None), rule, NAMING
    )

    assert made
    assert (made.environment, made.service) == (expected, None)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"__typename": "Commit", "oid": SHA, "committedDate": at(2)}, 2),
        (
            {
                "__typename": "Tag",
                "oid": "t" * 40,
                "tagger": {"date": at(4)},
                "target": {"__typename": "Commit", "oid": SHA, "committedDate": at(2)},
            },
            4,
        ),
        (
            {
                "__typename": "Tag",
                "oid": "t" * 40,
                "tagger": None,
                "target": {"__typename": "Commit", "oid": SHA, "committedDate": at(2)},
            },
            2,
        ),
        (
            {
                "__typename": "Tag",
                "oid": "t" * 40,
                "tagger": {"date": at(5)},
                "target": {  # a tag of a tag
                    "__typename": "Tag",
                    "oid": "s" * 40,
                    "target": {"__typename": "Commit", "oid": SHA, "committedDate": at(2)},
                },
            },
            5,
        ),
        ({"__typename": "Tree", "oid": SHA}, None),
    ],
)
def test_tags_are_made_when_they_or_their_commits_were(
    target: dict[str, Any], expected: int | None
) -> None:
    found = parse_tag({"name": "v1.0", "target": target})

    if expected is None:
        assert found is None
        return
    assert found
    made = build_tag_deployment(found, Rule(kind="tags"), NAMING)
    assert made
    assert (made.commit_sha, made.finished_at) == (SHA, moment(expected))


@pytest.mark.parametrize(
    ("merged", "base", "expected"), [(5, "main", 5), (5, "release", None), (None, "main", None)]
)
def test_merges_to_the_default_branch_are_deployments(
    merged: int | None, base: str, expected: int | None
) -> None:
    merged_at = moment(merged) if merged else None
    change = Change(id="a/b#1", repository="a/b", merged_at=merged_at, base_branch=base)
    found = build_merge_deployment(change, "main", Rule(kind="merges", environment="live"))

    assert (found and found.finished_at) == (moment(expected) if expected else None)


def run(**fields: Any) -> dict[str, Any]:
    return {
        "id": 9,
        "name": "Ship it",
        "path": ".github/workflows/ship.yml",
        "status": "completed",
        "conclusion": "success",
        "created_at": at(1),
        "run_started_at": at(3),
        "updated_at": at(4),
        "run_attempt": 2,
        "head_sha": SHA,
        **fields,
    }


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        ("Ship it", True),
        ("ship*", True),
        ("ship.yml", True),
        (".github/workflows/ship.yml", True),
        ("CI", False),
    ],
)
def test_workflows_are_named_by_name_or_file(workflow: str, expected: bool) -> None:
    assert is_of(run(), Rule(kind="workflow", workflow=workflow)) is expected


@pytest.mark.parametrize(
    ("event", "branch", "expected"),
    [
        ("push", "main", True),
        ("workflow_dispatch", "main", True),
        ("schedule", "main", True),
        ("push", "v1.2.0", True),  # a tag
        ("release", "v1.2.0", True),
        ("push", "master", True),  # as the default branch may have been called
        ("push", "v1.2.0-rc1", False),
        ("push", "hotfix/login", True),  # as the rule says
        ("workflow_dispatch", "feature", False),
        ("push", "gh-readonly-queue/main/pr-7-abc", False),
        ("merge_group", "gh-readonly-queue/main/pr-7-abc", False),
        ("pull_request", "main", False),  # of somebody's fork
        ("pull_request", "v1.2.0", False),
        ("pull_request_target", "main", False),
        ("deployment", None, True),
    ],
)
def test_runs_for_pull_requests_and_other_branches_deploy_nothing(
    event: str, branch: str | None, expected: bool
) -> None:
    rule = Rule(kind="workflow", workflow="deploy.yml", branches=("hotfix/*",))

    assert may_reach_production(run(event=event, head_branch=branch), rule, "main") is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Status.SUCCEEDED),
        ({"conclusion": "failure"}, Status.FAILED),
        ({"conclusion": "cancelled"}, Status.CANCELLED),
        ({"conclusion": "skipped"}, Status.SKIPPED),
        ({"conclusion": "anything new"}, Status.CANCELLED),
        ({"status": "in_progress", "conclusion": None}, Status.IN_PROGRESS),
    ],
)
def test_runs_deploy_as_they_end(fields: dict[str, Any], expected: Status) -> None:
    found = build_run_deployment(run(**fields), Rule(kind="workflow", workflow="*"), NAMING)

    assert (found.id, found.status, found.started_at) == ("run:9.2", expected, moment(3))
    assert (found.finished_at is None) == (expected is Status.IN_PROGRESS)
    assert build_run(run(**fields), NAMING).attempt == 2


def test_a_skipped_job_is_a_failed_attempt() -> None:
    rule = Rule(kind="workflow", workflow="*", job="to (?P<environment>.+)")
    job = {"id": 3, "name": "to live", "status": "completed", "conclusion": "skipped"}
    found = build_job_deployment(job, run(), rule, NAMING)

    assert found
    assert (found.environment, found.status, found.commit_sha) == ("live", Status.SKIPPED, SHA)
    assert build_job_deployment({**job, "name": "lint"}, run(), rule, NAMING) is None


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            {
                "name": "v1.0",
                "target": {
                    "__typename": "Commit",
                    "oid": SHA,
                    "committedDate": at(2),
                    "messageHeadline": "Release 1.0",
                },
            },
            (True, True),
        ),
        (
            {
                "name": "v1.0",
                "target": {
                    "__typename": "Tag",
                    "tagger": {"date": at(4)},
                    "target": {
                        "__typename": "Commit",
                        "oid": SHA,
                        "committedDate": at(2),
                        "messageHeadline": "Mend the cart",
                    },
                },
            },
            (False, False),
        ),
    ],
)
def test_a_tag_tells_if_it_is_light_and_if_its_commit_names_it(
    node: dict[str, Any], expected: tuple[bool, bool]
) -> None:
    tag = parse_tag(node)
    assert tag
    made = build_tag_deployment(tag, Rule(kind="tags"), NAMING)

    assert made
    assert (made.light_tag, made.release_commit) == expected


def test_a_release_has_a_time_of_its_own_and_its_commit_may_name_it() -> None:
    commit = {"oid": SHA, "messageHeadline": "Release 1.0 (#7)"}
    node = {"databaseId": 5, "tagName": "v1.0", "publishedAt": at(3), "tagCommit": commit}

    made = build_release_deployment(node, Rule(kind="releases"), NAMING)

    assert made
    assert (made.light_tag, made.release_commit) == (False, True)
