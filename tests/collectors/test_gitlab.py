"""GitLab: what its payloads say, and what is collected whatever goes wrong on the way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gitlab_server import (
    BEGIN,
    DAY,
    GitLab,
    Project,
    at,
    change_node,
    deployment_node,
    issue_node,
    sha,
    shop,
)
from loopback import NOON, Hourglass, Loopback, Say, loopback
from restsources import BROKEN, CUT, SECRET, WAIT, Faults, Query, Saved

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import Level
from vpemetrics.collectors.gitlab import (
    Options,
    check,
    collect,
    parse_change,
    parse_commit,
    parse_deployment,
    parse_incident,
    parse_run,
)
from vpemetrics.collectors.http import NotUnderstood, SourceProblem
from vpemetrics.collectors.marks import MARKS_OF
from vpemetrics.fingerprint import fingerprint
from vpemetrics.records import (
    Change,
    Commit,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Run,
    Status,
)
from vpemetrics.rules import Rules
from vpemetrics.window import parse_instant

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads" / "gitlab"
is_lacking = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="no ../shared/payloads beside the repository"
)
# --- what payloads say ----------------------------------------------------------------------------


def payloads(name: str) -> list[dict[str, Any]]:
    lines = (PAYLOADS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["payload"] for line in lines]


def figures(case: str, metric: str) -> list[dict[str, Any]]:
    found = json.loads((PAYLOADS / "expected.json").read_text(encoding="utf-8"))["figures"]
    return [one for one in found if (one["case_id"], one["metric"]) == (case, metric)]


RESULT = {
    Status.SUCCEEDED: "success",
    Status.FAILED: "failure",
    Status.IN_PROGRESS: None,
    Status.CANCELLED: None,
}
UNDOCUMENTED = {"completed", "undeployed"}
"""Statuses that the authors of the payloads made up, and GitLab's documentation does not name."""


@is_lacking
@pytest.mark.needs_recorded_payloads
@pytest.mark.parametrize("place", range(8))
def test_a_recorded_deployment_has_its_result_and_its_end(place: int) -> None:
    node = payloads("deployments")[place]
    if node["status"] in UNDOCUMENTED:
        with pytest.raises(NotUnderstood, match=node["status"]):
            parse_deployment(node, "acme/shop", None)
        return
    deployment = parse_deployment(node, "acme/shop", None)

    (result,) = (
        one
        for one in figures("deployments", "deployment_result")
        if one["deployment_id"] == node["id"]
    )
    (end,) = (
        one
        for one in figures("deployments", "deployment_finished_at")
        if one["deployment_id"] == node["id"]
    )
    assert RESULT[deployment.status] == result["dora_value"]
    assert deployment.finished_at == (end["dora_value"] and parse_instant(end["dora_value"]))


@is_lacking
@pytest.mark.needs_recorded_payloads
def test_recorded_merge_requests_have_their_states_and_shas() -> None:
    changes = [parse_change(node, "acme/shop", [], MARKS_OF) for node in payloads("merge_requests")]

    counted = {
        "merged": sum(change.merged_at is not None for change in changes),
        "closed": sum(change.closed_at is not None for change in changes),
        "open": sum(not change.merged_at and not change.closed_at for change in changes),
    }
    assert counted == {
        one["state"]: one["dora_value"] for one in figures("merge_requests", "merge_requests")
    }
    assert all(change.merge_commit_sha for change in changes if change.merged_at)
    assert not any(change.merge_commit_sha for change in changes if not change.merged_at)


@is_lacking
@pytest.mark.needs_recorded_payloads
def test_recorded_issues_take_their_time() -> None:
    incidents = [parse_incident(node, "acme/shop") for node in payloads("issues")]
    spans = {
        int(incident.id.rpartition("#")[2]): incident.resolved_at - incident.detected_at
        for incident in incidents
        if incident.resolved_at and incident.detected_at
    }

    assert {iid: span // timedelta(minutes=1) for iid, span in spans.items()} == {
        one["iid"]: one["dora_value"] for one in figures("issues", "lead_time")
    }
    assert len(incidents) - len(spans) == figures("issues", "open_issues")[0]["dora_value"]


@is_lacking
@pytest.mark.needs_recorded_payloads
def test_recorded_pipelines_have_their_outcomes_and_times() -> None:
    runs = [parse_run(node, "acme/shop") for node in payloads("pipelines")]

    assert all(run.started_at and run.finished_at for run in runs)
    for one in figures("pipelines", "pipelines"):
        assert sum(run.outcome == one["raw_status"] for run in runs) == one["dora_value"]


