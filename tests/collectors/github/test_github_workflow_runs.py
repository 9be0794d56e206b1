"""Workflow runs and their jobs, collected from a simulated GitHub."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from github_collecting import Collected, collecting, span
from github_server.faults import Faults, not_found, only
from github_server.world import Repo, World
from github_world import NEXT_WEEK, after

from vpemetrics.collectors.github.options import Incidents, Rule
from vpemetrics.records import CoverageKind, Deployment, Run, Status

DAY = timedelta(days=1)
LABELLED = Incidents(labels=("incident",))
SHIPPED = Rule(kind="workflow", workflow="Ship", job="deploy")


@pytest.fixture
def github(world: World, shop: Repo) -> Iterator[Collected]:
    """A GitHub with `acme/shop` in it."""
    with collecting(world, NEXT_WEEK, incidents=LABELLED) as collected:
        yield collected


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


@pytest.mark.slow
def test_runs_that_github_does_not_give_are_counted(github: Collected, shop: Repo) -> None:
    for _ in range(1100):
        run = shop.start_run("CI", shop.tip or "", at=after(20.1))
        shop.finish_run(run, "success", at=after(21))
    found = github.collect(runs=True)

    assert len(found.of(Run)) == 1000
    assert "GitHub did not give 100 runs that it has" in found.warnings


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
