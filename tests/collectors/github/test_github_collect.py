"""Collecting from a simulated GitHub: what is told, what it costs, and that nothing is missed."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from github_collecting import Collected, collecting
from github_server.faults import Faults, not_found, only
from github_server.things import Account
from github_server.world import Repo, World
from github_world import MONDAY, after, busy_world

from vpemetrics.collectors.github.options import Incidents, Rule
from vpemetrics.collectors.http import SourceProblem
from vpemetrics.demo.mainline import Joining
from vpemetrics.records import (
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Run,
    Status,
)
from vpemetrics.rules import Rules, Service

NEXT_WEEK = MONDAY + timedelta(days=7)
DAY = timedelta(days=1)
LABELLED = Incidents(labels=("incident",))
SHIPPED = Rule(kind="workflow", workflow="Ship", job="deploy")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shop(world: World) -> Repo:
    made = world.repository("acme/shop")
    ada = world.account("ada", name="Ada", email="ada@example.com")
    for hour in range(3):
        made.commit(f"Step {hour}", author=ada, at=after(hour))
    return made


@pytest.fixture
def github(world: World, shop: Repo) -> Iterator[Collected]:
    """A GitHub with `acme/shop` in it."""
    with collecting(world, NEXT_WEEK, incidents=LABELLED) as collected:
        yield collected


def ada(repo: Repo) -> Account:
    return repo.world.account("ada")


def pull(repo: Repo, title: str, at: datetime, size: int = 1, *, body: str = "") -> int:
    """An open pull request with commits of its own; its number."""
    before, oids = [repo.tip or ""], []
    for step in range(size):
        made = repo.commit(
            f"{title}, {step}",
            author=ada(repo),
            at=at - timedelta(hours=size - step),
            branch=f"branch-{title}",
            parents=before,
        )
        before = [made.oid]
        oids.append(made.oid)
    return repo.open_pull(title, author=ada(repo), commits=oids, at=at, body=body).number


def span(found: Collected, kind: CoverageKind, scope: str) -> list[tuple[datetime, datetime]]:
    return [
        (one.start, one.end)
        for one in found.of(Coverage).values()
        if (one.kind, one.scope) == (kind, scope)
    ]


def test_everything_that_happened_is_told() -> None:
    with collecting(busy_world(), NEXT_WEEK, incidents=LABELLED, runs=True) as github:
        found = github.collect()

    assert sorted(one.name for one in found.of(Repository).values()) == [
        "acme/empty",
        "acme/new-name",
        "acme/shop",
    ]
    titles = {one.title for one in found.of(Change).values() if one.merged_at}
    assert titles == {"Fix the cart", "Merged as it was", "Rebased"}
    assert {one.title for one in found.of(Incident).values()} == {"Cart is down", "Late mails"}
    assert [one.status for one in found.of(Deployment).values()].count(Status.SUCCEEDED) == 2


def test_a_fork_has_the_commits_it_shares(world: World, shop: Repo) -> None:
    fork = world.repository("acme/fork")
    fork.commits.update(shop.commits)
    fork.point("main", shop.tip or "", at=after(3))
    with collecting(world, NEXT_WEEK) as github:
        found = Counter(one.repository for one in github.collect().of(Commit).values())

    assert found == {"acme/shop": 3, "acme/fork": 3}


def test_nothing_new_in_many_repositories_costs_one_request(world: World) -> None:
    for number in range(30):
        made = world.repository(f"acme/service-{number}")
        made.commit("All", author=world.account("ada"), at=after(1))
        made.deploy(made.tip or "", "production", at=after(2), by=world.account("ada"))
    with collecting(world, NEXT_WEEK, incidents=LABELLED, runs=True) as github:
        first = github.collect().requests
        github.collect()

        assert github.requests == 1
        assert first > 30
        assert {type(one) for one in github.told} == {Coverage}


def test_a_quiet_week_is_covered(github: Collected) -> None:
    github.collect()
    github.collect(timedelta(days=7))

    (covered,) = span(github, CoverageKind.PULL_REQUESTS, "acme/shop")
    assert covered[1] == github.now


def test_what_was_not_asked_for_is_not_covered(github: Collected) -> None:
    github.collect(runs=True)
    asked_at = github.now
    github.collect(timedelta(hours=3), runs=True)

    (covered,) = span(github, CoverageKind.RUNS, "acme/shop")
    assert covered[1] == asked_at


def test_an_old_pull_request_that_is_merged_late_is_found(github: Collected, shop: Repo) -> None:
    old = pull(shop, "old", after(5))
    pull(shop, "new", after(9))
    github.collect()
    shop.merge(shop.pulls[old], at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert github.new(Change)[f"acme/shop#{old}"].merged_at
    assert github.requests <= 4


def test_a_deployment_that_succeeds_late_is_found(github: Collected, shop: Repo) -> None:
    waiting = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    shop.say(
        shop.deploy(shop.tip or "", "production", at=after(9), by=ada(shop)),
        "SUCCESS",
        at=after(10),
    )
    github.collect()
    shop.say(waiting, "SUCCESS", at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    (told,) = github.new(Deployment).values()
    assert (told.status, told.started_at) == (Status.SUCCEEDED, after(5))
    assert github.requests == 2


def test_what_goes_on_in_the_second_in_which_it_was_read_is_found(
    github: Collected, shop: Repo
) -> None:
    made = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    then = NEXT_WEEK + timedelta(hours=1)
    shop.say(made, "IN_PROGRESS", at=then)
    github.collect()
    shop.say(made, "SUCCESS", at=then)
    github.collect()
    (told,) = github.new(Deployment).values()
    github.collect()

    assert told.status is Status.SUCCEEDED
    assert github.requests == 1


def test_an_incident_that_is_opened_again_is_found(github: Collected, shop: Repo) -> None:
    issue = shop.open_issue("Down", author=ada(shop), at=after(5), labels=["incident"])
    shop.close(issue, at=after(6))
    github.collect()
    key = f"acme/shop#{issue.number}"
    assert github.of(Incident)[key].resolved_at == after(6)
    shop.reopen(issue, at=NEXT_WEEK + timedelta(hours=2))
    github.collect()

    assert github.of(Incident)[key].resolved_at is None


def test_an_issue_that_is_no_incident_any_more_ends(github: Collected, shop: Repo) -> None:
    issue = shop.open_issue("Down", author=ada(shop), at=after(5), labels=["incident"])
    github.collect()
    shop.unlabel(issue, "incident", at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    (told,) = github.new(Incident).values()
    assert told.resolved_at == NEXT_WEEK + timedelta(hours=1, minutes=30)


def test_incidents_by_type_are_named_by_rest(github: Collected, shop: Repo) -> None:
    shop.open_issue("Down", author=ada(shop), at=after(5), kind="Incident")
    shop.open_issue("Wish", author=ada(shop), at=after(5), kind="Feature")
    github.collect(incidents=Incidents(types=("Incident",)))
    github.collect(incidents=Incidents(types=("Incident",)))

    assert [one.title for one in github.of(Incident).values()] == ["Down"]
    assert github.requests == 1


@pytest.mark.parametrize("repositories", [("acme/shop",), ("acme/*",)])
def test_incidents_of_a_repository_apart_cover_all(
    world: World, shop: Repo, repositories: tuple[str, ...]
) -> None:
    desk = world.repository("acme/incidents")
    desk.open_issue("Down", author=ada(shop), at=after(5), labels=["incident", "service: shop"])
    incidents = Incidents(labels=("incident",), repositories=("acme/incidents",))
    with collecting(world, NEXT_WEEK, repositories=repositories, incidents=incidents) as github:
        github.collect()

    (told,) = github.of(Incident).values()
    assert told.service == ("shop",)
    assert span(github, CoverageKind.INCIDENTS, "*")
    reads_it = repositories == ("acme/*",)
    assert bool(span(github, CoverageKind.PULL_REQUESTS, "acme/incidents")) is reads_it


def test_originals_are_told_without_parents_only_where_no_branch_has_them(
    github: Collected, shop: Repo
) -> None:
    squashed, merged = pull(shop, "one", after(8), 3), pull(shop, "two", after(9), 3)
    shop.merge(shop.pulls[squashed], at=after(10))
    shop.merge(shop.pulls[merged], at=after(11), how=Joining.MERGE)
    found = github.collect()

    changes, commits = found.of(Change), found.commits
    whole = {one.oid: one.parents for one in shop.commits.values()}
    assert [len(changes[f"acme/shop#{n}"].commit_shas) for n in (squashed, merged)] == [3, 3]
    for sha in changes[f"acme/shop#{merged}"].commit_shas:
        assert commits[sha].parents == whole[sha]
    for sha in changes[f"acme/shop#{squashed}"].commit_shas:
        assert commits[sha].authored_at == shop.commits[sha].author.date


def test_commits_merged_from_an_old_branch_are_not_missed(github: Collected, shop: Repo) -> None:
    late = pull(shop, "old-branch", after(4), 2)
    for hour in range(5, 160):
        shop.commit(f"Step {hour}", author=ada(shop), at=after(hour))
    github.collect()
    merged_at = NEXT_WEEK + timedelta(hours=1, minutes=30)
    made = shop.merge(shop.pulls[late], at=merged_at, how=Joining.MERGE)
    github.collect()

    assert github.new_commits.keys() == {made.oid, *shop.pulls[late].commits}
    (covered,) = span(github, CoverageKind.COMMITS, "acme/shop")
    assert covered[1] == github.now


def test_the_history_of_a_deployed_branch_is_told(github: Collected, shop: Repo) -> None:
    base = shop.tip or ""
    github.collect()
    fix = shop.commit("Fix", author=ada(shop), at=after(30), branch="release", parents=[base])
    done_at = NEXT_WEEK + timedelta(hours=1, minutes=30)
    shop.say(shop.deploy(fix.oid, "production", at=done_at, by=ada(shop)), "SUCCESS", at=done_at)
    preview = shop.commit("Try", author=ada(shop), at=after(31), branch="try", parents=[base])
    other = shop.deploy(preview.oid, "preview", at=done_at, by=ada(shop))
    shop.say(other, "SUCCESS", at=done_at)
    github.collect()

    assert {sha: one.parents for sha, one in github.new_commits.items()} == {fix.oid: (base,)}


def test_a_forced_push_is_read_from_where_it_joins(github: Collected, shop: Repo) -> None:
    base = shop.tip or ""
    shop.commit("Regretted", author=ada(shop), at=after(30))
    github.collect()
    other = shop.commit("Better", author=ada(shop), at=after(31), branch="x", parents=[base])
    shop.point("main", other.oid, at=NEXT_WEEK + timedelta(hours=1))
    github.collect()

    assert github.new_commits.keys() == {other.oid}


def test_a_first_collection_goes_on_where_it_was_interrupted(world: World, shop: Repo) -> None:
    for number in range(220):
        opened = pull(shop, f"n{number}", after(number / 2))
        shop.merge(shop.pulls[opened], at=after(number / 2 + 0.1))
    with collecting(world, NEXT_WEEK) as github:
        whole = github.collect()
        pieces = github.fresh()
        spent = 0
        for _ in range(20):
            pieces.collect(timedelta(minutes=1), max_requests=4)
            spent += pieces.requests
            if pieces.requests < 4:
                break

    assert pieces.requests < 4
    assert spent <= whole.requests * 2
    assert pieces.of(Change) == whole.of(Change)
    assert pieces.of(Commit) == whole.of(Commit)
    assert span(pieces, CoverageKind.PULL_REQUESTS, "acme/shop")[-1][1] == pieces.now


def test_an_interruption_says_so_and_covers_what_was_read(world: World, shop: Repo) -> None:
    for number in range(120):
        pull(shop, f"n{number}", after(number))
    with collecting(world, NEXT_WEEK) as github:
        github.collect(max_requests=4)

    changes = github.of(Change).values()
    (covered,) = span(github, CoverageKind.PULL_REQUESTS, "acme/shop")
    assert 0 < len(changes) < 120
    assert covered[0] >= min(one.created_at or NEXT_WEEK for one in changes)
    assert any("the next collection goes on from here" in text for text in github.warnings)


def test_a_collection_that_nobody_reads_on_ends(world: World, shop: Repo) -> None:
    for number in range(120):
        pull(shop, f"n{number}", after(number))
    with collecting(world, NEXT_WEEK) as github:
        batches = github.batches()
        next(batches)
        batches.close()
        before = github.github.requests
        whole = github.collect()

    assert github.github.requests > before
    assert len(whole.of(Change)) == 120


def test_more_than_a_page_of_commits_and_reviews_is_told(github: Collected, shop: Repo) -> None:
    number = pull(shop, "long", after(140), 130)
    for step in range(120):
        shop.review(
            shop.pulls[number],
            "COMMENTED",
            by=shop.world.account("ci[bot]"),
            at=after(141 + step / 60),
        )
    shop.review(shop.pulls[number], "APPROVED", by=shop.world.account("bob"), at=after(150))
    found = github.collect()

    change = found.of(Change)[f"acme/shop#{number}"]
    assert len(change.commit_shas) == 130
    assert change.first_review_at == change.approved_at == after(150)


def test_a_renamed_repository_keeps_its_name_in_records(
    github: Collected, world: World, shop: Repo
) -> None:
    github.collect()
    world.rename(shop, "acme/store")
    number = pull(shop, "after", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert github.new(Change).keys() == {f"acme/shop#{number}"}
    (told,) = github.new(Repository).values()
    assert (told.id, told.name, told.aliases) == (shop.id, "acme/store", ("acme/shop",))
    assert span(github, CoverageKind.PULL_REQUESTS, "acme/store")


def test_a_new_repository_under_an_old_name_is_another_one(
    github: Collected, world: World, shop: Repo
) -> None:
    github.collect()
    world.rename(shop, "acme/store")
    shop.former.clear()  # GitHub forgets a name that is given to another one
    other = world.repository("acme/shop")
    other.commit("New", author=ada(shop), at=NEXT_WEEK)
    number = pull(other, "first", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()

    assert f"acme/shop#{number}" not in github.new(Change)
    assert {one.name for one in github.of(Repository).values()} == {"acme/store", "acme/shop"}


def test_a_transferred_repository_is_followed(github: Collected, world: World, shop: Repo) -> None:
    github.collect()
    world.rename(shop, "beta/shop")
    number = pull(shop, "there", NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect()
    assert github.new(Change).keys() == {f"acme/shop#{number}"}

    github.collect()
    assert github.requests <= 2


def test_one_repository_that_is_gone_keeps_no_other_from_being_collected(
    world: World, shop: Repo
) -> None:
    names = ("acme/shop", "acme/gone", "nobody/here")
    with (
        collecting(world, NEXT_WEEK, repositories=names) as github,
        pytest.raises(SourceProblem, match="acme/gone") as raised,
    ):
        github.collect()

    assert "nobody/here" in str(raised.value)
    assert "acme/shop" not in str(raised.value)
    assert github.of(Commit)


def test_archived_repositories_and_forks_are_left_out_unless_wanted(world: World) -> None:
    for name in ("plain", "old", "copy"):
        made = world.repository(f"acme/{name}")
        made.commit("All", author=world.account("ada"), at=after(1))
        made.archived, made.fork = name == "old", name == "copy"
    with collecting(world, NEXT_WEEK) as github:
        usual = {one.name for one in github.collect().of(Repository).values()}
        more = github.fresh().collect(archived=True, forks=True).of(Repository)
        named = github.fresh().collect(repositories=("acme/old",)).of(Repository)

    assert usual == {"acme/plain"}
    assert len(more) == 3
    assert {one.name for one in named.values()} == {"acme/old"}


def test_what_was_last_touched_before_since_is_left_out(github: Collected, shop: Repo) -> None:
    old, new = pull(shop, "old", after(5)), pull(shop, "new", after(60))
    github.collect(since=date(2026, 3, 4))
    assert github.of(Change).keys() == {f"acme/shop#{new}"}

    github.collect(since=date(2026, 3, 1))
    assert github.of(Change).keys() == {f"acme/shop#{new}", f"acme/shop#{old}"}


def test_several_accounts_are_collected(world: World, shop: Repo) -> None:
    other = world.repository("beta/cart")
    other.commit("All", author=ada(shop), at=after(1))
    with collecting(world, NEXT_WEEK, repositories=("acme/*", "beta/cart")) as github:
        github.collect()
        names = {one.name for one in github.of(Repository).values()}
        github.collect()

    assert names == {"acme/shop", "beta/cart"}
    assert github.requests == 2


def test_runs_and_their_attempts_are_told(github: Collected, shop: Repo) -> None:
    run = shop.start_run("CI", shop.tip or "", at=after(20))
    shop.finish_run(run, "failure", at=after(20.5))
    shop.run_again(run, at=after(21))
    shop.finish_run(run, "success", at=after(21.5))
    found = github.collect(runs=True)

    told = sorted(found.of(Run).values(), key=lambda one: one.attempt or 0)
    assert [(one.attempt, one.outcome, one.started_at) for one in told] == [
        (1, "failure", after(20)),
        (2, "success", after(21)),
    ]


def test_runs_that_github_does_not_give_are_counted(github: Collected, shop: Repo) -> None:
    for _ in range(1100):
        run = shop.start_run("CI", shop.tip or "", at=after(20.1))
        shop.finish_run(run, "success", at=after(21))
    found = github.collect(runs=True)

    assert len(found.of(Run)) == 1000
    assert "GitHub did not give 100 runs that it has" in found.warnings


def test_commits_that_github_does_not_give_are_counted(github: Collected, shop: Repo) -> None:
    number = pull(shop, "long", after(20), 253)
    found = github.collect()

    assert len(found.of(Change)[f"acme/shop#{number}"].commit_shas) == 250
    assert "GitHub did not give 3 commits of pull requests that it has" in found.warnings


def test_a_run_that_went_on_is_asked_about_again(github: Collected, shop: Repo) -> None:
    run = shop.start_run("CI", shop.tip or "", at=after(20))
    github.collect(runs=True)
    shop.finish_run(run, "success", at=NEXT_WEEK + timedelta(hours=1, minutes=30))
    github.collect(runs=True)

    assert [one.outcome for one in github.new(Run).values()] == ["success"]
    assert github.requests == 2


def test_what_is_run_again_is_found_within_a_day(github: Collected, shop: Repo) -> None:
    run = shop.start_run("CI", shop.tip or "", at=after(20))
    shop.finish_run(run, "failure", at=after(20.5))
    github.collect(runs=True)
    again_at = NEXT_WEEK + timedelta(hours=2)
    shop.run_again(run, at=again_at)
    shop.finish_run(run, "success", at=again_at + timedelta(minutes=5))
    github.collect(timedelta(days=1), runs=True)

    assert (f"run:{run.database_id}.2", "success") in {
        (key, one.outcome) for key, one in github.new(Run).items()
    }


def test_an_attempt_that_was_under_way_is_told_to_its_end_when_there_is_another(
    github: Collected, shop: Repo
) -> None:
    run = shop.start_run("CI", shop.tip or "", at=after(20))
    shop.finish_run(run, "failure", at=after(20.5))
    shop.run_again(run, at=after(21))
    github.collect(runs=True)
    shop.finish_run(run, "cancelled", at=after(22))
    shop.run_again(run, at=after(23))
    github.collect(runs=True)

    outcomes = {one.attempt: one.outcome for one in github.of(Run).values()}
    assert outcomes == {1: "failure", 2: "cancelled", 3: "in_progress"}


def test_an_attempt_that_github_does_not_find_is_asked_for_the_next_day(
    world: World, shop: Repo
) -> None:
    run = shop.start_run("CI", shop.tip or "", at=after(20))
    for hour in (20.5, 21.5):
        shop.finish_run(run, "failure", at=after(hour))
        shop.run_again(run, at=after(hour + 0.5))
    shop.finish_run(run, "success", at=after(22.5))
    away = [only(not_found, path=f"{run.database_id}/attempts/1")]
    weather = Faults(always=(lambda *asked: away[0](*asked),))
    with collecting(world, NEXT_WEEK - DAY * 5, faults=weather) as github:
        github.collect(runs=True)
        before = {one.attempt for one in github.of(Run).values()}
        away[0] = only(not_found, path="nothing")
        github.collect(DAY, runs=True)
        after_that = github.collect(DAY, runs=True)

    assert before == {2, 3}
    assert {one.attempt for one in github.of(Run).values()} == {1, 2, 3}
    assert not after_that.new(Run)


def test_a_run_that_goes_on_and_is_not_found_once_is_told_to_its_end(
    world: World, shop: Repo
) -> None:
    runs = [
        shop.start_run("Ship", shop.tip or "", at=after(hour), jobs=("deploy",))
        for hour in (20, 21, 22)
    ]
    gone = only(not_found, path=f"runs/{runs[1].database_id}")
    weather = Faults(always=(lambda *asked: away(*asked),))
    with collecting(world, NEXT_WEEK, faults=weather, deployments=(SHIPPED,)) as github:
        away = only(not_found, path="/nothing")
        github.collect()
        away = gone
        github.collect()
        away = only(not_found, path="/nothing")
        for run in runs:
            shop.finish_run(run, "success", at=github.now)
        github.collect(DAY)

    outcomes = [one.status for one in github.of(Deployment).values()]
    assert outcomes == [Status.SUCCEEDED] * 3


def test_a_run_that_lasts_for_long_is_told_to_its_end(github: Collected, shop: Repo) -> None:
    run = shop.start_run("Ship", shop.tip or "", at=after(20), jobs=("deploy",))
    github.collect(deployments=(SHIPPED,))
    shop.finish_run(run, "cancelled", at=NEXT_WEEK + DAY * 34)
    github.collect(DAY * 35, deployments=(SHIPPED,))
    told = github.new(Deployment)
    github.collect(deployments=(SHIPPED,))

    assert [one.status for one in told.values()] == [Status.CANCELLED]
    assert github.requests == 1


def test_jobs_deploy_where_a_rule_says_so(github: Collected, shop: Repo) -> None:
    run = shop.start_run(
        "Ship", shop.tip or "", at=after(20), jobs=("test", "deploy cart to production")
    )
    shop.finish_run(run, "success", at=after(21))
    shop.finish_run(shop.start_run("CI", shop.tip or "", at=after(22)), "success", at=after(23))
    rule = Rule(
        kind="workflow", workflow="Ship", job=r"deploy (?P<service>\S+) to (?P<environment>\S+)"
    )
    found = github.collect(deployments=(rule,))

    (told,) = found.of(Deployment).values()
    assert (told.service, told.environment, told.status) == ("cart", "production", Status.SUCCEEDED)
    assert not found.of(Run)
    assert span(found, CoverageKind.DEPLOYMENTS, "cart")


def test_releases_tags_and_merges_deploy_where_a_rule_says_so(
    github: Collected, shop: Repo
) -> None:
    merged = pull(shop, "one", after(8))
    shop.merge(shop.pulls[merged], at=after(10))
    shop.tag("v1.0.0", shop.tip or "", at=after(11), tagger=ada(shop))
    shop.tag("v1.1.0-rc1", shop.tip or "", at=after(12), tagger=ada(shop))
    shop.release("v1.0.0", at=after(13), created_at=after(10), by=ada(shop))
    shop.release("v1.1.0", at=None, created_at=after(10), by=ada(shop))
    rules = tuple(Rule(kind=kind) for kind in ("releases", "tags", "merges"))
    found = github.collect(deployments=rules)
    made = {
        key.partition(":")[0]: (one.commit_sha, one.finished_at)
        for key, one in found.of(Deployment).items()
    }

    assert made == {
        "release": (shop.tip, after(13)),
        "tag": (shop.tip, after(11)),
        "merge": (shop.tip, after(10)),
    }


def test_a_release_of_an_old_commit_is_found(github: Collected, shop: Repo) -> None:
    old, rules = shop.tip or "", (Rule(kind="releases"),)
    shop.tag("v1.0.0", old, at=after(3))
    shop.commit("More", author=ada(shop), at=after(40))
    shop.tag("v2.0.0", shop.tip or "", at=after(41))
    shop.release("v2.0.0", at=after(42), created_at=after(40), by=ada(shop))
    github.collect(deployments=rules)
    late = NEXT_WEEK + timedelta(hours=1, minutes=30)
    shop.release("v1.0.0", at=late, created_at=after(2), by=ada(shop))
    github.collect(deployments=rules)

    assert "v1.0.0" in {one.version for one in github.new(Deployment).values()}


def test_commits_tell_which_paths_of_services_they_touch(world: World) -> None:
    mono = world.repository("acme/mono")
    author = world.account("ada")
    cart = mono.commit("Cart", author=author, at=after(1), paths=("cart/a.py",))
    both = mono.commit("Both", author=author, at=after(2), paths=("cart/a.py", "mail/b.py"))
    none = mono.commit("Docs", author=author, at=after(3), paths=("README.md",))
    services = tuple(
        Service(name=name, repository="acme/mono", paths=(f"{name}/**",))
        for name in ("cart", "mail")
    )
    with collecting(world, NEXT_WEEK, rules=Rules(services=services)) as github:
        found = github.collect().commits

    assert found[cart.oid].paths == ("cart/*",)
    assert found[both.oid].paths == ("cart/*", "mail/*")
    assert found[none.oid].paths == ()


def test_what_a_deployed_branch_apart_touches_is_told_too(world: World) -> None:
    mono = world.repository("acme/mono")
    author = world.account("ada")
    base = mono.commit("Cart", author=author, at=after(1), paths=("cart/a.py",))
    fix = mono.commit(
        "Fix",
        author=author,
        at=after(3),
        branch="hotfix/1",
        parents=[base.oid],
        paths=("cart/a.py",),
    )
    mono.commit("More", author=author, at=after(2), paths=("mail/b.py",))
    for oid in (fix.oid, "f" * 40):  # the second was pushed away
        mono.say(mono.deploy(oid, "production", at=after(4), by=author), "SUCCESS", at=after(5))
    rules = Rules(services=(Service(name="cart", repository="acme/mono", paths=("cart/**",)),))
    with collecting(world, NEXT_WEEK, rules=rules) as github:
        found = github.collect().commits

    assert found[fix.oid].paths == ("cart/*",)


def test_a_changed_setting_has_what_it_decides_told_again(github: Collected, shop: Repo) -> None:
    shop.say(
        shop.deploy(shop.tip or "", "shop/live", at=after(5), by=ada(shop)), "SUCCESS", at=after(6)
    )
    github.collect()
    rule = Rule(environment=r"(?P<service>\w+)/(?P<environment>\w+)")
    github.collect(deployments=(rule,))

    (told,) = github.new(Deployment).values()
    assert (told.service, told.environment) == ("shop", "live")
    assert not github.new(Change)


def test_another_default_branch_is_told(github: Collected, shop: Repo) -> None:
    github.collect()
    shop.branches["trunk"], shop.default_branch = shop.tip or "", "trunk"
    github.collect()

    (told,) = github.new(Repository).values()
    assert told.default_branch == "trunk"


def test_bots_that_are_named_later_are_told_again(github: Collected, shop: Repo) -> None:
    shop.merge(shop.pulls[pull(shop, "one", after(8))], at=after(10))
    (before,) = github.collect().of(Change).values()
    github.rules = Rules(bots=("ada*",))
    github.collect()

    (now,) = github.new(Change).values()
    assert (before.is_bot, now.is_bot) == (False, True)
    assert {one.is_bot for one in github.new_commits.values()} == {True}


def test_a_large_first_collection_says_what_it_takes(world: World) -> None:
    for number in range(70):
        made = world.repository(f"acme/s{number}")
        made.commit("All", author=world.account("ada"), at=after(1))
    with collecting(world, NEXT_WEEK) as github:
        github.collect()
        (text,) = github.warnings
        assert "70 repositories since 2025-03-03 takes about 70 requests and 70 GraphQL" in text

        github.collect()
        assert github.warnings == []


def test_open_things_that_are_gone_are_asked_for_only_so_often(
    github: Collected, shop: Repo
) -> None:
    waiting = shop.deploy(shop.tip or "", "production", at=after(5), by=ada(shop))
    github.collect()
    del shop.deployments[waiting.database_id]
    asked = [github.collect().requests for _ in range(8)]

    assert asked[0] > 1
    assert asked[-1] == 1