def test_a_description_and_commits_name_the_tools_that_wrote_it() -> None:
    node = change_node(1, days=1, merged=2) | {"description": "x\n\nAssisted-by: Amp"}
    commit = {
        "id": sha(1),
        "parent_ids": [],
        "authored_date": at(0),
        "committed_date": at(0),
        "author_email": "ada@example.org",
        "message": "x\n\nCo-authored-by: Codex <noreply@openai.com>",
    }

    assert parse_change(node, "acme/shop", [commit], MARKS_OF).marks == ("Amp", "Codex")
    assert parse_commit(commit, "acme/shop", MARKS_OF).marks == ("Codex",)


def test_a_fast_forward_is_merged_by_its_own_last_commit() -> None:
    node = change_node(1, days=1, merged=2) | {"merge_commit_sha": None, "sha": sha(7)}

    assert parse_change(node, "acme/shop", [], MARKS_OF).merge_commit_sha == sha(7)


def test_a_deployment_without_a_job_ended_when_it_changed_last() -> None:
    node = deployment_node(1, sha(1), days=1) | {"deployable": None, "updated_at": at(1.5)}
    deployment = parse_deployment(node, "acme/shop", None)

    assert (deployment.started_at, deployment.finished_at) == (
        parse_instant(at(1)),
        parse_instant(at(1.5)),
    )


@pytest.mark.parametrize(
    ("name", "tier", "environment"),
    [
        ("production", "production", "production"),
        ("production/eu", "production", "production/eu"),
        ("live-eu", "production", "production/live-eu"),
        ("prod-copy", "testing", "testing/prod-copy"),
        ("gone", None, "gone"),  # no environment of this name is there any more
    ],
)
def test_the_tier_stands_before_an_environment(
    name: str, tier: str | None, environment: str
) -> None:
    node = deployment_node(1, sha(1), days=1, environment=name)

    assert parse_deployment(node, "acme/shop", tier).environment == environment


# --- what is collected ----------------------------------------------------------------------------


def go_on(project: Project) -> None:
    """Let some days pass: what was open ends, and what comes late comes."""
    project.add("merge_requests", change_node(5, days=5, merged=9))
    project.add(
        "deployments", deployment_node(8, sha(5), days=6, status="failed") | {"updated_at": at(9)}
    )
    project.add("deployments", deployment_node(9, sha(700), days=9.5, ref="hotfix"))
    project.add("issues", issue_node(2, days=5, closed=9))
    late = project.commit(sha(600), BEGIN - 10 * DAY, sha(3), branch=None)  # pushed long after
    project.commit(sha(601), BEGIN + 9 * DAY, sha(149), late)
    project.commit(sha(700), BEGIN + 9 * DAY, sha(2), branch="hotfix")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback(Hourglass()) as running:
        yield running


@pytest.fixture
def options(server: Loopback) -> Options:
    return Options(token="env:T", projects=("acme/*",), url=server.url, runs=True)


def test_a_project_is_collected_with_all_that_it_tells(server: Loopback, options: Options) -> None:
    GitLab(server, [shop()])
    saved = Saved()

    assert saved.collect(collect, options, NOON)
    assert saved.of(Repository) == [Repository(id="7", name="acme/shop", default_branch="main")]
    assert len(saved.of(Commit)) == 150
    change = saved.records[Change.KIND, "acme/shop!1"]
    assert isinstance(change, Change)
    assert (change.commit_shas, change.merge_commit_sha) == ((sha(501), sha(1)), sha(1))
    assert change.first_commit_at == BEGIN
    deployment = saved.records[Deployment.KIND, "1"]
    assert isinstance(deployment, Deployment)
    assert (deployment.environment, deployment.status) == ("production/live", Status.SUCCEEDED)
    incidents = saved.of(Incident)
    assert [(one.id, one.severity, one.service) for one in incidents] == [
        ("acme/shop#1", 2, ("acme/shop",)),
        ("acme/shop#2", 2, ("acme/shop",)),
    ]
    (run,) = saved.of(Run)
    assert run.finished_at == parse_instant(at(2.1))
    assert {one.kind for one in saved.coverage} == set(CoverageKind) - {CoverageKind.REVIEWS}
    assert saved.warned == []


def test_labels_may_say_what_an_incident_is(server: Loopback, options: Options) -> None:
    GitLab(server, [shop()])
    saved = Saved()
    saved.collect(collect, replace(options, incident_labels=("outage", "sev1")), NOON)

    assert [incident.id for incident in saved.of(Incident)] == ["acme/shop#3"]


@pytest.mark.slow  # it waits as a limit says
@pytest.mark.parametrize("number", [0, 5, 11, 17])
def test_faults_change_nothing(server: Loopback, options: Options, number: int) -> None:
    gitlab = GitLab(server, [shop()])
    without, with_faults = Saved(), Saved()
    without.collect(collect, options, NOON)
    server.answer = Faults(gitlab.answer, {number: BROKEN, number + 1: CUT, number + 3: WAIT})

    assert with_faults.collect(collect, options, NOON)
    assert with_faults.records == without.records


