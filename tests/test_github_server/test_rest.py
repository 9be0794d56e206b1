"""What REST answers: pages and links, renames, and the traps that GitHub's answers hold."""

import json
import re
from base64 import b64decode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from github_server.answer import Answer
from github_server.rest import rest
from github_server.things import timestamp
from github_server.world import Repo, World
from github_world import after, busy_world

HOST = {"host": "127.0.0.1:8080"}
API = "http://127.0.0.1:8080/api/v3"
SHOP = "/repos/acme/shop"


def get(world: World, path: str, /, **query: str) -> Answer:
    return rest(world, "GET", path, query, HOST)


def body(world: World, path: str, /, **query: str) -> Any:
    answer = get(world, path, **query)
    assert answer.status == 200
    assert json.loads(json.dumps(answer.body)) == answer.body
    return answer.body


def links(answer: Answer) -> dict[str, str]:
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("link", ""))
    return {rel: address.removeprefix(API) for address, rel in found}


def shop_with_runs(count: int, minutes: int = 1) -> Repo:
    shop = World().repository("acme/shop")
    for at in range(count):
        shop.start_run("CI", "a" * 40, at=after(0) + timedelta(minutes=minutes * at))
    return shop


def pages(world: World, path: str, key: str, **query: str) -> list[Any]:
    """All that following the links gives."""
    found, answer = [], get(world, path, **query)
    while True:
        assert answer.status == 200
        found += answer.body[key]
        if "next" not in links(answer):
            return found
        path, _, asked = links(answer)["next"].partition("?")
        answer = get(world, path, **dict(parse_qsl(asked)))


def test_links_lead_by_the_repositorys_id_through_all_pages() -> None:
    shop = shop_with_runs(5)
    runs = f"/repositories/{shop.database_id}/actions/runs?per_page=2&page="
    first, second, last = (
        links(get(shop.world, f"{SHOP}/actions/runs", per_page="2", page=str(page)))
        for page in (1, 2, 3)
    )

    assert first == {"next": f"{runs}2", "last": f"{runs}3"}
    assert second == {
        "prev": f"{runs}1",
        "next": f"{runs}3",
        "last": f"{runs}3",
        "first": f"{runs}1",
    }
    assert last == {"prev": f"{runs}2", "first": f"{runs}1"}
    assert len(pages(shop.world, f"{SHOP}/actions/runs", "workflow_runs", per_page="2")) == 5


@pytest.mark.parametrize(("asked", "given"), [(None, 30), ("7", 7), ("500", 100), ("0", 1)])
def test_a_page_has_thirty_items_and_at_most_a_hundred(asked: str | None, given: int) -> None:
    query = {"per_page": asked} if asked else {}
    found = body(shop_with_runs(120).world, f"{SHOP}/actions/runs", **query)

    assert (found["total_count"], len(found["workflow_runs"])) == (120, given)


def test_what_is_new_shifts_the_pages_that_follow() -> None:
    shop = shop_with_runs(4)
    first = body(shop.world, f"{SHOP}/actions/runs", per_page="2")["workflow_runs"]
    shop.start_run("CI", "b" * 40, at=after(9))
    second = body(shop.world, f"{SHOP}/actions/runs", per_page="2", page="2")["workflow_runs"]

    assert second[0]["id"] == first[1]["id"]  # once more


def test_filtered_runs_end_after_a_thousand_and_are_counted_in_full() -> None:
    shop = shop_with_runs(1100)
    path = f"{SHOP}/actions/runs"
    every = pages(shop.world, path, "workflow_runs", per_page="100")
    filtered = pages(shop.world, path, "workflow_runs", per_page="100", created=">=2026-01-01")
    beyond = body(shop.world, path, per_page="100", page="11", created=">=2026-01-01")

    assert (len(every), len(filtered)) == (1100, 1000)
    assert (beyond["total_count"], beyond["workflow_runs"]) == (1100, [])


@pytest.mark.parametrize(
    ("created", "hours"),
    [
        ("2026-03-03", [24]),
        ("2026-03-02..2026-03-03", [0, 24]),
        ("2026-03-03T09:00:00Z..2026-03-04T09:00:00Z", [24, 48]),  # both ends belong to it
        ("2026-03-03T09:00:01Z..*", [48]),
        ("*..2026-03-02", [0]),
        (">=2026-03-04T09:00:00Z", [48]),
        (">2026-03-03", [48]),
        ("<2026-03-03", [0]),
        ("<=2026-03-03T09:00:00+00:00", [0, 24]),
    ],
)
def test_runs_are_windowed_by_when_they_were_created(created: str, hours: list[int]) -> None:
    shop = shop_with_runs(3, minutes=24 * 60)
    found = body(shop.world, f"{SHOP}/actions/runs", created=created)["workflow_runs"]

    assert sorted(run["created_at"] for run in found) == [timestamp(after(one)) for one in hours]


