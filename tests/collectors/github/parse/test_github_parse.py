"""What GitHub's answers become, in tables of small payloads in their shape."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vpemetrics.collectors.base import bot_test
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.parse.deployments import parse_deployment
from vpemetrics.collectors.github.parse.issues import parse_issue
from vpemetrics.collectors.github.parse.naming import Naming
from vpemetrics.collectors.github.parse.pulls import parse_pull
from vpemetrics.collectors.github.parse.releases import (
    merge_deployment,
    parse_release,
    parse_tag,
    tag_deployment,
)
from vpemetrics.collectors.github.parse.runs import (
    is_of,
    job_deployment,
    parse_run,
    run_deployment,
)
from vpemetrics.collectors.github.parse.texts import (
    Cause,
    named_in,
    reverted_in,
    root_cause,
    services,
    severity,
)
from vpemetrics.records import Change, Status

NAMING = Naming(
    known="acme/shop",
    current="Acme/store",
    is_bot=bot_test(["robot"]),
    others={"acme/store": "acme/shop", "acme/desk": "acme/incidents"},
)
SHA = "4f2c9e1" + "0" * 33


def at(hour: int) -> str:
    return f"2026-03-02T{hour:02d}:00:00Z"


def moment(hour: int) -> datetime:
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fixes #12", ("acme/shop#12",)),
        ("closes acme/desk#7 and #12, #12 again", ("acme/incidents#7", "acme/shop#12")),
        ("See https://github.com/acme/desk/issues/7#issuecomment-1", ("acme/incidents#7",)),
        ("See https://github.com/Acme/Store/pull/3", ("acme/shop#3",)),
        ("GH-5", ("acme/shop#5",)),
        ("<!-- e.g. Fixes #1 -->Fixes #2", ("acme/shop#2",)),
        ("<!-- never closed: #1", ()),
        ("colour &#39; anchor /page#12 word#3 ##4", ()),
        ("", ()),
    ],
)
def test_texts_name_issues_and_pull_requests(text: str, expected: tuple[str, ...]) -> None:
    assert named_in(text, NAMING) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Reverts Acme/store#12", ("acme/shop#12",)),  # as GitHub's button writes it
        ("Reverts acme/shop#12\r\n\r\nIt broke.", ("acme/shop#12",)),  # before the rename
        ("Reverts #12", ("acme/shop#12",)),
        ("Reverts other/place#12", ()),
        ("It reverts #12", ()),
    ],
)
def test_bodies_of_reverts_name_what_they_revert(body: str, expected: tuple[str, ...]) -> None:
    assert reverted_in(body, NAMING) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f"Down.\n\nroot cause: {SHA}"], Cause(sha=SHA)),
        (["**Root cause:** 4f2c9e1, see the logs"], Cause(sha="4f2c9e1")),
        (["- Root-cause - #12"], Cause(change="acme/shop#12")),
        ([f"root cause: https://github.com/acme/store/commit/{SHA}"], Cause(sha=SHA)),
        (["root cause: https://github.com/acme/store/pull/9"], Cause(change="acme/shop#9")),
        (["root cause: #1", "root cause: #2"], Cause(change="acme/shop#2")),  # the last says
        (["root cause: #1", "root cause: not known yet"], Cause(change="acme/shop#1")),
        (["The root cause is #1"], None),
        (["<!-- root cause: #1 -->"], None),
        ([], None),
    ],
)
def test_texts_name_root_causes(texts: list[str], expected: Cause | None) -> None:
    assert root_cause(texts, NAMING) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["sev1"], 1), (["SEV-2", "sev3"], 2), (["severity: 4"], 4), (["several"], None), ([], None)],
)
def test_labels_tell_the_severity(labels: list[str], expected: int | None) -> None:
    assert severity(labels) == expected


def test_labels_name_services() -> None:
    assert services(["service: cart", "Service/mail", "bug"]) == ("cart", "mail")


def pull(**fields: Any) -> Change:
    node = {"number": 12, "createdAt": at(1), "author": user("ada"), **fields}
    return parse_pull(node, NAMING).change


def user(login: str, kind: str = "User") -> dict[str, str]:
    return {"__typename": kind, "login": login}


def review(hour: int, by: dict[str, str] | None, state: str = "COMMENTED") -> dict[str, Any]:
    kind = "PullRequestReview"
    return {"__typename": kind, "state": state, "submittedAt": at(hour), "author": by}


def event(kind: str, hour: int, **fields: Any) -> dict[str, Any]:
    return {"__typename": kind, "createdAt": at(hour), **fields}


@pytest.mark.parametrize(
    ("events", "is_draft", "expected"),
    [
        ([], False, 1),  # never a draft
        ([], True, None),
        ([event("ReadyForReviewEvent", 3)], False, 3),
        ([event("ConvertToDraftEvent", 2), event("ReadyForReviewEvent", 4)], False, 4),
        ([event("ReadyForReviewEvent", 3), event("ConvertToDraftEvent", 4)], True, None),
    ],
)
def test_a_pull_request_is_ready_when_it_last_stopped_being_a_draft(
    events: list[dict[str, Any]], is_draft: bool, expected: int | None
) -> None:
    found = pull(isDraft=is_draft, timelineItems={"nodes": events}).ready_at

    assert found == (None if expected is None else moment(expected))


@pytest.mark.parametrize(
    ("reviews", "first", "approved"),
    [
        ([review(2, user("ada")), review(3, user("bob"))], 3, None),  # not by the author
        ([review(2, user("ci", "Bot")), review(3, user("robot"))], None, None),
        ([review(2, None)], 2, None),  # by somebody who is gone
        ([review(2, user("bob")), review(4, user("eve"), "APPROVED")], 2, 4),
        ([review(2, user("bob"), "DISMISSED")], 2, None),
        ([review(2, user("bob"), "PENDING")], None, None),
        ([{**review(2, user("bob")), "submittedAt": None}], None, None),
    ],
)
def test_the_first_review_is_by_another_person(
    reviews: list[dict[str, Any]], first: int | None, approved: int | None
) -> None:
    found = pull(timelineItems={"nodes": reviews})

    assert found.first_review_at == (moment(first) if first else None)
    assert found.approved_at == (moment(approved) if approved else None)


def test_labels_are_those_it_has_in_the_end() -> None:
    events = [
        event("LabeledEvent", 2, label={"name": "bug"}),
        event("LabeledEvent", 3, label={"name": "hotfix"}),
        event("UnlabeledEvent", 4, label={"name": "bug"}),
        event("LabeledEvent", 5, label=None),  # of a label that is gone
    ]

    assert pull(timelineItems={"nodes": events}).labels == ("hotfix",)


def test_incidents_are_closed_by_name_or_by_a_link() -> None:
    linked = {"number": 7, "repository": {"nameWithOwner": "acme/desk"}}
    other = {"number": 8, "repository": {"nameWithOwner": "acme/store"}}
    events = [
        event("ConnectedEvent", 2, subject=linked),
        event("ConnectedEvent", 3, subject=other),
        event("DisconnectedEvent", 4, subject=other),
        event("ConnectedEvent", 5, subject={}),  # a pull request
    ]

    found = pull(title="Mend #3", body="See #12, fixes #4", timelineItems={"nodes": events})
    assert found.closes == ("acme/shop#3", "acme/shop#4", "acme/incidents#7")


@pytest.mark.parametrize(
    ("author", "login", "is_bot"),
    [
        (user("ada"), "ada", False),
        (user("dependabot", "Bot"), "dependabot[bot]", True),
        (user("robot"), "robot", True),  # configured
        (None, None, None),  # a ghost
    ],
)
def test_the_author_tells_bots(author: Any, login: str | None, is_bot: bool | None) -> None:
    found = pull(author=author)

    assert (found.author, found.is_bot) == (login, is_bot)


def test_originals_give_the_first_author_date_and_what_is_lost() -> None:
    commits = [{"oid": SHA, "authoredDate": at(3)}, {"oid": "b" * 40, "authoredDate": at(2)}]
    given = {"totalCount": 300, "nodes": [{"commit": one} for one in commits] + [None]}
    found = parse_pull({"number": 1, "commits": given}, NAMING)

    assert found.change.first_commit_at == moment(2)
    assert found.change.commit_shas == (SHA, "b" * 40)
    assert found.lost == 298


def test_merges_within_a_branch_are_no_originals() -> None:
    commits = [
        {"oid": SHA, "authoredDate": at(3), "message": "Work"},
        {"oid": "b" * 40, "authoredDate": at(2), "message": "Merge branch 'main' into work"},
    ]
    given = {"totalCount": 2, "nodes": [{"commit": one} for one in commits]}
    found = parse_pull({"number": 1, "commits": given}, NAMING)

    assert (found.change.commit_shas, found.lost) == ((SHA,), 0)
    assert found.change.first_commit_at == moment(3)


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
    found = parse_deployment(node, Rule(), NAMING)

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
    found = parse_deployment(deployed([], environment=environment), rule, NAMING)

    assert (found and (found.service, found.environment)) == expected


@pytest.mark.parametrize(
    ("task", "rollback"), [("deploy", None), ("deploy:blue", None), ("rollback", True)]
)
def test_tasks_that_deploy_are_taken(task: str, rollback: bool | None) -> None:
    found = parse_deployment(deployed([], task=task), Rule(), NAMING)

    assert found
    assert found.rollback is rollback


def test_other_tasks_are_left_out() -> None:
    assert parse_deployment(deployed([], task="migrate"), Rule(), NAMING) is None


def issue(**fields: Any) -> dict[str, Any]:
    marked = {"nodes": [{"name": "Incident"}]}
    return {"number": 7, "createdAt": at(1), "updatedAt": at(9), "labels": marked, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"closedAt": at(5)}, 5),
        ({"labels": {"nodes": []}, "timelineItems": {"nodes": []}}, None),
        (
            {
                "labels": {"nodes": [{"name": "bug"}]},
                "timelineItems": {
                    "nodes": [event("UnlabeledEvent", 4, label={"name": "incident"})]
                },
            },
            4,
        ),
    ],
)
def test_an_incident_ends_when_it_is_closed_or_no_incident_any_more(
    fields: dict[str, Any], expected: int | None
) -> None:
    found = parse_issue(issue(**fields), ["incident"], NAMING, ("acme/shop",))

    assert found.detected_at == moment(1)
    assert found.resolved_at == (moment(expected) if expected else None)
    assert found.service == ("acme/shop",)


def test_comments_tell_what_the_text_does_not() -> None:
    told = {"body": "root cause: #1", "comments": {"nodes": [{"body": f"Root cause: {SHA}"}]}}
    found = parse_issue(issue(**told), ["incident"], NAMING)

    assert (found.cause_sha, found.cause_change) == (SHA, None)


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
    found = parse_release({**node, "tagCommit": {"oid": SHA}, **fields}, rule, NAMING)

    assert (found is not None) == expected
    if not fields:
        assert found
        assert (found.id, found.service, found.finished_at) == ("release:5", "cart", moment(3))


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
    made = tag_deployment(found, Rule(kind="tags"), NAMING)
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
    found = merge_deployment(change, "main", Rule(kind="merges", environment="live"))

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
    found = run_deployment(run(**fields), Rule(kind="workflow", workflow="*"), NAMING)

    assert (found.id, found.status, found.started_at) == ("run:9.2", expected, moment(3))
    assert (found.finished_at is None) == (expected is Status.IN_PROGRESS)
    assert parse_run(run(**fields), NAMING).attempt == 2


def test_a_skipped_job_is_a_failed_attempt() -> None:
    rule = Rule(kind="workflow", workflow="*", job="to (?P<environment>.+)")
    job = {"id": 3, "name": "to live", "status": "completed", "conclusion": "skipped"}
    found = job_deployment(job, run(), rule, NAMING)

    assert found
    assert (found.environment, found.status, found.commit_sha) == ("live", Status.SKIPPED, SHA)
    assert job_deployment({**job, "name": "lint"}, run(), rule, NAMING) is None