@pytest.mark.slow
def test_wherever_it_is_stopped_the_next_collection_goes_on(
    server: Loopback, options: Options
) -> None:
    GitLab(server, [shop()])
    whole = Saved()
    whole.collect(collect, options, NOON)
    stopped = 0
    for at_most in range(40):
        saved = Saved()
        if saved.collect(collect, options, NOON, at_most=at_most):
            break
        stopped += 1
        assert saved.collect(collect, options, NOON + timedelta(minutes=5))

        assert saved.records == whole.records
    assert stopped > 3


def test_a_collection_that_goes_on_knows_what_a_fresh_one_does(
    server: Loopback, options: Options
) -> None:
    project = shop()
    GitLab(server, [project])
    incremental, fresh = Saved(), Saved()
    incremental.collect(collect, options, BEGIN + 8 * DAY)
    go_on(project)

    incremental.collect(collect, options, BEGIN + 10 * DAY)
    fresh.collect(collect, options, BEGIN + 10 * DAY)
    assert incremental.records == fresh.records
    assert ("commits", f"{sha(600)} of acme/shop") in incremental.records  # pushed late
    assert ("commits", f"{sha(700)} of acme/shop") in incremental.records  # deployed from a branch


def test_nothing_new_takes_a_request_a_list(server: Loopback, options: Options) -> None:
    GitLab(server, [shop()])
    saved = Saved()
    saved.collect(collect, options, NOON)
    server.asked.clear()
    saved.collect(collect, options, NOON + DAY)

    assert len(server.asked) == 6  # projects, the branch's end, and four lists


@pytest.mark.parametrize("pruned", [None, 404, 200])  # not; told so; or as if it had nothing
def test_a_branch_that_was_set_back_is_read_anew(
    server: Loopback, options: Options, pruned: int | None
) -> None:
    project = shop()
    gitlab = GitLab(server, [project])
    saved, fresh = Saved(), Saved()
    saved.collect(collect, options, NOON)
    project.branches["main"] = project.commit(sha(800), NOON - 9 * DAY, sha(100))
    if pruned:
        del project.commits[sha(149)]
        gitlab.unknown = Say(status=pruned, json=[])
    saved.collect(collect, options, NOON + DAY)
    fresh.collect(collect, options, NOON + DAY)

    assert fresh.records.items() <= saved.records.items()


AUTHORS = author_settings(Rules())


def commit_lists(server: Loopback) -> list[tuple[str, str]]:
    """The lists of commits that were asked for: of what, and which page."""
    queries = [Query.of(asked, server) for asked in server.asked]
    return [
        (query["ref_name"], query.get("page", "1"))
        for query in queries
        if query.path.endswith("/repository/commits")
    ]


def test_new_commits_are_asked_for_by_their_range(server: Loopback, options: Options) -> None:
    project = shop()
    GitLab(server, [project])
    saved = Saved()
    saved.collect(collect, options, NOON)
    project.commit(sha(800), NOON, sha(149))
    server.asked.clear()
    saved.collect(collect, options, NOON + DAY)

    assert commit_lists(server) == [(f"{sha(149)}..{sha(800)}", "1")]


def test_other_lists_of_authors_have_all_of_them_told_anew(
    server: Loopback, options: Options
) -> None:
    GitLab(server, [shop()])
    saved = Saved()
    saved.collect(collect, options, NOON)
    told, saved.records = saved.records, {}
    saved.rules = Rules(agents=("ada",))
    saved.collect(collect, options, NOON + DAY)

    wanted = (Commit.KIND, Change.KIND)
    assert saved.records.keys() >= {key for key in told if key[0] in wanted}


def test_a_list_of_commits_goes_on_with_the_page_where_it_was_left(
    server: Loopback, options: Options
) -> None:
    GitLab(server, [shop()])
    saved = Saved()
    left = {"begin": at(0), "head": sha(149), "page": 2, "authors": fingerprint(AUTHORS)}
    saved.cursors["acme/shop commits"] = json.dumps(left)
    saved.collect(collect, options, NOON)

    assert commit_lists(server) == [(sha(149), "2")]
    assert len(saved.of(Commit)) == 50


def test_a_branch_may_be_set_back_while_it_is_read(server: Loopback, options: Options) -> None:
    GitLab(server, [shop()])
    saved = Saved()
    left = {"begin": at(0), "head": sha(999), "page": 2}
    saved.cursors["acme/shop commits"] = json.dumps(left)

    assert saved.collect(collect, options, NOON)
    assert len(saved.of(Commit)) == 150