def test_a_re_run_keeps_its_id_and_creation_and_moves_the_rest() -> None:
    shop = World().repository("acme/shop")
    run = shop.start_run("CI", "a" * 40, at=after(0), jobs=["test"])
    shop.finish_run(run, "failure", at=after(1))
    path = f"{SHOP}/actions/runs/{run.database_id}"
    before = body(shop.world, path)
    shop.run_again(run, at=after(30))
    shop.finish_run(run, "success", at=after(31))
    now = body(shop.world, path)

    assert (now["id"], now["created_at"]) == (before["id"], before["created_at"])
    assert (before["run_attempt"], before["previous_attempt_url"]) == (1, None)
    assert now["run_attempt"] == 2
    assert now["run_started_at"] == timestamp(after(30))
    assert (now["updated_at"], now["conclusion"]) == (timestamp(after(31)), "success")
    assert now["previous_attempt_url"] == f"{API}{path}/attempts/1"
    assert body(shop.world, f"{path}/attempts/1") == before


def test_jobs_are_those_of_the_last_attempt_unless_all_are_asked_for() -> None:
    shop = World().repository("acme/shop")
    run = shop.start_run("Deploy", "a" * 40, at=after(0), jobs=["eu", "us"])
    shop.finish_job(run.latest.jobs[0], "success", at=after(0.5))
    shop.finish_run(run, "failure", at=after(1))
    shop.run_again(run, at=after(2))
    path = f"{SHOP}/actions/runs/{run.database_id}"

    def told(path: str, **query: str) -> list[tuple[str, int, str | None]]:
        jobs = body(shop.world, path, **query)["jobs"]
        return [(job["name"], job["run_attempt"], job["conclusion"]) for job in jobs]

    first = [("eu", 1, "success"), ("us", 1, "failure")]
    second = [("eu", 2, None), ("us", 2, None)]
    assert told(f"{path}/jobs") == second
    assert told(f"{path}/jobs", filter="all") == [*first, *second]
    assert told(f"{path}/attempts/1/jobs") == first


def test_runs_of_a_workflow_are_found_by_its_file() -> None:
    shop = shop_with_runs(2)
    shop.start_run("Deploy it", "a" * 40, at=after(9))
    (workflow,) = (
        one
        for one in body(shop.world, f"{SHOP}/actions/workflows")["workflows"]
        if one["name"] == "Deploy it"
    )
    path = f"{SHOP}/actions/workflows"

    assert workflow["path"] == ".github/workflows/deploy-it.yml"
    for known_as in ("deploy-it.yml", workflow["id"]):
        assert body(shop.world, f"{path}/{known_as}/runs")["total_count"] == 1


def test_a_renamed_repository_answers_301_with_an_address_by_id() -> None:
    world = busy_world()
    repo = world.repository("acme/new-name")
    answer = get(world, "/repos/acme/old-name/commits", per_page="5", sha="main")
    path = f"/repositories/{repo.database_id}/commits"

    assert answer.status == 301
    assert answer.headers["location"] == f"{API}{path}?per_page=5&sha=main"
    assert answer.body["url"] == answer.headers["location"]
    assert [one["sha"] for one in body(world, path)] == [repo.tip]


def test_unmerged_pull_requests_have_a_merge_commit_sha_too() -> None:
    world = busy_world()
    shop = world.repository("acme/shop")
    listed = body(world, f"{SHOP}/pulls", state="all", sort="created", direction="asc")

    assert all(one["merge_commit_sha"] for one in listed)
    for one in listed:
        on_the_branch = one["merge_commit_sha"] in shop.commits
        assert on_the_branch == (one["merged_at"] is not None)
    assert {one["state"] for one in listed} == {"open", "closed"}  # merged is no state here


def test_the_list_of_issues_contains_pull_requests() -> None:
    world = busy_world()
    listed = body(world, f"{SHOP}/issues", state="all")
    shop = world.repository("acme/shop")

    assert {one["number"] for one in listed} == {*shop.issues, *shop.pulls}
    assert {one["number"] for one in listed if "pull_request" in one} == set(shop.pulls)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["Open, by a ghost", "Late mails"]),  # open, the latest made first
        ({"labels": "incident"}, ["Late mails"]),
        ({"labels": "incident,hotfix", "state": "all"}, []),  # all of the labels
        ({"state": "closed", "labels": "hotfix"}, ["Fix the cart"]),
        ({"type": "incident", "state": "all"}, ["Typed"]),
        ({"since": "2026-03-04T00:00:00Z"}, ["Open, by a ghost"]),
    ],
)
def test_issues_are_chosen_by_what_is_asked_for(query: dict[str, str], titles: list[str]) -> None:
    world = busy_world()
    shop = world.repository("acme/shop")
    typed = shop.open_issue("Typed", author=None, at=after(1), kind="Incident")
    shop.close(typed, at=after(2))

    assert [one["title"] for one in body(world, f"{SHOP}/issues", **query)] == titles


def test_an_organisation_tells_the_types_of_its_issues() -> None:
    world = busy_world()
    for kind in ("Task", "Incident", "Task"):
        world.repository("acme/shop").open_issue("Some", author=None, at=after(1), kind=kind)

    assert [one["name"] for one in body(world, "/orgs/acme/issue-types")] == ["Incident", "Task"]
    assert get(world, "/orgs/ada/issue-types").status == 404


