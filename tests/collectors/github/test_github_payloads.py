"""Parsers held to answers that GitHub really gave, recorded in ../shared/payloads.

Those of REST are put into the shape that GraphQL gives, field by field, where that is what the
parsers read. `dora_value` is what they should make of them.
"""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.deployment_builder import (
    build_deployment,
    build_job_deployment,
    build_run,
    is_completed,
    is_of,
)
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.record_builder import build_change
from vpemetrics.collectors.github.repository import Naming
from vpemetrics.records import Deployment, Run, Status
from vpemetrics.rules import Rules

FOLDER = Path(__file__).parents[4] / "shared" / "payloads"

pytestmark = [
    pytest.mark.needs_shared_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no ../shared/payloads beside the repository"),
]

RESULTS = {
    "success": "success",
    "failure": "failure",
    "cancelled": "failure",
    "timed_out": "failure",
    "startup_failure": "failure",
}


def naming(name: str) -> Naming:
    return Naming(known=name, current=name, authors=GitAuthors(Rules()))


@cache
def payloads(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["payload"] for line in lines]


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figures(name: str, metric: str) -> list[dict[str, Any]]:
    said = json.loads((FOLDER / name / "expected.json").read_text(encoding="utf-8"))
    return [one for one in said["figures"] if one["metric"] == metric]


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def asked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded deployment as our query gives it."""
    statuses = (payload.get("Statuses") or {}).get("nodes") or ()
    latest = payload["LatestStatus"]
    if not statuses and latest["State"] == "SUCCESS":  # one of those that were not asked for
        statuses = [{"state": "SUCCESS", "updatedAt": latest["updatedAt"]}]
    return {
        "id": payload["Id"],
        "databaseId": payload["DatabaseId"],
        "environment": payload["Environment"],
        "task": payload["Task"],
        "state": payload["State"],
        "createdAt": payload["CreatedAt"],
        "updatedAt": payload["UpdatedAt"],
        "commitOid": payload["CommitOid"],
        "statuses": {
            "nodes": [{"state": one["state"], "createdAt": one["updatedAt"]} for one in statuses]
        },
    }


@cache
def deployments() -> dict[str, Deployment]:
    found = {}
    for payload in payloads("github-deployments/raw"):
        made = build_deployment(asked(payload), Rule(), naming("facebook/OpenBIC"))
        assert made is not None
        found[payload["Id"]] = made
    return found


def test_deployments_finish_with_their_first_success() -> None:
    expected = {
        one["deployment_id"]: instant(one["dora_value"])
        for one in figures("github-deployments", "deployment_finished_at")
    }

    assert {key: one.finished_at for key, one in deployments().items()} == expected
    assert len(expected) == 7


def test_deployments_that_were_replaced_succeeded() -> None:
    expected = {one["deployment_id"] for one in figures("github-deployments", "deployment_result")}

    succeeded = {k for k, one in deployments().items() if one.status is Status.SUCCEEDED}
    assert succeeded == expected


def test_deployments_are_of_the_commits_they_name() -> None:
    expected = {
        one["deployment_id"]: (one["environment"], one["commit_sha"])
        for one in rows("github-deployments/expected_rows")
    }

    found = {key: (one.environment, one.commit_sha) for key, one in deployments().items()}
    assert found == expected


def runs() -> dict[int, Run]:
    return {
        one["id"]: build_run(one, naming("panjf2000/ants")) for one in payloads("github-rest/runs")
    }


def test_runs_start_with_their_attempt() -> None:
    expected = {
        one["run_id"]: instant(one["dora_value"])
        for one in figures("github-rest", "run_started_at")
    }

    found = runs()
    assert {key: found[key].started_at for key in expected} == expected
    assert len(found) == 35


def test_runs_last_from_that_start_to_their_end() -> None:
    expected = {one["run_id"]: one["dora_value"] for one in figures("github-rest", "run_duration")}

    found = {
        key: (run.finished_at - run.started_at).total_seconds()
        for key, run in runs().items()
        if key in expected and run.started_at and run.finished_at
    }
    going_on = {key for key, run in runs().items() if run.finished_at is None}
    assert found == {key: value for key, value in expected.items() if key not in going_on}
    assert len(found) >= 12


def test_runs_have_the_outcome_that_github_concluded() -> None:
    expected = Counter(one["result"] for one in rows("github-rest/expected_runs"))

    assert Counter(RESULTS.get(one.outcome, "") for one in runs().values()) == expected


def test_runs_are_of_the_workflow_that_is_named() -> None:
    (expected,) = figures("github-rest", "deployments_if_workflow_matches_CodeQL")

    rule = Rule(kind="workflow", workflow="CodeQL*")
    assert sum(is_of(one, rule) for one in payloads("github-rest/runs")) == expected["dora_value"]


def test_jobs_deploy_by_their_name() -> None:
    rule = Rule(kind="workflow", workflow="*", job="deploywindows")
    found = [
        made
        for one in payloads("github-rest/jobs")
        if (made := build_job_deployment(one, {}, rule, naming("panjf2000/ants")))
    ]

    expected = [one for one in rows("github-rest/expected_jobs") if one["name"] == rule.job]
    assert [one.id for one in found] == [f"job:{one['job_id']}" for one in expected]
    assert [one.started_at for one in found] == [instant(one["started_at"]) for one in expected]


def test_jobs_that_go_on_are_told_from_those_that_ended() -> None:
    expected = {one["job_id"] for one in rows("github-rest/expected_jobs") if one["result"]}

    ended = {str(one["id"]) for one in payloads("github-rest/jobs") if is_completed(one)}
    assert expected <= ended


def graphql(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded pull request of REST as our query gives it."""
    user = payload["user"] or {}
    merged = payload["merged_at"] is not None
    return {
        "id": payload["node_id"],
        "number": payload["number"],
        "title": payload["title"],
        "body": payload["body"],
        "url": payload["html_url"],
        "isDraft": payload["draft"],
        "createdAt": payload["created_at"],
        "updatedAt": payload["updated_at"],
        "mergedAt": payload["merged_at"],
        "closedAt": payload["closed_at"],
        "baseRefName": payload["base"]["ref"],
        "headRefName": payload["head"]["ref"],
        "author": {"__typename": user.get("type"), "login": user.get("login")},
        # GraphQL has no test merge of what is not merged.
        "mergeCommit": {"oid": payload["merge_commit_sha"]} if merged else None,
    }


def test_pull_requests_are_as_recorded() -> None:
    found = {
        one["number"]: build_change(graphql(one), naming("panjf2000/ants")).change
        for one in payloads("github-rest/pull_requests")
    }

    (count,) = figures("github-rest", "pull_requests")
    assert len(found) == count["dora_value"]
    for row in rows("github-rest/expected_pull_requests"):
        change = found[int(row["number"])]
        assert (change.author, change.base_branch, change.head_branch) == (
            row["author"],
            row["base_ref"],
            row["head_ref"],
        )
        assert change.merged_at == instant(row["merged_at"])
        assert change.merge_commit_sha == (row["merge_commit_sha"] if row["merged_at"] else None)