def test_a_project_that_is_renamed_keeps_its_first_name_in_records(
    server: Loopback, options: Options
) -> None:
    project = shop()
    gitlab = GitLab(server, [project])
    saved = Saved()
    saved.collect(collect, options, NOON)
    before = {key for key in saved.records if key[0] != Repository.KIND}
    project.path = "acme/store"
    gitlab.projects.append(Project(id=12, path="acme/shop", branch=None))  # under its old name
    project.add("issues", issue_node(9, days=20.5))
    server.asked.clear()
    saved.collect(collect, options, NOON + DAY)

    assert saved.of(Repository) == [
        Repository(id="12", name="acme/shop", aliases=("acme/shop (12)",)),
        Repository(id="7", name="acme/store", aliases=("acme/shop",), default_branch="main"),
    ]
    assert {key for key in saved.records if key[0] != Repository.KIND} - before == {
        ("incidents", "acme/shop#9")
    }
    assert {one.scope for one in saved.coverage} == {"acme/shop", "acme/shop (12)"}


def test_a_status_that_nobody_knows_is_left_out_and_told(
    server: Loopback, options: Options
) -> None:
    project = shop()
    for id_ in (21, 22):
        project.add("deployments", deployment_node(id_, sha(1), days=7, status="frozen"))
    GitLab(server, [project])
    saved = Saved()
    saved.collect(collect, options, NOON)

    assert saved.warned == [
        "acme/shop, deployments: left out 2, as nothing is known of status 'frozen'"
    ]
    assert len(saved.of(Deployment)) == 6


def test_review_apps_bring_no_commits(server: Loopback, options: Options) -> None:
    project = shop()
    project.commit(sha(900), BEGIN, sha(2), branch="x")
    review = deployment_node(30, sha(900), days=7, ref="x", environment="review/x")
    project.add("deployments", review)
    GitLab(server, [project])
    saved = Saved()
    saved.collect(collect, options, NOON)

    assert ("deployments", "30") in saved.records
    assert ("commits", f"{sha(900)} of acme/shop") not in saved.records


def test_what_is_switched_off_is_not_asked_for(server: Loopback, options: Options) -> None:
    project = shop()
    off = ("merge_requests", "environments", "issues", "builds")
    project.features = dict.fromkeys(off, "disabled")
    empty = Project(id=8, path="acme/empty", branch=None)
    GitLab(server, [project, empty])
    saved = Saved()

    assert saved.collect(collect, options, NOON)
    assert {one.kind for one in saved.coverage if one.scope == "acme/shop"} == {
        CoverageKind.COMMITS
    }
    assert len(saved.of(Repository)) == 2


def test_what_is_not_there_keeps_nothing_else_from_being_collected(
    server: Loopback, options: Options
) -> None:
    GitLab(server, [shop(), Project(id=9, path="acme/old-archive")])
    saved = Saved()
    projects = ("acme/*", "acme/gone", "other/*", "!acme/*-archive")

    with pytest.raises(SourceProblem) as caught:
        saved.collect(collect, replace(options, projects=projects), NOON)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["acme/gone", "other/*"]
    assert [one.name for one in saved.of(Repository)] == ["acme/shop"]
    assert len(saved.of(Commit)) == 150


def test_the_token_goes_to_gitlab_and_nowhere_else(server: Loopback, options: Options) -> None:
    GitLab(server, [shop()])
    with loopback(Hourglass()) as elsewhere:
        link = {"Link": f'<{elsewhere.url}/groups/acme/projects?page=2>; rel="next"'}
        answer = server.answer
        server.answer = lambda asked: (
            Say(json=[], headers=link) if "/groups/" in asked.path else answer(asked)
        )

        with pytest.raises(
            Exception, match="another server, where the token is not sent"
        ) as caught:
            Saved().collect(collect, options, NOON)
        assert elsewhere.asked == []
    assert SECRET not in str(caught.value)
    assert server.asked[0].headers["PRIVATE-TOKEN"] == SECRET
    assert SECRET not in server.asked[0].path


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"token": "gh"}, "is the login to GitHub"),
        ({"projects": ("shop",)}, "'shop' is not like"),
        ({"projects": ("!acme/shop",)}, "names none"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Options(**{"token": "env:T", "projects": ("acme/*",), **settings})


def test_a_check_tells_the_projects_and_who_deploys_to_production(
    server: Loopback, options: Options
) -> None:
    GitLab(server, [shop(), Project(id=8, path="acme/till")])
    wanted = replace(options, projects=("acme/*", "acme/gone"))
    findings = list(check(wanted, Saved().context(NOON)))

    assert [(one.topic, one.level) for one in findings] == [
        ("projects", Level.OK),
        ("projects", Level.ERROR),
        ("production", Level.OK),
    ]
    assert findings[0].text == "2: acme/shop, acme/till"
    assert findings[2].text == "1 of 2 projects looked at deploy to the tier production"