def test_only_deployments_say_that_they_are_of_production() -> None:
    world = busy_world()
    deployments = body(world, f"{SHOP}/deployments")
    environments = body(world, f"{SHOP}/environments")["environments"]

    assert {(one["environment"], one["production_environment"]) for one in deployments} == {
        ("production", True),
        ("staging", False),
    }
    assert [one["name"] for one in environments] == ["production", "staging"]
    assert not any("production_environment" in one for one in environments)


def test_the_latest_status_of_an_old_deployment_is_inactive() -> None:
    world = busy_world()
    *_, oldest = body(world, f"{SHOP}/deployments")
    statuses = body(world, f"{SHOP}/deployments/{oldest['id']}/statuses")

    assert [one["state"] for one in statuses] == ["inactive", "success", "in_progress", "queued"]
    assert oldest["updated_at"] == statuses[0]["created_at"] == timestamp(after(61))


def test_bots_have_their_mark_in_logins_here() -> None:
    shop = World().repository("acme/shop")
    bot = shop.world.account("renovate[bot]")
    commit = shop.commit("Begin", author=bot, at=after(0))
    shop.open_pull("Update", author=bot, commits=[commit.oid], at=after(1))
    (pull,) = body(shop.world, f"{SHOP}/pulls")

    assert (pull["user"]["login"], pull["user"]["type"]) == ("renovate[bot]", "Bot")


def test_a_comparison_tells_what_one_end_has_beyond_the_other() -> None:
    shop = World().repository("acme/shop")
    ada = shop.world.account("ada")
    root = shop.commit("root", author=ada, at=after(0)).oid
    shop.commit("side", author=ada, at=after(1), branch="side", parents=[root])
    for hour in range(300):
        shop.commit(str(hour), author=ada, at=after(2 + hour))
    found = body(shop.world, f"{SHOP}/compare/side...main")
    rest_of_it = body(shop.world, f"{SHOP}/compare/side...main", page="2")

    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("diverged", 300, 1)
    assert [one["commit"]["message"] for one in found["commits"]] == [str(n) for n in range(250)]
    assert len(rest_of_it["commits"]) == 50
    assert body(shop.world, f"{SHOP}/compare/main...main")["status"] == "identical"


def test_commits_are_listed_from_any_tip_and_by_what_they_touch() -> None:
    world = busy_world()

    def messages(**query: str) -> list[str]:
        return [one["commit"]["message"] for one in body(world, f"{SHOP}/commits", **query)]

    assert messages(sha="v1.0.0", per_page="2") == ["Step 4\n\nWhy.", "Step 3\n\nWhy."]
    assert messages(sha="v1.0.0", path="cart") == ["Step 3\n\nWhy.", "Step 1\n\nWhy."]
    assert messages(sha="v1.0.0", until=timestamp(after(0)) or "") == ["Step 0\n\nWhy."]
    assert get(world, "/repos/acme/empty/commits").status == 409


def test_files_and_folders_are_told_with_their_contents() -> None:
    shop = World().repository("acme/shop")
    shop.files |= {".github/CODEOWNERS": "* @acme/shop\n", ".github/workflows/ci.yml": "on: push"}
    (owners, workflows) = body(shop.world, f"{SHOP}/contents/.github")
    file = body(shop.world, f"{SHOP}/contents/.github/CODEOWNERS")

    assert (owners["path"], owners["type"]) == (".github/CODEOWNERS", "file")
    assert (workflows["path"], workflows["type"]) == (".github/workflows", "dir")
    assert b64decode(file["content"]) == b"* @acme/shop\n"
    assert get(shop.world, f"{SHOP}/contents/CODEOWNERS").status == 404


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/orgs/acme/repos", ["acme/empty", "acme/new-name", "acme/shop"]),
        ("/users/acme/repos", ["acme/empty", "acme/new-name", "acme/shop"]),
        ("/users/ada/repos", []),
        ("/user/repos", ["acme/empty", "acme/new-name", "acme/shop"]),
    ],
)
def test_an_account_lists_its_repositories_by_name(path: str, names: list[str]) -> None:
    assert [one["full_name"] for one in body(busy_world(), path)] == names


@pytest.mark.parametrize(
    "path",
    [
        "/repos/acme/none",
        "/repos/acme",
        "/repositories/1",
        "/orgs/ada",  # a person
        "/users/none/repos",
        f"{SHOP}/pulls/99",
        f"{SHOP}/actions/runs/1/jobs",
        f"{SHOP}/nothing",
        "/nothing",
    ],
)
def test_what_is_not_there_is_404(path: str) -> None:
    answer = get(busy_world(), path)

    assert (answer.status, answer.body["message"]) == (404, "Not Found")


def test_the_same_answer_has_the_same_etag_until_something_changes() -> None:
    world = busy_world()
    path = f"{SHOP}/pulls"
    first, again = get(world, path), get(world, path)
    pull = world.repository("acme/shop").pulls[6]
    world.repository("acme/shop").label(pull, "later", at=after(99))

    assert first.headers["etag"] == again.headers["etag"]
    assert first.headers["etag"] != get(world, path).headers["etag"]
